//! Broadcasts: one message to everybody who ever came in. How far it has come is in its record, so that a restart goes on
//! where the last process stopped.

use serde::{Deserialize, Serialize};
use tolov_domain::{
    UserId,
    ports::{
        PortError,
        documents::{Collection, Documents, Key, Query},
    },
    time::{Instant, millis},
};

use crate::{
    profile::Profile,
    records::{self, Record},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BroadcastState {
    /// The author looks at the preview.
    Draft,
    Running,
    Paused,
    /// Everybody was tried.
    Done,
    /// The author ended it before that.
    Stopped,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broadcast {
    pub id: i64,
    pub author_id: UserId,
    /// The author's message, which every shopper gets as a copy, or forwarded.
    pub source_chat_id: i64,
    pub source_message_id: i64,
    pub is_forward: bool,
    pub state: BroadcastState,
    #[serde(with = "millis")]
    pub made_at: Instant,
    /// The last person who was tried; those after are still to come, by id.
    pub reached: Option<UserId>,
    pub sent: u32,
    /// The person has blocked the bot, or is gone.
    pub blocked: u32,
    pub failed: u32,
    /// How many there were to reach when it began.
    pub total: u32,
    /// The line that shows how far it is, in the author's chat.
    pub progress_message_id: Option<i64>,
    /// Which process is at it; another one takes over when this has passed.
    #[serde(with = "millis::option")]
    pub leased_until_at: Option<Instant>,
}

/// What the author does with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Start,
    Pause,
    Resume,
    Stop,
}

/// How one person was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    Sent,
    Blocked,
    Failed,
}

impl Record for Broadcast {
    const COLLECTION: Collection = Collection::Broadcasts;

    fn key(&self) -> Key {
        Key::Number(self.id)
    }
}

impl BroadcastState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Done => "done",
            Self::Stopped => "stopped",
        }
    }
}

impl Broadcast {
    pub fn done(&self) -> u32 {
        self.sent.saturating_add(self.blocked).saturating_add(self.failed)
    }

    /// `false`: as it stands that means nothing.
    pub fn obey(&mut self, order: Order) -> bool {
        use BroadcastState::{Draft, Paused, Running, Stopped};
        let state = match (order, self.state) {
            (Order::Start, Draft) | (Order::Resume, Paused) => Running,
            (Order::Pause, Running) => Paused,
            (Order::Stop, Draft | Running | Paused) => Stopped,
            _ => return false,
        };
        self.state = state;
        true
    }

    /// Takes the work until `until`, unless another process has it.
    pub fn lease(&mut self, now: Instant, until: Instant) -> bool {
        let free = self.leased_until_at.is_none_or(|leased| leased <= now);
        let ours = free && self.state == BroadcastState::Running;
        if ours {
            self.leased_until_at = Some(until);
        }
        ours
    }

    /// Somebody was tried. Before it is written down nobody after this person is; so a process that dies in between sends
    /// at most what it had under way again.
    pub fn count(&mut self, user_id: UserId, reached: Reached) {
        let counter = match reached {
            Reached::Sent => &mut self.sent,
            Reached::Blocked => &mut self.blocked,
            Reached::Failed => &mut self.failed,
        };
        *counter = counter.saturating_add(1);
        self.reached = self.reached.max(Some(user_id));
    }
}

/// Those who are next, by id; who has blocked the bot is left out.
pub async fn next_audience(
    documents: &dyn Documents,
    after: Option<UserId>,
    limit: u32,
) -> Result<Vec<Profile>, PortError> {
    let query = Query::all(Collection::Profiles, limit);
    let query = match after {
        Some(id) => query.after(Key::Number(id.get())),
        None => query,
    };
    records::find(documents, &query).await
}

/// The broadcasts that are to be worked on.
pub async fn running(documents: &dyn Documents) -> Result<Vec<Broadcast>, PortError> {
    let running = Query::is(Collection::Broadcasts, "state", BroadcastState::Running.as_str(), 100);
    records::find(documents, &running).await
}
