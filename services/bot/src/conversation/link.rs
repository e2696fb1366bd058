//! Deep links that open the bot.

use tolov_domain::{OrderId, ProductId, UserId};

/// What stands behind `t.me/the_bot?start=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    Product(ProductId),
    /// Behind CLICK's page, and on posts in the staff channel.
    Order(OrderId),
    /// A shopper's own link.
    Referral(UserId),
}

impl Link {
    /// `None`: an unknown payload.
    pub(crate) fn parse(payload: &str) -> Option<Self> {
        let (kind, id) = payload.split_once('_')?;
        match kind {
            "product" => ProductId::parse(id).ok().map(Self::Product),
            "order" => OrderId::parse(id).ok().map(Self::Order),
            "ref" => UserId::parse(id).ok().map(Self::Referral),
            _ => None,
        }
    }

    /// The payload.
    pub(crate) fn payload(self) -> String {
        match self {
            Self::Product(id) => format!("product_{id}"),
            Self::Order(id) => format!("order_{id}"),
            Self::Referral(id) => format!("ref_{id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read_back_and_others_are_none() {
        for link in [
            Link::Product(ProductId::try_new(7).unwrap()),
            Link::Order(OrderId::try_new(1_001).unwrap()),
            Link::Referral(UserId::try_new(i64::MAX).unwrap()),
        ] {
            let payload = link.payload();
            assert!(payload.len() <= 64, "{payload}");
            assert_eq!(Link::parse(&payload), Some(link));
        }
        for payload in ["", "product", "product_", "product_0", "product_x", "ref_-1", "from_poster", "_1"] {
            assert_eq!(Link::parse(payload), None, "{payload:?}");
        }
    }
}
