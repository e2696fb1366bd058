//! The comparison of a day: what the ledger, the shop store and CLICK know to be paid.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::{Date, Duration, Time, macros::format_description};

use crate::{
    EventId, OrderId, Tiyin,
    event::{EventError, schema_of},
    json,
    time::{TASHKENT, Timestamp, unix_ms},
};

/// The only schema of this version. The bot's queue carries the same body.
pub const SCHEMA: &str = "payment.day_compared/1";
/// The message's routing key.
pub const NAME: &str = "payment.day_compared";
/// When the payments of the day before are compared, in Tashkent.
const COMPARED_AT: Time = time::macros::time!(03:00);

/// A day in Tashkent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(Date);

/// A text that is not a day, `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a day such as 2026-11-23")]
pub struct DayError;

impl Day {
    pub fn of(at: Timestamp) -> Self {
        Self(at.to_offset(TASHKENT).date())
    }

    /// The last day that can be compared: it has been over for three hours.
    pub fn last_due(now: Timestamp) -> Self {
        Self::of(now - Duration::DAY - (COMPARED_AT - Time::MIDNIGHT))
    }

    pub fn parse(text: &str) -> Result<Self, DayError> {
        Date::parse(text, format_description!("[year]-[month]-[day]")).map(Self).map_err(|_| DayError)
    }

    /// Its first moment.
    pub fn start(self) -> Timestamp {
        self.0.midnight().assume_offset(TASHKENT).to_offset(time::UtcOffset::UTC)
    }

    /// The first moment of the next day.
    pub fn end(self) -> Timestamp {
        self.start() + Duration::DAY
    }

    #[must_use]
    pub fn plus(self, days: i64) -> Self {
        Self(self.0.saturating_add(Duration::days(days)))
    }

    pub const fn date(self) -> Date {
        self.0
    }
}

impl fmt::Display for Day {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl TryFrom<String> for Day {
    type Error = DayError;

    fn try_from(text: String) -> Result<Self, DayError> {
        Self::parse(&text)
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

/// `GET /days/next`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextDay {
    /// The oldest day that is over and was not compared.
    pub day: Option<Day>,
}

/// `POST /days/DAY`: what CLICK said about the attempts of a day. 200 [`NextDay`], 422.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ClickComparison {
    pub agreed: u32,
    /// Orders that CLICK shows otherwise, at most [`DIFFERENCES_MAX`].
    pub differing: Vec<OrderId>,
    /// CLICK did not find them, or gave no answer.
    pub unanswered: u32,
}

/// The most orders that a comparison names.
pub const DIFFERENCES_MAX: usize = 20;
/// The most orders that the event lists.
pub const PAID_MAX: usize = 2_000;

/// A day was compared: by the webhook service with CLICK, then by the projector with the shop store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayCompared {
    pub schema: String,
    pub event_id: EventId,
    pub day: Day,
    /// How many orders were paid on it, by the ledger, and their sum.
    pub orders: u32,
    pub sum_tiyin: Tiyin,
    /// These orders, at most [`PAID_MAX`]. Empty once the shop store is compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paid: Vec<PaidOnDay>,
    /// `None`: the Merchant API is not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub click: Option<ClickComparison>,
    /// Orders that the shop store knows otherwise, at most [`DIFFERENCES_MAX`].
    #[serde(default)]
    pub shop_differing: Vec<OrderId>,
    /// Fiscal receipts that are missing when the day is compared, of whatever day.
    #[serde(default)]
    pub missing_receipts: u32,
    #[serde(with = "time::serde::rfc3339")]
    pub occurred_at: Timestamp,
}

/// An order that was paid on the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaidOnDay {
    pub order_id: OrderId,
    pub amount_tiyin: Tiyin,
}

impl DayCompared {
    pub fn id_of(day: Day) -> EventId {
        EventId::new(format!("{NAME}:{day}"))
    }

    /// Of a day that a clock which was ahead compared before, dated by it: what was told then was not all of the day.
    pub fn id_of_repetition(day: Day, compared_before_at: Timestamp) -> EventId {
        EventId::new(format!("{NAME}:{day}:{}", unix_ms(compared_before_at)))
    }

    /// Names the message to the owners about it.
    pub fn notification_id(&self) -> EventId {
        EventId::new(format!("{}/owners", self.event_id))
    }

    /// All sources know the same, as far as they were asked and answered.
    pub fn agrees(&self) -> bool {
        self.shop_differing.is_empty() && self.click.as_ref().is_none_or(|click| click.differing.is_empty())
    }

    pub fn to_json(&self) -> Vec<u8> {
        json::to_vec(self)
    }

    pub fn from_json(body: &[u8]) -> Result<Self, EventError> {
        let schema = schema_of(body)?;
        if schema != SCHEMA {
            return Err(EventError::UnknownSchema(schema));
        }
        serde_json::from_slice(body).map_err(|error| EventError::Malformed(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_day_is_tashkents_and_due_at_three_in_the_morning() {
        let day = Day::parse("2026-11-23").unwrap();
        assert_eq!(
            (day.start(), day.end()),
            (datetime!(2026-11-22 19:00 UTC), datetime!(2026-11-23 19:00 UTC))
        );
        assert_eq!((Day::of(day.start()), Day::of(day.end())), (day, day.plus(1)));
        assert_eq!(Day::last_due(datetime!(2026-11-23 21:59 UTC)), day.plus(-1));
        assert_eq!(Day::last_due(datetime!(2026-11-23 22:00 UTC)), day);
        assert_eq!(Day::parse("23.11.2026"), Err(DayError));
    }

    #[test]
    fn a_comparison_is_read_as_it_was_written() {
        let day = Day::parse("2026-11-23").unwrap();
        let order_id = OrderId::try_new(1001).unwrap();
        let compared = DayCompared {
            schema: SCHEMA.to_owned(),
            event_id: DayCompared::id_of(day),
            day,
            orders: 1,
            sum_tiyin: Tiyin::try_new(3_000_000).unwrap(),
            paid: vec![PaidOnDay { order_id, amount_tiyin: Tiyin::try_new(3_000_000).unwrap() }],
            click: Some(ClickComparison { agreed: 1, ..ClickComparison::default() }),
            shop_differing: Vec::new(),
            missing_receipts: 0,
            occurred_at: datetime!(2026-11-23 22:00 UTC),
        };
        assert_eq!(DayCompared::from_json(&compared.to_json()).as_ref(), Ok(&compared));
        assert_eq!(compared.notification_id().as_str(), "payment.day_compared:2026-11-23/owners");
        assert!(compared.agrees());
        let click = ClickComparison { differing: vec![order_id], ..ClickComparison::default() };
        assert!(!DayCompared { click: Some(click), ..compared }.agrees());
    }
}
