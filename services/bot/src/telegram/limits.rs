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
    /// An earlier process of this bot may have sent a burst just now.
    follows: bool,
    /// The place that was taken last, and `next` before it, while nothing else has changed.
    last: Option<(Instant, Instant)>,
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
        // Rounded up: the one after a window must not slip into it.
        let nanos = window.as_nanos().div_ceil(u128::from(limit.max(1) - burst + 1));
        let interval = Duration::from_nanos(nanos.try_into().unwrap_or(u64::MAX));
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

    /// Goes on at another rate. What the old one allowed of a burst is not allowed twice, and what a lower one has put off may come
    /// sooner, though not before the places that are taken.
    fn change_rate(&mut self, rate: Rate, now: Instant) {
        let after =
            |place: Option<&Instant>| place.map_or(now, |at| now.max(*at)) + rate.interval + rate.burst;
        if rate.limit > self.rate.limit {
            let mut places = self.taken.iter().rev();
            self.next = after(places.next());
            let before_last = after(places.next());
            self.last = self.last.map(|(at, _)| (at, before_last));
        } else {
            let place = self.next.checked_sub(self.rate.burst).unwrap_or(now);
            self.next = after(None).max(place + rate.burst);
            self.last = None;
        }
        self.rate = rate;
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
            follows: false,
            last: None,
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

    /// Goes on where an earlier process of this bot has ended: what it has sent counts.
    pub(super) fn follow(&self) {
        self.schedule().follows = true;
    }

    /// Keeps to this share of the limit, and sends nothing after `until` unless it is renewed.
    pub(super) fn open(&self, share: u32, until: Instant) {
        let mut schedule = self.schedule();
        let before = schedule.rate.limit;
        let follows = std::mem::take(&mut schedule.follows);
        let now = Instant::now();
        let had_burst = follows || schedule.taken.back().is_some_and(|at| *at + self.window > now);
        schedule.open_until = Some(until);
        if share != before || follows {
            let burst = u64::from(self.burst) * u64::from(share) / u64::from(self.limit.max(1));
            let rate = Rate::new(share, self.window, burst.try_into().unwrap_or(u32::MAX));
            if had_burst {
                schedule.change_rate(rate, now);
            } else {
                schedule.rate = rate;
                schedule.last = None;
            }
        }
        drop(schedule);
        self.opened.notify_waiters();
    }

    /// Keeps to a smaller share from now on; a greater one is taken only by [`RateLimiter::open`].
    pub(super) fn lower(&self, share: u32) {
        let schedule = self.schedule();
        let is_lower = schedule.is_open(Instant::now()) && share < schedule.rate.limit;
        let until = schedule.open_until.filter(|_| is_lower);
        drop(schedule);
        if let Some(until) = until {
            self.open(share, until);
        }
    }

    /// Ends when this bot's share is renewed: a place that was reserved may come sooner now, if it is given back.
    pub(crate) async fn renewed(&self) {
        self.opened.notified().await;
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
        schedule.last = Some((at, schedule.next));
        schedule.next = schedule.next.max(at) + interval * messages.max(1);
        for _ in 0..messages.max(1) {
            schedule.take(at, self.window);
        }
        Ok(at)
    }

    /// Gives back the place of a message that was not sent. Too late where another one was taken since.
    pub(crate) fn give_back(&self, at: Instant) {
        let mut schedule = self.schedule();
        if let Some((_, before)) = schedule.last.take_if(|(last, _)| *last == at) {
            schedule.next = before;
            schedule.taken.pop_back();
        }
    }

    /// Takes a place without waiting for it, for an answer to a person. Those who wait leave it room.
    pub(crate) fn reserve_priority(&self) {
        let mut schedule = self.schedule();
        let now = Instant::now();
        // However many people ask at once, notifications are never delayed by more than a second for them.
        if schedule.next < now + Duration::from_secs(1) {
            schedule.last = None;
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
        if at <= schedule.paused_until.max(Instant::now()) {
            return;
        }
        schedule.paused_until = schedule.paused_until.max(at);
        schedule.last = None;
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
#[path = "limits_tests.rs"]
mod tests;
