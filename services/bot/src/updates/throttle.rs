//! Slows down users who send too many updates.
//!
//! A limiter by key, such as the `governor` crate's, would replace only the count of arrivals: a user who is throttled stays so
//! until the queue is empty, is answered once a second, and is told once.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// This many updates may come at once, and as many in each such window.
const BURST: u32 = 20;
const WINDOW: Duration = Duration::from_secs(10);
/// How often a throttled user is answered.
const ANSWER_EVERY: Duration = Duration::from_secs(1);
/// How long a user who was told to slow down is not told again.
const NOTIFIED_FOR: Duration = Duration::from_mins(10);

/// The rate of every user who wrote recently.
#[derive(Debug, Default)]
pub(crate) struct UserThrottle(Mutex<HashMap<i64, UserRate>>);

#[derive(Debug)]
struct UserRate {
    /// When all updates so far would have arrived at the allowed rate.
    evenly: Instant,
    is_throttled: bool,
    next_answer: Instant,
    notified_at: Option<Instant>,
}

impl UserThrottle {
    pub(crate) fn record_arrival(&self, user_id: i64) {
        let now = Instant::now();
        let mut rates = self.rates();
        let rate = rates.entry(user_id).or_insert(UserRate {
            evenly: now,
            is_throttled: false,
            next_answer: now,
            notified_at: None,
        });
        rate.evenly = rate.evenly.max(now) + WINDOW / BURST;
        if rate.evenly > now + WINDOW {
            rate.is_throttled = true;
            // However long a flood was, it is forgotten within two windows.
            rate.evenly = rate.evenly.min(now + 2 * WINDOW);
        }
    }

    pub(crate) fn is_throttled(&self, user_id: i64) -> bool {
        self.rates().get(&user_id).is_some_and(|rate| rate.is_throttled)
    }

    /// Whether the user is to be told to slow down; `true` once a flood.
    pub(crate) fn should_notify(&self, user_id: i64) -> bool {
        let now = Instant::now();
        let mut rates = self.rates();
        let Some(rate) = rates.get_mut(&user_id) else { return false };
        let was_notified = rate.notified_at.is_some_and(|at| now < at + NOTIFIED_FOR);
        if !was_notified {
            rate.notified_at = Some(now);
        }
        !was_notified
    }

    /// When the next answer to a throttled user may begin. Takes that turn.
    pub(crate) fn next_turn(&self, user_id: i64) -> Instant {
        let now = Instant::now();
        let mut rates = self.rates();
        let Some(rate) = rates.get_mut(&user_id) else { return now };
        let turn = rate.next_answer.max(now);
        rate.next_answer = turn + ANSWER_EVERY;
        turn
    }

    /// The queue of the user is empty: a flood that is over ends here.
    pub(crate) fn drained(&self, user_id: i64) {
        let now = Instant::now();
        if let Some(rate) = self.rates().get_mut(&user_id)
            && rate.evenly <= now + WINDOW / 2
        {
            rate.is_throttled = false;
        }
    }

    /// Forgets users who have been idle, so that the memory is bounded.
    pub(crate) fn evict_idle(&self) {
        let now = Instant::now();
        self.rates().retain(|_, rate| {
            rate.evenly + WINDOW > now || rate.notified_at.is_some_and(|at| now < at + NOTIFIED_FOR)
        });
    }

    fn rates(&self) -> MutexGuard<'_, HashMap<i64, UserRate>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn arrive(throttle: &UserThrottle, count: u32, every: Duration) {
        for _ in 0..count {
            throttle.record_arrival(1);
            tokio::time::sleep(every).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_and_a_steady_rate_pass_and_more_is_throttled() {
        let throttle = UserThrottle::default();
        arrive(&throttle, 20, Duration::ZERO).await;
        assert!(!throttle.is_throttled(1));
        arrive(&throttle, 1, Duration::ZERO).await;
        assert!(throttle.is_throttled(1) && !throttle.is_throttled(2));

        let throttle = UserThrottle::default();
        arrive(&throttle, 500, Duration::from_millis(500)).await;
        assert!(!throttle.is_throttled(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_user_is_told_of_throttling_once_and_it_ends_with_the_flood() {
        let throttle = UserThrottle::default();
        arrive(&throttle, 1000, Duration::ZERO).await;
        assert!(throttle.should_notify(1) && !throttle.should_notify(1));
        throttle.drained(1);
        assert!(throttle.is_throttled(1), "it is not over");
        tokio::time::sleep(2 * WINDOW).await;
        assert!(throttle.is_throttled(1), "the queue is not empty");
        throttle.drained(1);
        assert!(!throttle.is_throttled(1));
        assert!(!throttle.should_notify(1));
        tokio::time::sleep(NOTIFIED_FOR).await;
        throttle.evict_idle();
        assert!(throttle.rates().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn answers_to_a_throttled_user_are_a_second_apart() {
        let throttle = UserThrottle::default();
        throttle.record_arrival(1);
        let first = throttle.next_turn(1);
        assert_eq!(first, Instant::now());
        assert_eq!(throttle.next_turn(1), first + ANSWER_EVERY);
    }
}
