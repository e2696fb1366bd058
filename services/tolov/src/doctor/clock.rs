//! This machine's clock compared with others: a wrong clock expires orders and dates payments wrongly.

use time::{OffsetDateTime, PrimitiveDateTime, macros::format_description};
use tolov_kit::clock::{Clock, SystemClock};

use super::report::Finding;

/// The header has whole seconds, and the answer took some time to arrive.
const DIFFERENCE_MAX_S: i64 = 5;

/// The difference to another machine's clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClockSeen {
    ahead_s: i64,
}

impl ClockSeen {
    /// From the Date header of an answer that has just arrived.
    pub(super) fn of(answer: &reqwest::Response) -> Option<Self> {
        let date = answer.headers().get(reqwest::header::DATE)?.to_str().ok()?;
        Some(Self { ahead_s: (SystemClock.now() - parse(date)?).whole_seconds() })
    }
}

fn parse(date: &str) -> Option<OffsetDateTime> {
    let form = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    PrimitiveDateTime::parse(date, form).ok().map(PrimitiveDateTime::assume_utc)
}

pub(super) fn check(seen: &[ClockSeen]) -> Vec<Finding> {
    // Where two others differ, one of them is wrong: take the nearest.
    let Some(nearest) = seen.iter().min_by_key(|seen| seen.ahead_s.abs()) else {
        return vec![Finding::doubtful("clock-unknown")];
    };
    let seconds = nearest.ahead_s;
    if seconds.abs() <= DIFFERENCE_MAX_S {
        return vec![Finding::good("clock-good")];
    }
    vec![Finding::bad("clock-off").with("seconds", seconds)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::report::Level;

    #[test]
    fn a_date_header_is_read_and_a_wrong_clock_is_reported() {
        let read = parse("Mon, 23 Nov 2026 05:04:29 GMT").unwrap();
        assert_eq!(read.unix_timestamp(), 1_795_410_269);
        assert!(parse("yesterday").is_none());
        let level = |ahead_s: &[i64]| {
            let seen: Vec<ClockSeen> =
                ahead_s.iter().map(|ahead_s| ClockSeen { ahead_s: *ahead_s }).collect();
            check(&seen)[0].level
        };
        assert_eq!(level(&[]), Level::Doubtful);
        assert_eq!(level(&[-5]), Level::Good);
        assert_eq!(level(&[3_600, 1]), Level::Good);
        assert_eq!(level(&[-3_600]), Level::Bad);
    }
}
