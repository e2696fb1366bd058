//! Broadcasts: one message to everybody who ever came in. How far it has come is in its record, so that a restart goes on
//! where the last process stopped.

use serde::{Deserialize, Serialize};
use tolov_domain::{
    UserId,
    ports::{
        PortError,
        documents::{Collection, Documents, Key, Query},
    },
    time::{Timestamp, millis},
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
    pub made_at: Timestamp,
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
    pub leased_until_at: Option<Timestamp>,
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
    /// The person has blocked the bot since it was made.
    Blocked,
    Failed,
    /// Had blocked the bot before it was made.
    LeftOut,
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
    pub fn lease(&mut self, now: Timestamp, until: Timestamp) -> bool {
        let free = self.leased_until_at.is_none_or(|leased| leased <= now);
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

    /// Writes down how far the process with this lease has come, and takes the lease for longer. `false`: another one has
    /// taken over.
    ///
    /// The tally is that of the whole broadcast, not what is new of it, so it may be written down again.
    pub fn keep(&mut self, tally: &Tally, lease: Timestamp, until: Option<Timestamp>) -> bool {
        let kept = self.tally() == *tally && self.leased_until_at == until;
        if !kept && self.leased_until_at != Some(lease) {
            return false;
        }
        (self.reached, self.sent) = (tally.reached, tally.sent);
        (self.blocked, self.failed) = (tally.blocked, tally.failed);
        self.leased_until_at = until;
        true
    }

    /// What to count somebody as who has blocked the bot. Whoever did so after it was made is in its total; a process that
    /// died may have found that out and not have counted it.
    pub fn unreached(&self, blocked_at: Timestamp) -> Reached {
        if blocked_at > self.made_at { Reached::Blocked } else { Reached::LeftOut }
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
    /// The last person who was tried, and all before.
    pub reached: Option<UserId>,
    pub sent: u32,
    pub blocked: u32,
    pub failed: u32,
}

impl Tally {
    /// The next person was tried. Nobody after this person is counted before, so a process that dies sends at most what
    /// it had under way again.
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

/// Those who are next, by id. Who has blocked the bot is among them, so that the last page is the empty one.
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

/// How many a broadcast would go to.
pub async fn audience_size(documents: &dyn Documents) -> Result<u32, PortError> {
    const PAGE: u32 = 500;
    let (mut size, mut after) = (0_u32, None);
    loop {
        let page = next_audience(documents, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(size) };
        after = Some(last.id);
        let there = page.iter().filter(|person| person.blocked_at.is_none()).count();
        size = size.saturating_add(u32::try_from(there).unwrap_or(u32::MAX));
    }
}

/// The broadcasts of one state, oldest first.
pub async fn in_state(documents: &dyn Documents, state: BroadcastState) -> Result<Vec<Broadcast>, PortError> {
    let query = Query::is(Collection::Broadcasts, "state", state.as_str(), 100);
    records::find(documents, &query).await
}

/// The broadcasts that are to be worked on.
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
            made_at: OffsetDateTime::UNIX_EPOCH,
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
    fn orders_are_obeyed_once_and_only_where_they_mean_something() {
        let mut broadcast = broadcast();
        assert!(!broadcast.obey(Order::Pause));
        assert!(broadcast.obey(Order::Start) && !broadcast.obey(Order::Start));
        assert!(broadcast.obey(Order::Pause) && broadcast.obey(Order::Resume));
        assert!(broadcast.obey(Order::Stop) && !broadcast.obey(Order::Resume));
    }

    #[test]
    fn one_process_works_on_it_and_another_one_takes_over_when_the_lease_has_passed() {
        let mut broadcast = broadcast();
        broadcast.obey(Order::Start);
        assert!(broadcast.lease(at(0), at(60)));
        assert!(!broadcast.lease(at(59), at(119)));
        let mut tally = broadcast.tally();
        tally.count(user(7), Reached::Sent);
        assert!(broadcast.keep(&tally, at(60), Some(at(70))));
        assert!(broadcast.keep(&tally, at(60), Some(at(70))), "the same again after a lost answer");
        assert!(broadcast.lease(at(70), at(130)));
        let theirs = Tally { sent: 9, ..tally.clone() };
        assert!(!broadcast.keep(&theirs, at(70), Some(at(80))), "somebody else has it now");
        assert_eq!(broadcast.tally(), tally);
    }

    #[test]
    fn who_blocked_the_bot_is_counted_where_the_total_has_them() {
        let broadcast = Broadcast { made_at: at(10), ..broadcast() };
        assert_eq!(broadcast.unreached(at(9)), Reached::LeftOut);
        assert_eq!(broadcast.unreached(at(11)), Reached::Blocked);
    }

    #[test]
    fn a_pause_outlives_the_end_of_a_batch() {
        let mut broadcast = broadcast();
        broadcast.obey(Order::Start);
        broadcast.lease(at(0), at(60));
        broadcast.obey(Order::Pause);
        broadcast.finish();
        assert_eq!(broadcast.state, BroadcastState::Paused);
    }
}
