//! The rate of messages to one person: Telegram takes about one a second in a chat, and a few more after a rest.
//!
//! Several bots keep it without asking each other. Each sends one in so many seconds as there are bots, so all together send one a
//! second, whichever of them sends. Nothing of it is in the store: how many bots there are is known by the roster.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use teloxide::types::ChatId;
use tokio::time::{Instant, sleep_until};
use tolov_kit::lifecycle::Stop;

use crate::telegram::limits::Turn;

/// One of all bots.
const INTERVAL: Duration = Duration::from_secs(1);
/// That of all bots together, but at least one of each.
const BURST: u32 = 3;
/// More chats than this are looked through for those that have rested.
const CHATS_KEPT: usize = 1_000;

#[derive(Debug)]
pub(crate) struct ChatLimits {
    bots: AtomicU32,
    /// When the next message to a chat would leave at an even rate.
    next: Mutex<HashMap<ChatId, Instant>>,
}

impl Default for ChatLimits {
    fn default() -> Self {
        Self { bots: AtomicU32::new(1), next: Mutex::default() }
    }
}

impl ChatLimits {
    /// Keeps to the part of one among so many bots from now on.
    pub(super) fn share_with(&self, bots: usize) {
        self.bots.store(u32::try_from(bots).unwrap_or(u32::MAX).max(1), Ordering::Relaxed);
    }

    /// Waits for a turn in a chat, at most until `deadline`.
    pub(crate) async fn acquire(&self, chat: ChatId, deadline: Instant, stop: &Stop) -> Turn {
        let now = Instant::now();
        let at = self.reserve(chat, now, deadline);
        match at {
            Ok(at) if at <= now => Turn::Granted,
            Ok(at) => tokio::select! {
                biased;
                () = stop.cancelled() => Turn::Stopped,
                () = sleep_until(at) => Turn::Granted,
            },
            Err(too_long) => Turn::TooLong(too_long),
        }
    }

    fn reserve(&self, chat: ChatId, now: Instant, deadline: Instant) -> Result<Instant, Duration> {
        let bots = self.bots.load(Ordering::Relaxed);
        let interval = INTERVAL * bots;
        let burst = interval * ((BURST / bots).max(1) - 1);
        let mut chats = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        if chats.len() >= CHATS_KEPT {
            chats.retain(|_, next| *next > now);
        }
        let next = chats.get(&chat).copied().unwrap_or(now);
        let at = next.checked_sub(burst).map_or(now, |at| at.max(now));
        if at > deadline {
            return Err(at - now);
        }
        chats.insert(chat, next.max(at) + interval);
        Ok(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAT: ChatId = ChatId(5551);

    /// When each of the bots has sent all of its messages to one chat, in milliseconds from the start, in order.
    async fn sent_by(bots: usize, each: usize) -> Vec<u128> {
        let start = Instant::now();
        let sending = (0..bots).map(|_| async move {
            let (limits, stop) = (ChatLimits::default(), Stop::new());
            limits.share_with(bots);
            let mut at_ms = Vec::new();
            for _ in 0..each {
                assert_eq!(limits.acquire(CHAT, start + Duration::from_hours(1), &stop).await, Turn::Granted);
                at_ms.push(start.elapsed().as_millis());
            }
            at_ms
        });
        let mut at_ms = futures_util::future::join_all(sending).await.concat();
        at_ms.sort_unstable();
        at_ms
    }

    #[tokio::test(start_paused = true)]
    async fn however_many_bots_write_to_one_person_it_is_one_message_a_second_after_a_small_burst() {
        for bots in 1..=6 {
            let at_ms = sent_by(bots, 20).await;
            let burst = u128::try_from(bots).unwrap().max(BURST.into());
            for (place, first) in at_ms.iter().enumerate() {
                for (count, last) in (1..).zip(&at_ms[place..]) {
                    assert!(count <= burst + (last - first) / 1_000 + 1, "{bots} bots: {at_ms:?}");
                }
            }
            let last_s = at_ms.last().unwrap() / 1_000;
            assert!(last_s <= u128::try_from(bots * 20).unwrap(), "slower than the limit asks: {at_ms:?}");
            assert_eq!(at_ms[0], 0);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_is_too_far_is_refused_and_other_chats_do_not_wait() {
        let (limits, stop) = (ChatLimits::default(), Stop::new());
        let soon = Instant::now() + Duration::from_millis(500);
        for _ in 0..BURST {
            assert_eq!(limits.acquire(CHAT, soon, &stop).await, Turn::Granted);
        }
        for _ in 0..5 {
            let refused = limits.acquire(CHAT, soon, &stop).await;
            assert_eq!(refused, Turn::TooLong(INTERVAL), "a refusal takes no place");
        }
        let later = Instant::now() + Duration::from_hours(1);
        for other in 1..5_000 {
            assert_eq!(limits.acquire(ChatId(other), later, &stop).await, Turn::Granted);
            tokio::time::advance(INTERVAL / 100).await;
        }
        assert!(limits.next.lock().unwrap().len() <= CHATS_KEPT, "those that have rested are forgotten");
        stop.cancel();
        for turn in [Turn::Granted, Turn::Granted, Turn::Granted, Turn::Stopped] {
            assert_eq!(limits.acquire(CHAT, later, &stop).await, turn);
        }
    }
}
