//! Timestamps. The domain never reads a clock: the caller passes the time in.

use time::{Duration, OffsetDateTime, UtcOffset, macros::offset};

/// A moment in UTC.
pub type Timestamp = OffsetDateTime;

/// Asia/Tashkent: UTC+5 all year round.
pub const TASHKENT: UtcOffset = offset!(+5);

/// Milliseconds since 1970, as the stores keep timestamps.
pub fn unix_ms(at: Timestamp) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

/// The inverse of [`unix_ms`]. A number outside the calendar becomes the epoch; the stores refuse to keep such numbers.
pub fn from_unix_ms(unix_ms: i64) -> Timestamp {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(unix_ms) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// As the stores give it back: without what is below a millisecond. Leases are recognised by it.
pub fn in_whole_ms(at: Timestamp) -> Timestamp {
    from_unix_ms(unix_ms(at))
}

/// Timestamps in documents: milliseconds since 1970, in a field whose name ends with `_at`.
pub mod millis {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Timestamp, from_unix_ms, unix_ms};

    pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(unix_ms(*at))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(deserializer).map(from_unix_ms)
    }

    /// The same for an optional timestamp.
    pub mod option {
        use serde::{Deserialize, Deserializer, Serializer};

        use super::super::{Timestamp, from_unix_ms, unix_ms};

        pub fn serialize<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
            match at {
                Some(at) => serializer.serialize_some(&unix_ms(*at)),
                None => serializer.serialize_none(),
            }
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Timestamp>, D::Error> {
            Ok(Option::<i64>::deserialize(deserializer)?.map(from_unix_ms))
        }
    }
}

/// By how much the clocks of two machines may differ where they share leases.
pub const CLOCK_SKEW_MAX: Duration = Duration::minutes(1);

/// Whether the time for something has come, such as the end of a lease or of a pause. `latest` is the time that it could be
/// given now: one that lies much further ahead was given before the clock was set back, and has come too.
pub fn is_due(due_at: Timestamp, now: Timestamp, latest: Timestamp) -> bool {
    due_at <= now || due_at > latest + CLOCK_SKEW_MAX
}
