//! Telegram's limits on sending, as far as they are known.

use std::collections::{BTreeMap, VecDeque};

#[derive(Debug, Clone, Copy)]
struct Rate {
    sends: usize,
    window_ms: i64,
}

const OVERALL: Rate = Rate { sends: 30, window_ms: 1_000 };
/// One a second on average, with bursts of three.
const PRIVATE_CHAT: Rate = Rate { sends: 3, window_ms: 3_000 };
const CHANNEL: Rate = Rate { sends: 20, window_ms: 60_000 };

/// The times of the last sends.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    overall: VecDeque<i64>,
    chats: BTreeMap<i64, VecDeque<i64>>,
}

impl Limits {
    /// Counts a send, or returns the seconds to wait. A refused send is not counted.
    pub(crate) fn count(&mut self, chat_id: i64, is_channel: bool, now_ms: i64) -> Result<(), u32> {
        let rate = if is_channel { CHANNEL } else { PRIVATE_CHAT };
        let chat = self.chats.entry(chat_id).or_default();
        let wait_ms = wait(&mut self.overall, OVERALL, now_ms).max(wait(chat, rate, now_ms));
        if wait_ms > 0 {
            return Err(u32::try_from(wait_ms.div_euclid(1000) + 1).unwrap_or(u32::MAX));
        }
        self.overall.push_back(now_ms);
        chat.push_back(now_ms);
        Ok(())
    }
}

/// How long until one more send is allowed.
fn wait(sends: &mut VecDeque<i64>, rate: Rate, now_ms: i64) -> i64 {
    while sends.front().is_some_and(|at_ms| at_ms + rate.window_ms <= now_ms) {
        sends.pop_front();
    }
    if sends.len() < rate.sends {
        return 0;
    }
    sends.front().map_or(0, |oldest_ms| oldest_ms + rate.window_ms - now_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_the_next_send_waits() {
        let mut limits = Limits::default();
        for _ in 0..3 {
            assert_eq!(limits.count(5, false, 10_000), Ok(()));
        }
        assert_eq!(limits.count(5, false, 11_000), Err(3));
        assert_eq!(limits.count(5, false, 13_000), Ok(()));
    }

    #[test]
    fn a_channel_takes_twenty_a_minute_and_all_chats_together_thirty_a_second() {
        let mut limits = Limits::default();
        for at_ms in 0..20 {
            assert_eq!(limits.count(-1, true, at_ms), Ok(()));
        }
        assert_eq!(limits.count(-1, true, 30_000), Err(31));
        for chat in 1..=30 {
            assert_eq!(limits.count(chat, false, 100_000), Ok(()));
        }
        assert_eq!(limits.count(31, false, 100_000), Err(2));
    }
}
