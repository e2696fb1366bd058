//! How fast messages may leave.
//!
//! Why not teloxide's `Throttle`: it looks at its queue four times a second only, so a lone order would wait up to
//! 250 ms for nothing; on "retry after" it freezes every request and repeats for ever inside one future, while our
//! lease on a notification runs out; its limits for channels and for one chat are set by kind of chat and not by
//! what this shop needs; and every send goes through one queue, so that the answer to a shopper who types /orders
//! would stand behind a thousand notifications. What is needed instead is small: a place in a line of moments.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use teloxide::types::Recipient;
use tokio::time::Instant;
use tolov_kit::lifecycle::Stop;

/// Gives out moments to send at: never more than the limit in any window, evenly, after a small burst.
#[derive(Debug)]
pub(crate) struct Pace {
    interval: Duration,
    /// How much earlier than evenly a moment may be: a burst.
    ahead: Duration,
    line: Mutex<Line>,
}

#[derive(Debug)]
struct Line {
    /// When the next message would be due if all left evenly.
    next: Instant,
    held_until: Instant,
}

/// What came of waiting for a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    Yours,
    /// It would be too long: come back after this time.
    TooLong(Duration),
    Stopped,
}

impl Pace {
    /// At most `limit` in any `window`, of which at most `burst` at once. A burst is paid for: after it the pace is
    /// `limit - burst + 1` a window, so it should be a small part of the limit.
    pub(crate) fn new(limit: u32, window: Duration, burst: u32) -> Self {
        let burst = burst.clamp(1, limit.max(1));
        // A burst, and then one an interval: together they are `limit` within a window.
        let interval = window / (limit.max(1) - burst + 1);
        let now = Instant::now();
        Self {
            interval,
            ahead: interval * (burst - 1),
            line: Mutex::new(Line { next: now, held_until: now }),
        }
    }

    /// Waits for a turn, at most until `deadline`.
    pub(crate) async fn turn(&self, deadline: Instant, stop: &Stop) -> Turn {
        loop {
            let at = match self.book(deadline) {
                Ok(at) => at,
                Err(too_long) => return Turn::TooLong(too_long),
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => return Turn::Stopped,
                () = tokio::time::sleep_until(at) => {}
            }
            // Telegram may have asked all of us to wait in the meantime: then take a new place.
            if self.line().held_until <= Instant::now() {
                return Turn::Yours;
            }
        }
    }

    /// Takes the next place in the line and says when its turn is; takes none if that is after `deadline`, and says
    /// how long it would be.
    pub(crate) fn book(&self, deadline: Instant) -> Result<Instant, Duration> {
        let now = Instant::now();
        let mut line = self.line();
        let at = line.next.checked_sub(self.ahead).map_or(now, |at| at.max(now)).max(line.held_until);
        if at > deadline {
            return Err(at - now);
        }
        line.next = line.next.max(at) + self.interval;
        Ok(at)
    }

    /// Takes a place without waiting for it: an answer that a person waits for. Those who do wait leave it room.
    pub(crate) fn reserve_priority(&self) {
        let mut line = self.line();
        let now = Instant::now();
        // However many people ask at once, notifications are never put off by more than a second for them.
        if line.next < now + Duration::from_secs(1) {
            line.next = line.next.max(now) + self.interval;
        }
    }

    /// Lets nobody send before this moment.
    pub(crate) fn hold_until(&self, at: Instant) {
        let mut line = self.line();
        line.held_until = line.held_until.max(at);
        line.next = line.next.max(at);
    }

    fn line(&self) -> std::sync::MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells "this chat gets too much" from "this bot sends too much": the latter meets several chats at the same time.
#[derive(Debug, Default)]
pub(crate) struct Flood(Mutex<Option<(Recipient, Instant)>>);

impl Flood {
    pub(crate) fn is_of_all_chats(&self, chat: &Recipient, until: Instant) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let others_wait = last.as_ref().is_some_and(|(other, at)| other != chat && *at > Instant::now());
        *last = Some((chat.clone(), until));
        others_wait
    }
}

#[cfg(test)]
mod tests {
    use teloxide::types::ChatId;

    use super::*;

    /// The moments, in milliseconds from the start, at which `count` messages leave.
    async fn moments(pace: &Pace, count: usize) -> Vec<u128> {
        let start = Instant::now();
        let far = start + Duration::from_hours(1000);
        let mut moments = Vec::new();
        for _ in 0..count {
            assert_eq!(pace.turn(far, &Stop::new()).await, Turn::Yours);
            moments.push(start.elapsed().as_millis());
        }
        moments
    }

    #[tokio::test(start_paused = true)]
    async fn a_lone_message_leaves_at_once_and_no_window_has_more_than_the_limit() {
        for (limit, burst) in [(1, 1), (2, 1), (20, 3), (60, 3)] {
            let pace = Pace::new(limit, Duration::from_mins(1), burst);
            tokio::time::sleep(Duration::from_mins(3)).await;
            let moments = moments(&pace, 200).await;
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
            let pace = Pace::new(limit, Duration::from_secs(1), limit / 10);
            let moments = moments(&pace, usize::try_from(limit).unwrap() * 10).await;
            let last = *moments.last().unwrap();
            assert!((9_500..=11_500).contains(&last), "{limit}: {last} ms for ten seconds' messages");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_takes_a_new_place_when_all_are_held() {
        let pace = Pace::new(1, Duration::from_secs(10), 1);
        let far = Instant::now() + Duration::from_hours(1);
        pace.book(far).unwrap();
        let start = Instant::now();
        let stop = Stop::new();
        let (turn, ()) = tokio::join!(pace.turn(far, &stop), async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            pace.hold_until(Instant::now() + Duration::from_mins(1));
        });
        assert_eq!(turn, Turn::Yours);
        assert!(start.elapsed() >= Duration::from_secs(65));
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_is_too_far_is_refused_and_a_stop_ends_the_wait() {
        let pace = Pace::new(1, Duration::from_secs(10), 1);
        let far = Instant::now() + Duration::from_hours(1);
        pace.book(far).unwrap();
        let soon = Instant::now() + Duration::from_secs(1);
        for _ in 0..10 {
            let refused = pace.turn(soon, &Stop::new()).await;
            assert_eq!(refused, Turn::TooLong(Duration::from_secs(10)), "a refusal takes no place");
        }
        let stop = Stop::new();
        stop.cancel();
        assert_eq!(pace.turn(far, &stop).await, Turn::Stopped);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_takes_room_from_the_line_but_not_without_bound() {
        let pace = Pace::new(10, Duration::from_secs(1), 1);
        for _ in 0..1000 {
            pace.reserve_priority();
        }
        let in_a_while = Instant::now() + Duration::from_millis(1_200);
        assert!(pace.book(in_a_while).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn one_chat_that_gets_too_much_does_not_hold_back_the_others() {
        let flood = Flood::default();
        let chat = |id| Recipient::Id(ChatId(id));
        let soon = Instant::now() + Duration::from_secs(5);
        assert!(!flood.is_of_all_chats(&chat(1), soon));
        assert!(!flood.is_of_all_chats(&chat(1), soon));
        assert!(flood.is_of_all_chats(&chat(2), soon));
        tokio::time::sleep(Duration::from_secs(6)).await;
        assert!(!flood.is_of_all_chats(&chat(1), soon));
    }
}
