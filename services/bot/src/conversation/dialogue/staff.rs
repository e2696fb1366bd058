//! What the bot waits for from a member of staff.

use serde::{Deserialize, Serialize};
use tolov_domain::{OrderId, OrderedProduct, RefundId, UserId};
use tolov_shop::promo::PromoCode;

use super::catalogue::CatalogueStep;

/// What the next message of a member of staff is an answer to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StaffStep {
    Catalogue(CatalogueStep),
    Promo(PromoStep),
    Members(MemberStep),
    /// The number of an order, a phone, or a payment's number.
    FindOrder,
    /// The lines of an order that go back are chosen by buttons.
    RefundLines {
        order_id: OrderId,
        returned: Vec<OrderedProduct>,
    },
    /// What proves that the money of a refund was given back by hand.
    RefundDocument {
        order_id: OrderId,
        refund_id: RefundId,
    },
    /// The message to broadcast.
    BroadcastSource,
    /// More parts of an album of which this broadcast is; any other message is answered as if nothing was waited for.
    BroadcastAlbum {
        id: i64,
        media_group_id: String,
    },
    /// The answer to the shopper whose message this header stands above.
    SupportAnswer {
        header_id: i32,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MemberStep {
    /// Whom to add.
    Whom,
    /// The role of this person, chosen by a button.
    Role { id: UserId, name: String },
}

/// A promo code that is being created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PromoStep {
    pub(crate) draft: Box<PromoCode>,
    pub(crate) asked: PromoField,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PromoField {
    Code,
    Off,
    GoodsMin,
    Uses,
    UsesPerShopper,
    Until,
    /// Everything is answered and shown.
    Review,
}

impl PromoField {
    pub(crate) const ALL: [Self; 7] =
        [Self::Code, Self::Off, Self::GoodsMin, Self::Uses, Self::UsesPerShopper, Self::Until, Self::Review];

    pub(crate) fn next(self) -> Self {
        let after = Self::ALL.into_iter().skip_while(|field| *field != self).nth(1);
        after.unwrap_or(Self::Review)
    }
}
