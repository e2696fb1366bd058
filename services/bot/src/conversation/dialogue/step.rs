//! What the bot waits for.

use serde::{Deserialize, Serialize};

use super::staff::StaffStep;

/// What the bot waits for. Anything that fits nothing is a search.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// Nothing in particular.
    #[default]
    Idle,
    /// Who never chose a language is asked first; a link that brought them is kept for afterwards.
    Language {
        link: Option<String>,
    },
    /// The contact button, or a typed number. `is_first`: before the shop is shown for the first time.
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
    /// The summary is shown.
    Summary,
    /// A message to staff.
    Support,
    Staff(StaffStep),
}
