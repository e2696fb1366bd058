//! Broadcasts: one message, or an album, to everybody who is registered. Its record holds how far it has come, so that after
//! a restart the next process continues there.

use serde::{Deserialize, Deserializer, Serialize};
use time::Duration;
use tolov_domain::{
    UserId,
    ports::{
        PortError,
        documents::{Collection, Documents, Key, Query, Sequence, TIMESTAMPS_MS},
    },
    time::{Timestamp, is_due, millis},
};

use crate::{
    records::{self, Record},
    shopper::{Shopper, USERS},
};

pub const BROADCASTS: Collection = Collection::new("broadcasts", &["state"]);
const BROADCAST_NUMBERS: Sequence = Sequence::new("broadcasts");
/// Telegram delivers the parts of an album as messages of their own and does not say which is the last: the album is
/// complete when none has come for so long.
const ALBUM_QUIET: Duration = Duration::seconds(1);
/// For no longer is the preview of an album put off at a time.
const PREVIEW_PAUSE_MAX: Duration = Duration::minutes(1);
/// As many messages as Telegram copies in one call.
const PARTS_MAX: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BroadcastState {
    /// The parts of an album are coming in; the preview follows.
    Gathering,
    /// The author is looking at the preview.
    Draft,
    Running,
    Paused,
    /// Everybody was tried.
    Done,
    /// The author ended it earlier.
    Stopped,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broadcast {
    pub id: i64,
    pub author_id: UserId,
    /// The author's message, or the parts of an album, which every shopper gets as copies, or forwarded. In increasing
    /// order, as Telegram demands.
    pub source_chat_id: i64,
    #[serde(alias = "source_message_id", deserialize_with = "one_or_several")]
    pub source_message_ids: Vec<i64>,
    pub is_forward: bool,
    pub state: BroadcastState,
    #[serde(with = "millis")]
    pub created_at: Timestamp,
    /// The last person who was tried; those with greater ids are still to come.
    pub reached: Option<UserId>,
    pub sent: u32,
    /// The person has blocked the bot, or the account is deleted.
    pub blocked: u32,
    pub failed: u32,
    /// How many there were to reach when it started.
    pub total: u32,
    /// The message with its progress, in the author's chat.
    pub progress_message_id: Option<i64>,
    /// A process is working on it; another one takes over after this.
    #[serde(with = "millis::option")]
    pub leased_until_at: Option<Timestamp>,
    /// The album is complete if no part of it comes until then.
    #[serde(default, with = "millis::option")]
    pub quiet_until_at: Option<Timestamp>,
}

/// What the author does with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    Start,
    Pause,
    Resume,
    Stop,
}

/// What became of one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    Sent,
    /// The person has blocked the bot since the broadcast was created.
    Blocked,
    Failed,
    /// Was not to be reached when it was created: had blocked the bot, or never wrote.
    LeftOut,
}

impl Record for Broadcast {
    const COLLECTION: Collection = BROADCASTS;
    /// 2: several messages.
    const SCHEMA: i64 = 2;

    fn key(&self) -> Key {
        Key::Number(self.id)
    }
}

impl BroadcastState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gathering => "gathering",
            Self::Draft => "draft",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Done => "done",
            Self::Stopped => "stopped",
        }
    }
}

impl Broadcast {
    /// Of an album whose parts are to be added.
    pub const fn gathering(id: i64, author_id: UserId, source_chat_id: i64, created_at: Timestamp) -> Self {
        Self {
            id,
            author_id,
            source_chat_id,
            source_message_ids: Vec::new(),
            is_forward: false,
            state: BroadcastState::Gathering,
            created_at,
            reached: None,
            sent: 0,
            blocked: 0,
            failed: 0,
            total: 0,
            progress_message_id: None,
            leased_until_at: None,
            quiet_until_at: None,
        }
    }

    /// Adds a part of the album; one that came before changes nothing. A part that comes after the preview is added too, and
    /// the preview is due again. `false`: the broadcast was started or ended, or has as many as Telegram copies.
    pub fn add_part(&mut self, message_id: i64, now: Timestamp) -> bool {
        let Err(place) = self.source_message_ids.binary_search(&message_id) else { return true };
        let is_open = self.is_draft() && self.source_message_ids.len() < PARTS_MAX;
        if is_open {
            self.source_message_ids.insert(place, message_id);
            self.state = BroadcastState::Gathering;
            self.quiet_until_at = Some(now + ALBUM_QUIET);
        }
        is_open
    }

    /// Whether it has not been started.
    pub const fn is_draft(&self) -> bool {
        matches!(self.state, BroadcastState::Gathering | BroadcastState::Draft)
    }

    /// Takes the lease until `until` to show the preview of an album, unless it is not due, or another process does.
    pub fn lease_preview(&mut self, now: Timestamp, until: Timestamp) -> bool {
        self.state == BroadcastState::Gathering
            && self.quiet_until_at.is_none_or(|at| is_due(at, now, now + PREVIEW_PAUSE_MAX))
            && self.take_lease(now, until)
    }

    /// The preview of these messages was shown by the process with this lease. If more have come meanwhile, it is due again.
    pub fn record_preview(&mut self, shown: &[i64], total: u32, lease: Timestamp) {
        if self.leased_until_at != Some(lease) {
            return;
        }
        self.leased_until_at = None;
        if self.state == BroadcastState::Gathering && self.source_message_ids == shown {
            self.state = BroadcastState::Draft;
            self.total = total;
        }
    }

    /// The preview could not be shown: it is due again at `at`.
    pub fn postpone_preview(&mut self, at: Timestamp, lease: Timestamp) {
        if self.leased_until_at == Some(lease) {
            self.leased_until_at = None;
            self.quiet_until_at = self.quiet_until_at.max(Some(at));
        }
    }

    pub fn done(&self) -> u32 {
        self.sent.saturating_add(self.blocked).saturating_add(self.failed)
    }

    /// `false`: its state does not allow it.
    pub fn apply(&mut self, command: Command) -> bool {
        use BroadcastState::{Draft, Gathering, Paused, Running, Stopped};
        let state = match (command, self.state) {
            (Command::Start, Draft) | (Command::Resume, Paused) => Running,
            (Command::Pause, Running) => Paused,
            (Command::Stop, Gathering | Draft | Running | Paused) => Stopped,
            _ => return false,
        };
        self.state = state;
        true
    }

    /// Takes the lease until `until`, unless another process has it.
    pub fn lease(&mut self, now: Timestamp, until: Timestamp) -> bool {
        self.state == BroadcastState::Running && self.take_lease(now, until)
    }

    fn take_lease(&mut self, now: Timestamp, until: Timestamp) -> bool {
        let free = self.leased_until_at.is_none_or(|leased| is_due(leased, now, until));
        if free {
            self.leased_until_at = Some(until);
        }
        free
    }

    /// How far it has come.
    pub fn tally(&self) -> Tally {
        Tally { reached: self.reached, sent: self.sent, blocked: self.blocked, failed: self.failed }
    }

    /// Records how far the process with this lease has come, and extends the lease. `false`: another process has taken
    /// over.
    ///
    /// The tally is that of the whole broadcast, not an increment, so it may be recorded again.
    pub fn record(&mut self, tally: &Tally, lease: Timestamp, until: Option<Timestamp>) -> bool {
        let kept = self.tally() == *tally && self.leased_until_at == until;
        if !kept && self.leased_until_at != Some(lease) {
            return false;
        }
        (self.reached, self.sent) = (tally.reached, tally.sent);
        (self.blocked, self.failed) = (tally.blocked, tally.failed);
        self.leased_until_at = until;
        true
    }

    /// What to count somebody as who is not reachable; `None`: the message can be sent. Whoever blocked the bot after the
    /// broadcast was created is in its total: a process that died may have noticed that and not have counted it.
    pub fn unreached(&self, shopper: &Shopper) -> Option<Reached> {
        match (shopper.registered_at, shopper.blocked_at) {
            (None, _) => Some(Reached::LeftOut),
            (Some(_), None) => None,
            (Some(_), Some(at)) if at > self.created_at => Some(Reached::Blocked),
            (Some(_), Some(_)) => Some(Reached::LeftOut),
        }
    }

    /// Everybody was tried. What was paused or stopped meanwhile stays so.
    pub fn finish(&mut self) {
        if self.state == BroadcastState::Running {
            self.state = BroadcastState::Done;
        }
        self.leased_until_at = None;
    }
}

/// Earlier versions kept one number.
fn one_or_several<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<i64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Ids {
        One(i64),
        Several(Vec<i64>),
    }
    Ok(match Ids::deserialize(deserializer)? {
        Ids::One(id) => vec![id],
        Ids::Several(ids) => ids,
    })
}

/// How far a broadcast has come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// The last person who was tried.
    pub reached: Option<UserId>,
    pub sent: u32,
    pub blocked: u32,
    pub failed: u32,
}

impl Tally {
    /// The next person was tried. People are counted in the order of their ids, so a process that dies repeats at most the
    /// sends that it had under way.
    pub fn count(&mut self, user_id: UserId, reached: Reached) {
        let counter = match reached {
            Reached::Sent => &mut self.sent,
            Reached::Blocked => &mut self.blocked,
            Reached::Failed => &mut self.failed,
            Reached::LeftOut => {
                self.reached = self.reached.max(Some(user_id));
                return;
            }
        };
        *counter = counter.saturating_add(1);
        self.reached = self.reached.max(Some(user_id));
    }
}

/// Those who are next, by id, reachable or not, so that only an empty page is the last one.
pub async fn next_audience(
    documents: &dyn Documents,
    after: Option<UserId>,
    limit: u32,
) -> Result<Vec<Shopper>, PortError> {
    records::page_after(documents, after.map(|id| Key::Number(id.get())), limit).await
}

/// How many a broadcast would go to. The store counts them; who registers or blocks the bot meanwhile may be missed.
pub async fn audience_size(documents: &dyn Documents) -> Result<u32, PortError> {
    let (from, to) = TIMESTAMPS_MS.into_inner();
    let registered = documents.count(&Query::between(USERS, "registered_at", (from, to), 1)).await?;
    // Whoever has blocked the bot is registered.
    let blocked = documents.count(&Query::between(USERS, "blocked_at", (from, to), 1)).await?;
    Ok(u32::try_from(registered.saturating_sub(blocked)).unwrap_or(u32::MAX))
}

/// A number for a new broadcast.
pub async fn next_broadcast_id(documents: &dyn Documents) -> Result<i64, PortError> {
    documents.next_number(BROADCAST_NUMBERS, 0).await
}

/// The broadcasts of one state, oldest first.
pub async fn in_state(documents: &dyn Documents, state: BroadcastState) -> Result<Vec<Broadcast>, PortError> {
    let query = Query::is(BROADCASTS, "state", state.as_str(), 100);
    records::find(documents, &query).await
}

/// The broadcasts that are being sent.
pub async fn running(documents: &dyn Documents) -> Result<Vec<Broadcast>, PortError> {
    in_state(documents, BroadcastState::Running).await
}

#[cfg(test)]
mod broadcast_tests;
