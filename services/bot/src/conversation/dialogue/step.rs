//! What the bot waits for.

use serde::{Deserialize, Serialize};

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
    /// On the first visit. `link`: where to go afterwards.
    Language {
        link: Option<String>,
    },
    /// `is_first`: on the first visit, before the shop is shown.
    Phone {
        is_first: bool,
        link: Option<String>,
    },
    Search,
    PromoCode,
    CheckoutPhone,
    Delivery,
    Address,
    Landmark,
    Comment,
    /// The summary is shown; a message is a comment.
    Summary,
    /// A message to staff.
    Support,
    Staff(StaffStep),
}

impl Step {
    /// Whether an edit of the message that answered it counts: in the checkout, and in a message to staff.
    pub(crate) fn takes_edits(&self) -> bool {
        matches!(
            self,
            Self::CheckoutPhone
                | Self::Delivery
                | Self::Address
                | Self::Landmark
                | Self::Comment
                | Self::Summary
                | Self::Support
        )
    }

    /// Whether its question came with a keyboard in the place of the phone's own.
    pub(crate) fn has_keyboard(&self) -> bool {
        matches!(self, Self::Phone { .. } | Self::Address)
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
