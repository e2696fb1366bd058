//! Instants. The domain never reads a clock: whoever calls it says what time it is.

use time::{OffsetDateTime, UtcOffset, macros::offset};

/// An instant in UTC.
pub type Timestamp = OffsetDateTime;

/// Asia/Tashkent: UTC+5 all year round.
pub const TASHKENT: UtcOffset = offset!(+5);

/// Milliseconds since 1970, the form in which the stores keep instants.
pub fn unix_ms(at: Timestamp) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

/// The instant of [`unix_ms`]; one that no calendar has becomes the epoch, which no order was made in.
pub fn from_unix_ms(unix_ms: i64) -> Timestamp {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(unix_ms) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// Instants in documents: milliseconds since 1970, in a field whose name ends with `_at`.
pub mod millis {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Timestamp, from_unix_ms, unix_ms};

    pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(unix_ms(*at))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(deserializer).map(from_unix_ms)
    }

    /// The same for an instant that may not be there.
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
