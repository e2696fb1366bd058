//! What staff do, a file a part of their work.

use serde::{Deserialize, Serialize};

pub(crate) mod catalogue;
pub(crate) mod panel;
pub(crate) mod rights;

use self::catalogue::CatalogueStep;

/// What the next message of a member of staff is an answer to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StaffStep {
    Catalogue(CatalogueStep),
}
