//! What the bot waits for.

use serde::{Deserialize, Serialize};
use tolov_domain::ProductId;

use super::{
    catalogue::CatalogueStep,
    staff::{MemberStep, PromoStep, StaffStep},
};

/// What the next message is an answer to. While nothing is waited for it is a search.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    #[default]
    Idle,
    /// The phone number of the profile.
    Phone,
    Search,
    /// How many of an article go into the cart.
    Quantity {
        article_id: ProductId,
    },
    PromoCode,
    CheckoutPhone,
    Address,
    Landmark,
    Comment,
    /// The checkout is shown; a message is a comment.
    Review,
    /// A message to staff.
    Support,
    Staff(StaffStep),
}

impl Step {
    pub(crate) fn is_in_checkout(&self) -> bool {
        matches!(self, Self::CheckoutPhone | Self::Address | Self::Landmark | Self::Comment | Self::Review)
    }

    /// Whether an edit of the message that answered it counts: in the checkout, and in a message to staff.
    pub(crate) fn takes_edits(&self) -> bool {
        self.is_in_checkout() || *self == Self::Support
    }

    /// Whether its question came with a keyboard in the place of the phone's own.
    pub(crate) fn has_keyboard(&self) -> bool {
        matches!(self, Self::Phone | Self::CheckoutPhone | Self::Address)
    }
}

impl From<StaffStep> for Step {
    fn from(step: StaffStep) -> Self {
        Self::Staff(step)
    }
}

impl From<CatalogueStep> for Step {
    fn from(step: CatalogueStep) -> Self {
        Self::Staff(StaffStep::Catalogue(step))
    }
}

impl From<PromoStep> for Step {
    fn from(step: PromoStep) -> Self {
        Self::Staff(StaffStep::Promo(step))
    }
}

impl From<MemberStep> for Step {
    fn from(step: MemberStep) -> Self {
        Self::Staff(StaffStep::Members(step))
    }
}
