//! When CLICK is asked about an attempt of which it has said nothing since its Prepare.

use time::Duration;

use crate::time::Timestamp;

/// After these times CLICK is asked; then the attempt is left alone.
pub const ASKED_AFTER: [Duration; 5] = [
    Duration::minutes(10),
    Duration::minutes(30),
    Duration::hours(2),
    Duration::hours(6),
    Duration::hours(24),
];

/// How many of these times have passed, so that a reconciler that was away asks once and not five times in a row.
pub fn times_passed(prepared_at: Timestamp, now: Timestamp) -> u32 {
    let passed = ASKED_AFTER.iter().filter(|after| now - prepared_at >= **after).count();
    u32::try_from(passed).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn an_attempt_is_asked_about_with_growing_pauses_and_an_end() {
        let prepared_at = datetime!(2026-11-23 12:00 UTC);
        let passed = |after: Duration| times_passed(prepared_at, prepared_at + after);
        assert_eq!(passed(Duration::seconds(599)), 0);
        assert_eq!(passed(Duration::minutes(10)), 1);
        assert_eq!(passed(Duration::hours(3)), 3);
        assert_eq!(passed(Duration::days(30)), 5);
    }
}
