//! What staff do, a file a part of their work.

use serde::{Deserialize, Serialize};

pub(crate) mod broadcast;
pub(crate) mod catalogue;
pub(crate) mod channel;
pub(crate) mod deeds;
pub(crate) mod exchange;
mod import_errors;
pub(crate) mod journal;
pub(crate) mod members;
pub(crate) mod order_post;
mod order_text;
pub(crate) mod orders;
pub(crate) mod panel;
mod photo;
pub(crate) mod promo;
pub(crate) mod promo_new;
pub(crate) mod rights;
pub(crate) mod statistics;
pub(crate) mod support;
mod typed;
mod words;

use self::{catalogue::CatalogueStep, members::MemberStep, promo_new::PromoStep};

/// What the next message of a member of staff is an answer to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StaffStep {
    Catalogue(CatalogueStep),
    Promo(PromoStep),
    Members(MemberStep),
    /// The number of an order, a phone, or a payment's number.
    FindOrder,
    /// The message that goes to everybody.
    BroadcastSource,
}
