//! What happened to an order, oldest first.

use serde::{Deserialize, Serialize};
use tolov_domain::{
    EventId,
    payment::Anomaly,
    time::{Timestamp, millis},
};

use super::stage::{Actor, MissingChoice, OrderAction};

/// How many entries are kept. Beyond them the oldest news of payments that changed nothing is dropped.
pub const HISTORY_MAX: usize = 200;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    #[serde(rename = "done_at", with = "millis")]
    pub at: Timestamp,
    pub what: HistoryItem,
    pub by: Actor,
    /// The event that told of it: a repetition is known by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HistoryItem {
    /// An attempt to pay ended without money. Another one may follow.
    PaymentCancelled,
    /// CLICK and the shop do not agree: staff were asked to look.
    PaymentQuestioned(Anomaly),
    /// A part of the money went back.
    PartlyRefunded,
    /// A refund waits for a person.
    RefundUndecided,
    MissingDecided(MissingChoice),
    #[serde(untagged)]
    Action(OrderAction),
}

impl HistoryEntry {
    pub const fn of_action(action: OrderAction, by: Actor, at: Timestamp) -> Self {
        Self { at, what: HistoryItem::Action(action), by, event_id: None }
    }
}

/// Adds an entry at its place in time. `false`: its event is there already.
pub(super) fn add(history: &mut Vec<HistoryEntry>, entry: HistoryEntry) -> bool {
    let is_same = |other: &HistoryEntry| other.event_id == entry.event_id && other.what == entry.what;
    if entry.event_id.is_some() && history.iter().any(is_same) {
        return false;
    }
    let place = history.iter().rposition(|other| other.at <= entry.at).map_or(0, |before| before + 1);
    history.insert(place, entry);
    if history.len() > HISTORY_MAX {
        let is_action = |entry: &HistoryEntry| matches!(entry.what, HistoryItem::Action(_));
        let oldest = history.iter().position(|entry| !is_action(entry)).unwrap_or(0);
        history.remove(oldest);
    }
    true
}
