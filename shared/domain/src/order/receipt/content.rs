//! The lines of a receipt, in tiyin that add up exactly to what was paid.

use serde::{Deserialize, Serialize};

use crate::{
    money::Tiyin,
    order::{OrderLine, decimal, fiscal::Fiscal},
};

/// CLICK's limit for the name of an item.
const NAME_MAX_CHARS: usize = 63;
/// CLICK counts thousandths of a piece, a kilogram, a litre or a metre.
const THOUSANDTHS: u64 = 1_000;

/// What is sold, as agreed with the order. It never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    pub lines: Vec<ContentLine>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentLine {
    /// At most 63 characters.
    pub name: String,
    pub fiscal: Fiscal,
    /// In thousandths: two pieces are 2000, 1.5 kg are 1500.
    pub amount: u64,
    /// Of one piece or portion.
    pub good_price: Tiyin,
    /// Of the line, before its discount.
    pub price: Tiyin,
    pub discount: Tiyin,
    /// Inside of what is paid for the line.
    pub vat: Tiyin,
}

/// A delivery that is paid for: a line of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryLine {
    pub name: String,
    pub fiscal: Fiscal,
    pub price: Tiyin,
}

/// Why an order has no receipt that adds up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    #[error("the price of a line is not known")]
    NoPrice,
    #[error("the lines, the discount and the delivery do not add up to the total")]
    DoesNotAddUp,
}

impl Content {
    /// Whether every line has its codes.
    pub fn has_codes(&self) -> bool {
        !self.lines.is_empty() && self.lines.iter().all(|line| line.fiscal.is_complete())
    }

    /// What is paid for all lines; `None`: more than an amount can be, or a discount above its line.
    pub fn paid(&self) -> Option<Tiyin> {
        self.lines.iter().try_fold(Tiyin::ZERO, |sum, line| {
            let paid = line.price.checked_sub(line.discount).ok()?;
            sum.checked_add(paid).ok()
        })
    }
}

/// The receipt of an order. The discount is spread over the goods, the delivery is paid in full.
pub fn content(
    goods: &[OrderLine],
    delivery: Option<DeliveryLine>,
    discount: Tiyin,
    total: Tiyin,
    default: &Fiscal,
) -> Result<Content, ContentError> {
    const OVERFLOW: ContentError = ContentError::DoesNotAddUp;
    let mut prices = Vec::with_capacity(goods.len());
    for line in goods {
        let price = line.price.ok_or(ContentError::NoPrice)?;
        prices.push(price.checked_times(line.count).map_err(|_| OVERFLOW)?);
    }
    let discounts = spread(discount, &prices).ok_or(ContentError::DoesNotAddUp)?;
    let mut lines = Vec::with_capacity(goods.len() + 1);
    for ((line, price), discount) in goods.iter().zip(prices).zip(discounts) {
        let fiscal = line.fiscal.clone().unwrap_or_default().or(default);
        let amount = match line.portion {
            Some(portion) => portion.thousandths_of(line.count),
            None => u64::from(line.count) * THOUSANDTHS,
        };
        let good_price = line.price.unwrap_or(Tiyin::ZERO);
        lines.push(finished(ContentLine {
            name: name(line),
            fiscal,
            amount,
            good_price,
            price,
            discount,
            vat: Tiyin::ZERO,
        }));
    }
    if let Some(DeliveryLine { name, fiscal, price }) = delivery {
        let (fiscal, name) = (fiscal.or(default), name.chars().take(NAME_MAX_CHARS).collect());
        let (amount, discount, vat) = (THOUSANDTHS, Tiyin::ZERO, Tiyin::ZERO);
        lines.push(finished(ContentLine { name, fiscal, amount, good_price: price, price, discount, vat }));
    }
    // A line that costs nothing is no sale.
    lines.retain(|line| line.price > Tiyin::ZERO);
    let content = Content { lines };
    if content.paid() == Some(total) { Ok(content) } else { Err(ContentError::DoesNotAddUp) }
}

fn finished(line: ContentLine) -> ContentLine {
    let paid = line.price.checked_sub(line.discount).unwrap_or(Tiyin::ZERO);
    ContentLine { vat: vat_inside(paid, line.fiscal.vat_percent.unwrap_or(0)), ..line }
}

/// The title with the unit at the end, as CLICK asks for it.
fn name(line: &OrderLine) -> String {
    let unit = match line.portion {
        None => "dona".to_owned(),
        Some(portion) if portion.thousandths.get() == 1_000 => portion.unit.as_str().to_owned(),
        Some(portion) => {
            format!("{} {}", decimal(portion.thousandths_of(1), ','), portion.unit.as_str())
        }
    };
    let room = NAME_MAX_CHARS.saturating_sub(unit.chars().count() + 1);
    let title: String = line.title.chars().take(room).collect();
    format!("{} {unit}", title.trim_end())
}

/// Spreads a sum over parts in proportion to their weights, in whole tiyin, by the largest remainder; of equal remainders
/// the first one counts. `None`: the sum is more than all weights together.
///
/// The shares add up to the sum, and none is above its weight.
pub fn spread(sum: Tiyin, weights: &[Tiyin]) -> Option<Vec<Tiyin>> {
    let wide = |amount: &Tiyin| i128::from(amount.get());
    let all: i128 = weights.iter().map(wide).sum();
    let sum = wide(&sum);
    if sum > all {
        return None;
    }
    if all == 0 {
        return Some(vec![Tiyin::ZERO; weights.len()]);
    }
    let mut shares: Vec<i128> = weights.iter().map(|weight| sum * wide(weight) / all).collect();
    let left = usize::try_from(sum - shares.iter().sum::<i128>()).ok()?;
    let mut order: Vec<usize> = (0..weights.len()).collect();
    let remainder = |position: &usize| weights.get(*position).map_or(0, |weight| sum * wide(weight) % all);
    order.sort_by_key(|position| std::cmp::Reverse(remainder(position)));
    for position in order.into_iter().take(left) {
        if let Some(share) = shares.get_mut(position) {
            *share += 1;
        }
    }
    shares.into_iter().map(|share| Tiyin::try_new(i64::try_from(share).ok()?).ok()).collect()
}

/// The VAT that is inside of an amount, rounded to the nearest tiyin, a half upwards.
pub fn vat_inside(paid: Tiyin, percent: u8) -> Tiyin {
    let (paid, percent) = (i128::from(paid.get()), i128::from(percent));
    let whole = 100 + percent;
    let vat = (2 * paid * percent + whole) / (2 * whole);
    i64::try_from(vat).ok().and_then(|vat| Tiyin::try_new(vat).ok()).unwrap_or(Tiyin::ZERO)
}
