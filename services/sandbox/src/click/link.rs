//! Reads pay links as CLICK does.

use tolov_domain::Tiyin;
use url::{Url, form_urlencoded};

use super::error::BadLink;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedLink {
    /// `transaction_param`.
    pub order_id: String,
    /// The text of the link, which CLICK sends to the merchant unchanged.
    pub amount: String,
    pub return_url: Option<Url>,
}

const MAX_ORDER_CHARS: usize = 255;

impl OpenedLink {
    /// Reads the query of a link for this merchant.
    pub(super) fn read(query: &str, service_id: i64, merchant_id: i64) -> Result<Self, BadLink> {
        let parameters: Vec<(String, String)> =
            form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let optional = |name: &'static str| {
            let mut values =
                parameters.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone());
            match (values.next(), values.next()) {
                (_, Some(_)) => Err(BadLink::Twice(name)),
                (value, None) => Ok(value.filter(|value| !value.is_empty())),
            }
        };
        let required = |name: &'static str| optional(name)?.ok_or(BadLink::Missing(name));
        let must_be = |field: &'static str, known: i64| {
            let given = required(field)?;
            if given == known.to_string() {
                Ok(())
            } else {
                Err(BadLink::OtherMerchant { field, given, known })
            }
        };
        must_be("service_id", service_id)?;
        must_be("merchant_id", merchant_id)?;
        let amount = required("amount")?;
        if Tiyin::parse_soum(&amount).ok().is_none_or(|amount| amount == Tiyin::ZERO) {
            return Err(BadLink::Amount);
        }
        let order_id = required("transaction_param")?;
        if order_id.chars().count() > MAX_ORDER_CHARS {
            return Err(BadLink::TooLong("transaction_param"));
        }
        let return_url = optional("return_url")?.and_then(|url| Url::parse(&url).ok());
        let return_url = return_url.filter(|url| matches!(url.scheme(), "http" | "https" | "tg"));
        Ok(Self { order_id, amount, return_url })
    }
}
