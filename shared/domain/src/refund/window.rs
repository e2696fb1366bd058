//! Until when CLICK reverses a payment.

use time::{Duration, Month, PrimitiveDateTime, Time};

use crate::time::{TASHKENT, Timestamp};

/// CLICK does not say by which clock its months end.
const MARGIN: Duration = Duration::HOUR;

/// Until when a payment can be reversed that was created then: during its month in Tashkent and on the first day of the next
/// one, an hour less on both sides (docs/click.md, section 3). `None` beyond the calendar.
pub fn reversible_until(created_at: Timestamp) -> Option<Timestamp> {
    let created = created_at.checked_sub(MARGIN)?.to_offset(TASHKENT).date();
    let is_last = created.month() == Month::December;
    let year = created.year().checked_add(i32::from(is_last))?;
    let second_day = time::Date::from_calendar_date(year, created.month().next(), 2).ok()?;
    let end = PrimitiveDateTime::new(second_day, Time::MIDNIGHT).assume_offset(TASHKENT);
    end.to_offset(time::UtcOffset::UTC).checked_sub(MARGIN)
}
