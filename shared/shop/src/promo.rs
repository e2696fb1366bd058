//! Promo codes: a discount, a number of uses, a time limit.

use serde::{Deserialize, Serialize};
use tolov_domain::{
    OrderId, Tiyin, UserId,
    ports::{
        PortError,
        documents::{Collection, Documents, Key},
    },
    time::{Timestamp, millis},
};

use crate::{
    order::waiting_orders_of,
    records::{self, Record},
};

pub const PROMO_CODES: Collection = Collection::new("promo_codes", &[]);

/// How many uses one code may have: each is stored with it.
pub const USES_MAX: u32 = 5_000;
pub const CODE_MAX_CHARS: usize = 32;
const ONE_SOUM: Tiyin = match Tiyin::try_new(100) {
    Ok(soum) => soum,
    Err(_) => Tiyin::ZERO,
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromoCode {
    /// As [`fold_code`] writes it.
    pub code: String,
    pub off: Off,
    /// Goods below this sum get no discount.
    pub goods_min: Tiyin,
    /// By all shoppers together, at most [`USES_MAX`].
    pub uses_max: u32,
    pub uses_per_shopper_max: u32,
    #[serde(with = "millis::option")]
    pub expires_at: Option<Timestamp>,
    pub active: bool,
    /// By orders that were paid, or may still be.
    pub uses: Vec<Use>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Off {
    /// 1 to 99, rounded down to whole so'm.
    Percent(u8),
    Amount(Tiyin),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use {
    pub order_id: OrderId,
    pub user_id: UserId,
}

/// Why a code gives no discount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromoRefusal {
    Unknown,
    Expired,
    UsedUp,
    UsedByYou,
    /// The goods must cost at least this.
    TooLittle(Tiyin),
}

impl Record for PromoCode {
    const COLLECTION: Collection = PROMO_CODES;

    fn key(&self) -> Key {
        Key::Text(self.code.clone())
    }
}

/// A code as it is stored: trimmed, in capitals. `None` for a text that cannot be a code.
pub fn fold_code(text: &str) -> Option<String> {
    let code: String = text.trim().to_uppercase();
    let is_code = code.chars().all(|character| character.is_alphanumeric() || matches!(character, '-' | '_'));
    (is_code && (1..=CODE_MAX_CHARS).contains(&code.chars().count())).then_some(code)
}

impl PromoCode {
    /// The discount on these goods, always less than they cost.
    pub fn discount(&self, user_id: UserId, goods: Tiyin, now: Timestamp) -> Result<Tiyin, PromoRefusal> {
        if !self.active {
            return Err(PromoRefusal::Unknown);
        }
        if self.expires_at.is_some_and(|at| at <= now) {
            return Err(PromoRefusal::Expired);
        }
        let count = |uses: usize| u32::try_from(uses).unwrap_or(u32::MAX);
        if count(self.uses.len()) >= self.uses_max.min(USES_MAX) {
            return Err(PromoRefusal::UsedUp);
        }
        let by_shopper = self.uses.iter().filter(|used| used.user_id == user_id).count();
        if count(by_shopper) >= self.uses_per_shopper_max {
            return Err(PromoRefusal::UsedByYou);
        }
        if goods < self.goods_min {
            return Err(PromoRefusal::TooLittle(self.goods_min));
        }
        match self.off.of(goods) {
            // An order of nothing cannot be paid.
            discount if discount < goods => Ok(discount),
            _ => Err(PromoRefusal::TooLittle(self.off.least_goods())),
        }
    }

    /// Counts a use, once an order.
    pub fn claim(&mut self, used: Use, goods: Tiyin, now: Timestamp) -> Result<Tiyin, PromoRefusal> {
        if self.uses.contains(&used) {
            return Ok(self.off.of(goods));
        }
        let discount = self.discount(used.user_id, goods, now)?;
        self.uses.push(used);
        Ok(discount)
    }

    /// An order whose use was released was paid all the same, with the discount: it counts, also above the limits.
    pub fn keep(&mut self, used: Use) {
        if !self.uses.contains(&used) {
            self.uses.push(used);
        }
    }

    pub fn release(&mut self, order_id: OrderId) {
        self.uses.retain(|used| used.order_id != order_id);
    }
}

impl Off {
    /// Below this sum nothing would be left to pay.
    fn least_goods(self) -> Tiyin {
        match self {
            Self::Amount(amount) => amount.checked_add(ONE_SOUM).unwrap_or(Tiyin::MAX),
            Self::Percent(_) => ONE_SOUM,
        }
    }

    fn of(self, goods: Tiyin) -> Tiyin {
        let off = match self {
            Self::Amount(amount) => amount.get(),
            // Tiyin::MAX times 100 is far inside i64; whole so'm, so that no order has tiyin that nobody can pay.
            Self::Percent(percent) => goods.get() * i64::from(percent.min(99)) / 100 / 100 * 100,
        };
        Tiyin::try_new(off.min(goods.get())).unwrap_or(Tiyin::ZERO)
    }
}

pub async fn promo_code(documents: &dyn Documents, code: &str) -> Result<Option<PromoCode>, PortError> {
    records::read(documents, code).await
}

/// The discount of a code that a shopper typed, without using it. As with stock, what the shopper's own unpaid orders use
/// counts as free, because a new order replaces them.
pub async fn discount(
    documents: &dyn Documents,
    code: &str,
    user_id: UserId,
    goods: Tiyin,
    now: Timestamp,
) -> Result<Result<Tiyin, PromoRefusal>, PortError> {
    let Some(mut code) = promo_code(documents, code).await? else { return Ok(Err(PromoRefusal::Unknown)) };
    let discount = code.discount(user_id, goods, now);
    if !matches!(discount, Err(PromoRefusal::UsedUp | PromoRefusal::UsedByYou)) {
        return Ok(discount);
    }
    for order in waiting_orders_of(documents, user_id).await? {
        code.release(order.id);
    }
    Ok(code.discount(user_id, goods, now))
}
