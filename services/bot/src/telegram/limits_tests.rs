use proptest::prelude::*;
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

#[tokio::test(start_paused = true)]
async fn a_place_that_was_given_back_is_the_next_ones() {
    let limiter = RateLimiter::new(1, Duration::from_secs(10), 1);
    let far = Instant::now() + Duration::from_hours(1);
    let first = limiter.reserve(far).unwrap();
    limiter.give_back(first);
    assert_eq!(limiter.reserve(far), Ok(first));
    let second = limiter.reserve(far).unwrap();
    assert_eq!(second - first, Duration::from_secs(10));
    limiter.give_back(first);
    assert_eq!(limiter.taken(), 2, "another place was taken since");
    limiter.give_back(second);
    limiter.give_back(second);
    assert_eq!((limiter.taken(), limiter.reserve(far)), (1, Ok(second)));
    limiter.hold_until(second + Duration::from_secs(20));
    limiter.give_back(second);
    assert_eq!(limiter.reserve(far), Ok(second + Duration::from_secs(20)), "a pause is kept");
}

#[tokio::test(start_paused = true)]
async fn a_place_that_a_small_share_has_put_off_comes_sooner_with_a_greater_one() {
    let limiter = RateLimiter::new(20, Duration::from_mins(1), 1);
    let (start, far) = (Instant::now(), Instant::now() + Duration::from_hours(1));
    limiter.close();
    limiter.open(1, far);
    assert_eq!(limiter.reserve(far), Ok(start));
    let put_off = limiter.reserve(far).unwrap();
    assert_eq!(put_off - start, Duration::from_mins(1));
    tokio::time::sleep(Duration::from_secs(10)).await;
    limiter.open(10, far);
    limiter.hold_until(Instant::now());
    limiter.give_back(put_off);
    assert_eq!(limiter.reserve(far), Ok(start + Duration::from_secs(16)));
    assert_eq!(limiter.reserve(far), Ok(start + Duration::from_secs(22)), "and the next ones at its rate");
}

proptest! {
    /// However a bot's share changes, and however it gives places back to take sooner ones: it keeps to the greatest of them.
    #[test]
    fn a_bot_whose_share_changes_keeps_to_the_greatest_that_it_had(
        shares in prop::collection::vec((1u32..30, 0u64..40_000), 1..20),
        gives_back in any::<bool>(),
        closes in any::<bool>(),
    ) {
        let window = Duration::from_mins(1);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let greatest = shares.iter().map(|(share, _)| *share).max().unwrap();
        let sent = runtime.unwrap().block_on(async {
            let limiter = RateLimiter::new(30, window, 5);
            limiter.close();
            let far = Instant::now() + Duration::from_hours(10);
            let mut sent = Vec::new();
            let mut place = None;
            for (share, lasts_ms) in shares {
                limiter.open(share, far);
                let end = Instant::now() + Duration::from_millis(lasts_ms);
                if let Some(at) = place.take_if(|_| gives_back) {
                    limiter.give_back(at);
                }
                loop {
                    let at = *place.get_or_insert_with(|| limiter.reserve(far).unwrap());
                    if at > end {
                        break;
                    }
                    tokio::time::sleep_until(at).await;
                    sent.push(at);
                    place = None;
                }
                tokio::time::sleep_until(end).await;
                if closes {
                    limiter.close();
                }
            }
            sent
        });
        for first in &sent {
            let in_window = sent.iter().filter(|at| (*first..*first + window).contains(*at)).count();
            prop_assert!(in_window <= usize::try_from(greatest).unwrap(), "{in_window} of {greatest}");
        }
    }

    /// However often a bot is killed and started again at once: all of its processes together keep its share.
    #[test]
    fn a_bot_that_follows_its_earlier_process_keeps_to_its_share(
        limit in 1u32..30,
        lives_ms in prop::collection::vec(0u64..90_000, 1..12),
    ) {
        let window = Duration::from_mins(1);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let sent = runtime.unwrap().block_on(async {
            let mut sent = Vec::new();
            for (process, life_ms) in (0..).zip(lives_ms) {
                let limiter = RateLimiter::new(30, window, 5);
                limiter.close();
                if process > 0 {
                    limiter.follow();
                }
                let end = Instant::now() + Duration::from_millis(life_ms);
                limiter.open(limit, end + window);
                while limiter.acquire(end, &Stop::new()).await == Turn::Granted {
                    sent.push(Instant::now());
                }
                tokio::time::sleep_until(end).await;
            }
            sent
        });
        for first in &sent {
            let in_window = sent.iter().filter(|at| (*first..*first + window).contains(*at)).count();
            prop_assert!(in_window <= usize::try_from(limit).unwrap(), "{in_window} of {limit}");
        }
    }
}
