//! The rate at which messages are sent.
//!
//! Why not teloxide's `Throttle`: it looks at its queue four times a second only, so a lone order would wait up to 250 ms;
//! on "retry after" it freezes every request and repeats inside one future for ever, while the lease on a notification runs
//! out; and every send goes through one queue, so that an answer would wait behind a thousand notifications.
//!
//! Why not the `governor` crate: it has no deadline that takes no place, no pause that Telegram asks for, and no reservation
//! ahead of those who wait. Around those three it would save the arithmetic of [`RateLimiter::reserve`], and cost a clock of
//! our own for tests.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use teloxide::types::Recipient;
use tokio::{sync::Notify, time::Instant};
use tolov_domain::UserId;
use tolov_kit::lifecycle::Stop;

/// Schedules sends: never more than the limit in any window, evenly after a small burst.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    /// Of this bot and those beside it.
    limit: u32,
    window: Duration,
    burst: u32,
    schedule: Mutex<Schedule>,
    /// This bot got a share of the limit.
    opened: Notify,
    /// Telegram asked this bot to wait.
    pub(super) asked: Notify,
}

#[derive(Debug)]
struct Schedule {
    rate: Rate,
    /// When the next message would be sent at an even rate.
    next: Instant,
    paused_until: Instant,
    /// What of the pause Telegram asked this bot for.
    asked_until: Instant,
    /// The places of the last window.
    taken: VecDeque<Instant>,
    /// How long this bot has its share. `None`: it has all of the limit, and alone.
    open_until: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Rate {
    limit: u32,
    interval: Duration,
    /// How much ahead of an even rate a message may be sent.
    burst: Duration,
}

impl Rate {
    fn new(limit: u32, window: Duration, burst: u32) -> Self {
        // A burst, and then one an interval: together they are `limit` within a window.
        let burst = burst.clamp(1, limit.max(1));
        let interval = window / (limit.max(1) - burst + 1);
        Self { limit, interval, burst: interval * (burst - 1) }
    }
}

impl Schedule {
    fn take(&mut self, at: Instant, window: Duration) {
        let now = Instant::now();
        while self.taken.front().is_some_and(|taken| *taken + window <= now) {
            self.taken.pop_front();
        }
        self.taken.push_back(at);
    }

    fn is_open(&self, now: Instant) -> bool {
        self.open_until.is_none_or(|until| now < until && self.rate.limit > 0)
    }
}

/// When a closed limiter is asked again.
const CLOSED_FOR: Duration = Duration::from_secs(2);

/// The result of waiting for a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    Granted,
    /// It would take longer than the deadline allows: this long.
    TooLong(Duration),
    Stopped,
}

impl RateLimiter {
    /// At most `limit` in any `window`, of which at most `burst` at once. After a burst the rate is `limit - burst + 1` a
    /// window, so a burst should be a small part of the limit.
    pub(crate) fn new(limit: u32, window: Duration, burst: u32) -> Self {
        let now = Instant::now();
        let rate = Rate::new(limit, window, burst);
        let schedule = Schedule {
            rate,
            next: now,
            paused_until: now,
            asked_until: now,
            taken: VecDeque::new(),
            open_until: None,
        };
        let (opened, asked) = (Notify::new(), Notify::new());
        Self { limit, window, burst, schedule: Mutex::new(schedule), opened, asked }
    }

    /// The limit of all bots together, and its window.
    pub(super) const fn limit(&self) -> (u32, Duration) {
        (self.limit, self.window)
    }

    /// How many places of the last window are taken.
    pub(super) fn taken(&self) -> u32 {
        let now = Instant::now();
        let taken = self.schedule().taken.iter().filter(|taken| **taken + self.window > now).count();
        u32::try_from(taken).unwrap_or(u32::MAX)
    }

    /// Sends nothing more until this bot gets a share.
    pub(crate) fn close(&self) {
        self.schedule().open_until = Some(Instant::now());
    }

    /// Keeps to this share of the limit, and sends nothing after `until` unless it is renewed.
    pub(super) fn open(&self, share: u32, until: Instant) {
        let mut schedule = self.schedule();
        let before = schedule.rate.limit;
        let was_open = schedule.is_open(Instant::now());
        schedule.open_until = Some(until);
        if share != before {
            let burst = u64::from(self.burst) * u64::from(share) / u64::from(self.limit.max(1));
            let rate = Rate::new(share, self.window, burst.try_into().unwrap_or(u32::MAX));
            schedule.rate = rate;
            if was_open {
                // What the old rate allowed of a burst is not allowed twice.
                schedule.next = schedule.next.max(Instant::now() + rate.interval + rate.burst);
            }
        }
        drop(schedule);
        self.opened.notify_waiters();
    }

    /// Keeps to a smaller share from now on; a greater one is taken only by [`RateLimiter::open`].
    pub(super) fn lower(&self, share: u32) {
        let until = self.schedule().open_until;
        if let Some(until) = until.filter(|_| share < self.schedule().rate.limit) {
            self.open(share, until);
        }
    }

    /// Waits until this bot has a share of the limit, at most until `deadline`.
    pub(crate) async fn until_open(&self, deadline: Instant, stop: &Stop) {
        loop {
            let opened = self.opened.notified();
            if self.schedule().is_open(Instant::now()) {
                return;
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = tokio::time::sleep_until(deadline) => return,
                () = opened => {}
            }
        }
    }

    /// Waits for a turn, at most until `deadline`.
    pub(crate) async fn acquire(&self, deadline: Instant, stop: &Stop) -> Turn {
        self.acquire_together(1, deadline, stop).await
    }

    /// The same for so many messages that leave in one call: to Telegram each of them counts. The rate is kept; a window that
    /// ends with them may hold all but one of them above the limit.
    pub(crate) async fn acquire_together(&self, messages: u32, deadline: Instant, stop: &Stop) -> Turn {
        loop {
            self.until_open(deadline, stop).await;
            let at = match self.reserve_together(messages, deadline) {
                Ok(at) => at,
                Err(too_long) => return Turn::TooLong(too_long),
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => return Turn::Stopped,
                () = tokio::time::sleep_until(at) => {}
            }
            // After a pause that began in the meantime a new place is needed, and after a share that ended.
            let (now, schedule) = (Instant::now(), self.schedule());
            if schedule.paused_until <= now && schedule.is_open(now) {
                return Turn::Granted;
            }
        }
    }

    /// Takes the next place and says when its turn is. Where that is after `deadline` it takes none, and says how long it
    /// would be.
    pub(crate) fn reserve(&self, deadline: Instant) -> Result<Instant, Duration> {
        self.reserve_together(1, deadline)
    }

    fn reserve_together(&self, messages: u32, deadline: Instant) -> Result<Instant, Duration> {
        let now = Instant::now();
        let mut schedule = self.schedule();
        if !schedule.is_open(now) {
            return Err(CLOSED_FOR);
        }
        let Rate { interval, burst, .. } = schedule.rate;
        let at = schedule.next.checked_sub(burst).map_or(now, |at| at.max(now)).max(schedule.paused_until);
        if at > deadline {
            return Err(at - now);
        }
        schedule.next = schedule.next.max(at) + interval * messages.max(1);
        for _ in 0..messages.max(1) {
            schedule.take(at, self.window);
        }
        Ok(at)
    }

    /// Takes a place without waiting for it, for an answer to a person. Those who wait leave it room.
    pub(crate) fn reserve_priority(&self) {
        let mut schedule = self.schedule();
        let now = Instant::now();
        // However many people ask at once, notifications are never delayed by more than a second for them.
        if schedule.next < now + Duration::from_secs(1) {
            schedule.next = schedule.next.max(now) + schedule.rate.interval;
            schedule.take(now, self.window);
        }
    }

    /// Lets nobody send before this moment, as Telegram asks; the other bots hear of it.
    pub(crate) fn pause_until(&self, at: Instant) {
        self.hold_until(at);
        let mut schedule = self.schedule();
        schedule.asked_until = schedule.asked_until.max(at);
        drop(schedule);
        self.asked.notify_one();
    }

    /// The same where Telegram has asked another bot.
    pub(super) fn hold_until(&self, at: Instant) {
        let mut schedule = self.schedule();
        schedule.paused_until = schedule.paused_until.max(at);
        schedule.next = schedule.next.max(at);
    }

    /// How long the pause still is that Telegram asked this bot for.
    pub(super) fn asked_left(&self) -> Duration {
        self.schedule().asked_until.saturating_duration_since(Instant::now())
    }

    /// How long the pause still is; zero where there is none.
    pub(crate) fn pause_left(&self) -> Duration {
        self.schedule().paused_until.saturating_duration_since(Instant::now())
    }

    fn schedule(&self) -> MutexGuard<'_, Schedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells a limit of one chat from the limit of the whole bot: the latter meets several chats at the same time.
#[derive(Debug, Default)]
pub(crate) struct GlobalLimit(Mutex<Option<(Recipient, Instant)>>);

impl GlobalLimit {
    /// Records that Telegram asks to wait with a chat. `true`: another chat has to wait at this moment too.
    pub(crate) fn is_hit(&self, chat: &Recipient, until: Instant) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let others_wait = last.as_ref().is_some_and(|(other, at)| other != chat && *at > Instant::now());
        *last = Some((chat.clone(), until));
        others_wait
    }
}

/// People whose message was not answered because of Telegram's limits, each once. Bounded: beyond, nobody is added.
#[derive(Debug, Default)]
pub(crate) struct HeldUp(Mutex<BTreeSet<UserId>>);

impl HeldUp {
    const MAX: usize = 1_000;

    /// `false`: the person is there already, or there is no room.
    pub(crate) fn insert(&self, id: UserId) -> bool {
        let mut people = self.people();
        people.len() < Self::MAX && people.insert(id)
    }

    pub(crate) fn remove(&self, id: UserId) {
        self.people().remove(&id);
    }

    fn people(&self) -> MutexGuard<'_, BTreeSet<UserId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use teloxide::types::ChatId;

    use super::*;

    /// The moments, in milliseconds from the start, at which `count` messages leave.
    async fn moments(limiter: &RateLimiter, count: usize) -> Vec<u128> {
        let start = Instant::now();
        let far = start + Duration::from_hours(1000);
        let mut moments = Vec::new();
        for _ in 0..count {
            assert_eq!(limiter.acquire(far, &Stop::new()).await, Turn::Granted);
            moments.push(start.elapsed().as_millis());
        }
        moments
    }

    #[tokio::test(start_paused = true)]
    async fn a_single_message_leaves_at_once_and_no_window_exceeds_the_limit() {
        for (limit, burst) in [(1, 1), (2, 1), (20, 3), (60, 3)] {
            let limiter = RateLimiter::new(limit, Duration::from_mins(1), burst);
            tokio::time::sleep(Duration::from_mins(3)).await;
            let moments = moments(&limiter, 200).await;
            assert_eq!(moments[0], 0);
            for first in &moments {
                let in_window = moments.iter().filter(|at| (*first..first + 60_000).contains(*at)).count();
                assert!(in_window <= usize::try_from(limit).unwrap(), "{in_window} of {limit} in a minute");
            }
            let minutes = moments.last().unwrap() / 60_000;
            assert!(
                minutes <= 200 / u128::from(limit - burst + 1) + 1,
                "slower than the limit asks: {minutes} min"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_overall_rate_is_close_to_the_limit() {
        for limit in [30, 300, 1000] {
            let limiter = RateLimiter::new(limit, Duration::from_secs(1), limit / 10);
            let moments = moments(&limiter, usize::try_from(limit).unwrap() * 10).await;
            let last = *moments.last().unwrap();
            assert!((9_500..=11_500).contains(&last), "{limit}: {last} ms for ten seconds' messages");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_album_counts_as_its_messages() {
        let limiter = RateLimiter::new(10, Duration::from_secs(1), 1);
        let (start, stop) = (Instant::now(), Stop::new());
        let far = start + Duration::from_hours(1);
        for _ in 0..4 {
            assert_eq!(limiter.acquire_together(5, far, &stop).await, Turn::Granted);
        }
        assert_eq!(start.elapsed().as_millis(), 1_500, "the fourth begins after fifteen messages");
        assert_eq!(limiter.acquire(far, &stop).await, Turn::Granted);
        assert_eq!(start.elapsed().as_millis(), 2_000);
    }

    #[tokio::test(start_paused = true)]
    async fn waiters_take_a_new_turn_after_a_pause() {
        let limiter = RateLimiter::new(1, Duration::from_secs(10), 1);
        let far = Instant::now() + Duration::from_hours(1);
        limiter.reserve(far).unwrap();
        let start = Instant::now();
        let stop = Stop::new();
        let (turn, ()) = tokio::join!(limiter.acquire(far, &stop), async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            limiter.pause_until(Instant::now() + Duration::from_mins(1));
        });
        assert_eq!(turn, Turn::Granted);
        assert!(start.elapsed() >= Duration::from_secs(65));
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_is_too_far_is_refused_and_a_stop_ends_the_wait() {
        let limiter = RateLimiter::new(1, Duration::from_secs(10), 1);
        let far = Instant::now() + Duration::from_hours(1);
        limiter.reserve(far).unwrap();
        let soon = Instant::now() + Duration::from_secs(1);
        for _ in 0..10 {
            let refused = limiter.acquire(soon, &Stop::new()).await;
            assert_eq!(refused, Turn::TooLong(Duration::from_secs(10)), "a refusal takes no place");
        }
        let stop = Stop::new();
        stop.cancel();
        assert_eq!(limiter.acquire(far, &stop).await, Turn::Stopped);
    }

    #[tokio::test(start_paused = true)]
    async fn answers_delay_notifications_within_a_bound() {
        let limiter = RateLimiter::new(10, Duration::from_secs(1), 1);
        for _ in 0..1000 {
            limiter.reserve_priority();
        }
        let in_a_while = Instant::now() + Duration::from_millis(1_200);
        assert!(limiter.reserve(in_a_while).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn the_limit_of_one_chat_does_not_delay_the_others() {
        let limit = GlobalLimit::default();
        let chat = |id| Recipient::Id(ChatId(id));
        let soon = Instant::now() + Duration::from_secs(5);
        assert!(!limit.is_hit(&chat(1), soon));
        assert!(!limit.is_hit(&chat(1), soon));
        assert!(limit.is_hit(&chat(2), soon));
        tokio::time::sleep(Duration::from_secs(6)).await;
        assert!(!limit.is_hit(&chat(1), soon));
    }
}
