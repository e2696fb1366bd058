//! Broadcasts: one message to everybody who is registered. Its record holds how far it has come, so that after a restart the
//! next process continues there.

use serde::{Deserialize, Serialize};
use tolov_domain::{
    UserId,
    ports::{
        PortError,
        documents::{Collection, Documents, Key, Query, Sequence},
    },
    time::{Timestamp, is_lease_over, millis},
};

use crate::{
    records::{self, Record},
    shopper::Shopper,
};

pub const BROADCASTS: Collection = Collection::new("broadcasts", &["state"]);
const BROADCAST_NUMBERS: Sequence = Sequence::new("broadcasts");

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BroadcastState {
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
    /// The author's message, which every shopper gets as a copy, or forwarded.
    pub source_chat_id: i64,
    pub source_message_id: i64,
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

    /// `false`: its state does not allow it.
    pub fn apply(&mut self, command: Command) -> bool {
        use BroadcastState::{Draft, Paused, Running, Stopped};
        let state = match (command, self.state) {
            (Command::Start, Draft) | (Command::Resume, Paused) => Running,
            (Command::Pause, Running) => Paused,
            (Command::Stop, Draft | Running | Paused) => Stopped,
            _ => return false,
        };
        self.state = state;
        true
    }

    /// Takes the lease until `until`, unless another process has it.
    pub fn lease(&mut self, now: Timestamp, until: Timestamp) -> bool {
        let free = self.leased_until_at.is_none_or(|leased| is_lease_over(leased, now, until));
        let ours = free && self.state == BroadcastState::Running;
        if ours {
            self.leased_until_at = Some(until);
        }
        ours
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

/// How many a broadcast would go to.
pub async fn audience_size(documents: &dyn Documents) -> Result<u32, PortError> {
    const PAGE: u32 = 500;
    let (mut size, mut after) = (0_u32, None);
    loop {
        let page = next_audience(documents, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(size) };
        after = Some(last.id);
        let reachable = page.iter().filter(|shopper| shopper.is_reachable()).count();
        size = size.saturating_add(u32::try_from(reachable).unwrap_or(u32::MAX));
    }
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
mod tests {
    use time::{Duration, OffsetDateTime};

    use super::*;

    fn broadcast() -> Broadcast {
        Broadcast {
            id: 1,
            author_id: user(1),
            source_chat_id: 1,
            source_message_id: 5,
            is_forward: false,
            state: BroadcastState::Draft,
            created_at: OffsetDateTime::UNIX_EPOCH,
            reached: None,
            sent: 0,
            blocked: 0,
            failed: 0,
            total: 3,
            progress_message_id: None,
            leased_until_at: None,
        }
    }

    fn user(id: i64) -> UserId {
        UserId::try_new(id).unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        OffsetDateTime::UNIX_EPOCH + Duration::seconds(seconds)
    }

    #[test]
    fn commands_apply_once_and_only_in_the_states_that_allow_them() {
        let mut broadcast = broadcast();
        assert!(!broadcast.apply(Command::Pause));
        assert!(broadcast.apply(Command::Start) && !broadcast.apply(Command::Start));
        assert!(broadcast.apply(Command::Pause) && broadcast.apply(Command::Resume));
        assert!(broadcast.apply(Command::Stop) && !broadcast.apply(Command::Resume));
    }

    #[test]
    fn one_process_sends_it_and_another_one_takes_over_when_the_lease_has_ended() {
        let mut broadcast = broadcast();
        broadcast.apply(Command::Start);
        assert!(broadcast.lease(at(0), at(60)));
        assert!(!broadcast.lease(at(59), at(119)));
        let mut tally = broadcast.tally();
        tally.count(user(7), Reached::Sent);
        assert!(broadcast.record(&tally, at(60), Some(at(70))));
        assert!(broadcast.record(&tally, at(60), Some(at(70))), "the same again after a lost answer");
        assert!(broadcast.lease(at(70), at(130)));
        let theirs = Tally { sent: 9, ..tally.clone() };
        assert!(!broadcast.record(&theirs, at(70), Some(at(80))), "another process has it now");
        assert_eq!(broadcast.tally(), tally);
    }

    #[test]
    fn whoever_blocked_the_bot_is_counted_only_if_the_total_has_them() {
        let broadcast = Broadcast { created_at: at(10), ..broadcast() };
        let unreached = |registered_at, blocked_at| {
            broadcast.unreached(&Shopper { registered_at, blocked_at, ..Shopper::new(user(1)) })
        };
        assert_eq!(unreached(Some(at(1)), Some(at(9))), Some(Reached::LeftOut));
        assert_eq!(unreached(Some(at(1)), Some(at(11))), Some(Reached::Blocked));
        assert_eq!(unreached(Some(at(1)), None), None);
        assert_eq!(unreached(None, None), Some(Reached::LeftOut), "never wrote");
    }

    #[test]
    fn a_pause_survives_the_end_of_a_batch() {
        let mut broadcast = broadcast();
        broadcast.apply(Command::Start);
        broadcast.lease(at(0), at(60));
        broadcast.apply(Command::Pause);
        broadcast.finish();
        assert_eq!(broadcast.state, BroadcastState::Paused);
    }
}
