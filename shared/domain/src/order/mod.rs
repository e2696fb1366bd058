//! What is bought, as the money path knows it.

mod fiscal;
pub mod receipt;

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use self::fiscal::Fiscal;
use crate::{ids::ProductId, money::Tiyin};

/// A product or a variant of one, and how many pieces of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderedProduct {
    pub product_id: ProductId,
    /// At least 1. Pieces, or portions of what is sold by weight ([`Portion`]).
    pub count: u32,
}

/// A line of an order, with the title and the price of the moment of checkout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    pub product_id: ProductId,
    /// At least 1.
    pub count: u32,
    /// Empty where the order was made from an event and the catalogue does not have the product.
    pub title: String,
    /// Of one piece or portion; `None` where it is not known.
    pub price: Option<Tiyin>,
    /// What is counted, where it is not pieces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portion: Option<Portion>,
    /// For its receipt, of the moment of checkout; `None` where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fiscal: Option<Fiscal>,
}

impl OrderLine {
    pub const fn product(&self) -> OrderedProduct {
        OrderedProduct { product_id: self.product_id, count: self.count }
    }
}

/// What a product is measured in that is not sold by the piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Kilogram,
    Litre,
    Metre,
}

impl Unit {
    pub const ALL: [Self; 3] = [Self::Kilogram, Self::Litre, Self::Metre];

    /// As it is written in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kilogram => "kg",
            Self::Litre => "l",
            Self::Metre => "m",
        }
    }

    /// The names that people write, each with the thousandths of the unit that it stands for. Longer ones come first.
    const fn names(self) -> &'static [(&'static str, u32)] {
        match self {
            Self::Kilogram => &[
                ("kilogramm", 1_000),
                ("gramm", 1),
                ("kg", 1_000),
                ("кг", 1_000),
                ("gr", 1),
                ("g", 1),
                ("г", 1),
            ],
            Self::Litre => &[("litr", 1_000), ("ml", 1), ("мл", 1), ("l", 1_000), ("л", 1_000)],
            Self::Metre => &[("metr", 1_000), ("sm", 10), ("cm", 10), ("см", 10), ("m", 1_000), ("м", 1_000)],
        }
    }
}

/// The least amount that is sold of a product by weight, volume or length, such as 0.5 kg: carts, orders, stock and the ledger
/// count portions, so their counts stay whole numbers (docs/decisions/0009-weights-are-counted-in-portions.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Portion {
    pub unit: Unit,
    /// Of the unit: grams, millilitres, millimetres.
    pub thousandths: NonZeroU32,
}

impl Portion {
    /// A larger one is a typing error.
    const THOUSANDTHS_MAX: u32 = 100_000;

    /// `0,5 kg`, `0.5kg`, `100 g`, `2 m`: at most 100 of the unit.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        Unit::ALL.into_iter().find_map(|unit| {
            let (number, factor) = without_unit(&text, unit)?;
            let thousandths = u32::try_from(thousandths_in(number, factor)?).ok()?;
            let thousandths = NonZeroU32::new(thousandths).filter(|it| it.get() <= Self::THOUSANDTHS_MAX)?;
            Some(Self { unit, thousandths })
        })
    }

    /// The price of one portion, rounded to the nearest tiyin, a half upwards. Whatever is bought costs a whole number of
    /// these, so that no sum is rounded.
    pub fn price(self, of_unit: Tiyin) -> Tiyin {
        let thousandths = i128::from(of_unit.get()) * i128::from(self.thousandths.get());
        i64::try_from((thousandths + 500) / 1_000)
            .ok()
            .and_then(|tiyin| Tiyin::try_new(tiyin).ok())
            .unwrap_or(Tiyin::MAX)
    }

    /// How much so many portions are, in thousandths of the unit.
    pub fn thousandths_of(self, count: u32) -> u64 {
        u64::from(self.thousandths.get()) * u64::from(count)
    }

    /// Reads an amount that people write, with or without the unit, as thousandths: `1,5`, `1.5 kg`, `300 g`.
    pub fn thousandths_in(self, text: &str) -> Option<u64> {
        let text = text.trim().to_lowercase();
        let (number, factor) = without_unit(&text, self.unit).unwrap_or((&text, 1_000));
        thousandths_in(number, factor)
    }

    /// How many whole portions an amount has, and whether nothing is left over.
    pub fn count_in(self, thousandths: u64) -> Option<(u32, bool)> {
        let portion = u64::from(self.thousandths.get());
        let count = u32::try_from(thousandths / portion).ok()?;
        Some((count, thousandths.is_multiple_of(portion)))
    }
}

/// The number before a name of the unit, and the thousandths that the name stands for.
fn without_unit(text: &str, unit: Unit) -> Option<(&str, u32)> {
    let text = text.trim_end_matches('.');
    unit.names().iter().find_map(|(name, thousandths)| {
        let number = text.strip_suffix(name)?.trim_end();
        number.ends_with(|digit: char| digit.is_ascii_digit()).then_some((number, *thousandths))
    })
}

/// Digits, and decimals after a comma or a dot, times `factor`. `None` also where more decimals are written than count.
fn thousandths_in(number: &str, factor: u32) -> Option<u64> {
    let number: String = number.chars().filter(|character| !character.is_whitespace()).collect();
    let (whole, decimals) = number.split_once([',', '.']).unwrap_or((&number, ""));
    let is_number = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
    let has_decimals = number.len() > whole.len();
    if whole.is_empty() || !is_number(whole) || !is_number(decimals) || (has_decimals && decimals.is_empty())
    {
        return None;
    }
    if decimals.len() > 3 {
        return None;
    }
    let scaled = format!("{whole}{decimals:0<3}").parse::<u64>().ok()?.checked_mul(u64::from(factor))?;
    scaled.is_multiple_of(1_000).then_some(scaled / 1_000)
}

/// Thousandths as a decimal number without zeros at its end: `1,5`.
pub fn decimal(thousandths: u64, separator: char) -> String {
    let (whole, rest) = (thousandths / 1_000, thousandths % 1_000);
    if rest == 0 {
        return whole.to_string();
    }
    let text = format!("{whole}{separator}{rest:03}");
    text.trim_end_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn portion(text: &str) -> Portion {
        Portion::parse(text).unwrap()
    }

    #[test]
    fn a_portion_is_read_as_people_write_it() {
        for (text, unit, thousandths) in [
            ("0,5 kg", Unit::Kilogram, 500),
            ("0.5kg", Unit::Kilogram, 500),
            ("1 кг", Unit::Kilogram, 1_000),
            ("100 g", Unit::Kilogram, 100),
            ("250 г.", Unit::Kilogram, 250),
            ("1 L", Unit::Litre, 1_000),
            ("250 ml", Unit::Litre, 250),
            ("2 m", Unit::Metre, 2_000),
            ("50 sm", Unit::Metre, 500),
            ("100 kg", Unit::Kilogram, 100_000),
        ] {
            let thousandths = NonZeroU32::new(thousandths).unwrap();
            assert_eq!(Portion::parse(text), Some(Portion { unit, thousandths }), "{text}");
        }
        for text in
            ["", "kg", "0 kg", "1", "0,0001 kg", "0,5 g", "-1 kg", "1,,5 kg", "1, kg", "101 kg", "1 dona"]
        {
            assert_eq!(Portion::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_amount_is_read_with_and_without_its_unit_and_split_into_portions() {
        let half = portion("0,5 kg");
        for (text, thousandths) in
            [("1,5", 1_500), ("1.5 kg", 1_500), ("2", 2_000), ("300 g", 300), ("1 000 g", 1_000)]
        {
            assert_eq!(half.thousandths_in(text), Some(thousandths), "{text}");
        }
        assert_eq!((half.thousandths_in("bir kilo"), half.thousandths_in("2 m")), (None, None));
        assert_eq!(half.count_in(1_500), Some((3, true)));
        assert_eq!(half.count_in(1_700), Some((3, false)));
        assert_eq!(half.thousandths_of(3), 1_500);
        assert_eq!(
            (decimal(1_500, ','), decimal(2_000, ','), decimal(50, '.')),
            ("1,5".into(), "2".into(), "0.05".into())
        );
    }

    #[test]
    fn a_portions_price_is_rounded_to_the_nearest_tiyin_and_its_multiples_are_exact() {
        let tiyin = |tiyin| Tiyin::try_new(tiyin).unwrap();
        assert_eq!(portion("0,5 kg").price(tiyin(2_400_000)), tiyin(1_200_000));
        assert_eq!(portion("0,3 kg").price(tiyin(1_005)), tiyin(302), "301.5 is rounded upwards");
        assert_eq!(portion("0,3 kg").price(tiyin(1_001)), tiyin(300), "300.3 is rounded down");
        assert_eq!(portion("0,1 kg").price(Tiyin::MAX), tiyin(Tiyin::MAX.get() / 10));
        assert_eq!(portion("2 m").price(Tiyin::MAX), Tiyin::MAX, "no more than an amount can be");
        let price = portion("0,3 kg").price(tiyin(1_005));
        assert_eq!(price.checked_times(7), Ok(tiyin(7 * 302)));
    }

    #[test]
    fn a_line_without_a_portion_is_written_as_before() {
        let line = OrderLine {
            product_id: ProductId::try_new(1).unwrap(),
            count: 2,
            title: "Choy".to_owned(),
            price: None,
            portion: None,
            fiscal: None,
        };
        let json = serde_json::to_value(&line).unwrap();
        assert_eq!(json, serde_json::json!({"product_id": 1, "count": 2, "title": "Choy", "price": null}));
        assert_eq!(serde_json::from_value::<OrderLine>(json).unwrap(), line);
    }
}
