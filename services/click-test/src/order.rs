//! An order at the merchant.

use tolov_domain::Tiyin;

use crate::error::UsageError;

/// An order that the merchant has, unpaid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// `merchant_trans_id`.
    pub id: String,
    /// So'm, as CLICK writes it into its calls.
    pub amount_text: String,
    pub amount: Tiyin,
    /// The pay link that the create call returned.
    pub link: Option<String>,
}

impl Order {
    /// `None` unless the amount is so'm above zero, such as `1500` or `1500.50`.
    pub fn new(id: impl Into<String>, amount: &str) -> Option<Self> {
        let tiyin = Tiyin::parse_soum(amount).ok().filter(|tiyin| *tiyin > Tiyin::ZERO)?;
        Some(Self { id: id.into(), amount_text: amount.to_owned(), amount: tiyin, link: None })
    }
}

/// Reads `ID=AMOUNT`. An id may contain `=`; an amount does not.
pub fn given_order(text: &str) -> Result<Order, UsageError> {
    let bad = || UsageError::BadOrder(text.to_owned());
    let (id, amount) = text.rsplit_once('=').filter(|(id, _)| !id.is_empty()).ok_or_else(bad)?;
    Order::new(id, amount).ok_or_else(bad)
}
