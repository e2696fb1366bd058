//! Who does too much at once.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// So many updates may come at once, and as many in each such window for ever.
const BURST: u32 = 20;
const WINDOW: Duration = Duration::from_secs(10);
/// How often a person is answered who does more.
const SLOW_PACE: Duration = Duration::from_secs(1);
/// Whoever was told to slow down is not told again so soon.
const TOLD_FOR: Duration = Duration::from_mins(10);

/// The pace of every person who wrote lately.
#[derive(Debug, Default)]
pub(crate) struct UserThrottle(Mutex<HashMap<i64, Pace>>);

#[derive(Debug)]
struct Pace {
    /// When all that came would have come if it had come evenly.
    evenly: Instant,
    is_slow: bool,
    next_turn: Instant,
    told_at: Option<Instant>,
}

impl UserThrottle {
    /// Takes note of an update.
    pub(crate) fn arrived(&self, person: i64) {
        let now = Instant::now();
        let mut paces = self.paces();
        let pace = paces.entry(person).or_insert(Pace {
            evenly: now,
            is_slow: false,
            next_turn: now,
            told_at: None,
        });
        pace.evenly = pace.evenly.max(now) + WINDOW / BURST;
        if pace.evenly > now + WINDOW {
            pace.is_slow = true;
            // However long a flood was, it is forgiven within two windows.
            pace.evenly = pace.evenly.min(now + 2 * WINDOW);
        }
    }

    pub(crate) fn is_slow(&self, person: i64) -> bool {
        self.paces().get(&person).is_some_and(|pace| pace.is_slow)
    }

    /// Whether the person is to be told; `true` once a flood.
    pub(crate) fn should_notify(&self, person: i64) -> bool {
        let now = Instant::now();
        let mut paces = self.paces();
        let Some(pace) = paces.get_mut(&person) else { return false };
        let was_told = pace.told_at.is_some_and(|at| now < at + TOLD_FOR);
        if !was_told {
            pace.told_at = Some(now);
        }
        !was_told
    }

    /// When the next answer may begin, for a person who is slowed down. Takes that place.
    pub(crate) fn turn(&self, person: i64) -> Instant {
        let now = Instant::now();
        let mut paces = self.paces();
        let Some(pace) = paces.get_mut(&person) else { return now };
        let turn = pace.next_turn.max(now);
        pace.next_turn = turn + SLOW_PACE;
        turn
    }

    /// Nothing of the person waits any more. A flood ends when this comes true after it has ebbed.
    pub(crate) fn drained(&self, person: i64) {
        let now = Instant::now();
        if let Some(pace) = self.paces().get_mut(&person)
            && pace.evenly <= now + WINDOW / 2
        {
            pace.is_slow = false;
        }
    }

    /// Forgets those who have been quiet, so that this does not grow for ever.
    pub(crate) fn evict_idle(&self) {
        let now = Instant::now();
        self.paces().retain(|_, pace| {
            pace.evenly + WINDOW > now || pace.told_at.is_some_and(|at| now < at + TOLD_FOR)
        });
    }

    fn paces(&self) -> MutexGuard<'_, HashMap<i64, Pace>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn arrive(throttle: &UserThrottle, count: u32, every: Duration) {
        for _ in 0..count {
            throttle.arrived(1);
            tokio::time::sleep(every).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_and_a_steady_hand_are_well_and_more_is_a_flood() {
        let throttle = UserThrottle::default();
        arrive(&throttle, 20, Duration::ZERO).await;
        assert!(!throttle.is_slow(1));
        arrive(&throttle, 1, Duration::ZERO).await;
        assert!(throttle.is_slow(1) && !throttle.is_slow(2));

        let throttle = UserThrottle::default();
        arrive(&throttle, 500, Duration::from_millis(500)).await;
        assert!(!throttle.is_slow(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_told_once_and_ends_when_it_has_ebbed_and_all_is_answered() {
        let throttle = UserThrottle::default();
        arrive(&throttle, 1000, Duration::ZERO).await;
        assert!(throttle.should_notify(1) && !throttle.should_notify(1));
        throttle.drained(1);
        assert!(throttle.is_slow(1), "it has not ebbed");
        tokio::time::sleep(2 * WINDOW).await;
        assert!(throttle.is_slow(1), "something waits");
        throttle.drained(1);
        assert!(!throttle.is_slow(1));
        assert!(!throttle.should_notify(1));
        tokio::time::sleep(TOLD_FOR).await;
        throttle.evict_idle();
        assert!(throttle.paces().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn turns_of_a_flood_are_a_second_apart() {
        let throttle = UserThrottle::default();
        throttle.arrived(1);
        let first = throttle.turn(1);
        assert_eq!(first, Instant::now());
        assert_eq!(throttle.turn(1), first + SLOW_PACE);
    }
}
