//! AMQP properties and headers: writing ours, and reading those of any client.

use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable, MAX_SHORT_STRING_LENGTH, ShortString},
};
use tolov_domain::{EventId, TraceParent, ports::bus::DELIVERY_LIMIT_REASON, time::Timestamp};

/// Our own headers. The broker's (x-death and the like) differ from version to version.
const RETRIES: &str = "x-retries";
const REASON: &str = "x-reason";
const TRACEPARENT: &str = "traceparent";
const PARKED_AT: &str = "x-parked-at";
const SCHEMA: &str = "schema";
/// Where the broker writes why it dead-lettered a message.
const DEATHS: &str = "x-death";

/// Properties and headers are one frame of at most 128 KiB; a longer one closes the connection.
const REASON_LENGTH_MAX: usize = 1_000;

const PERSISTENT: u8 = 2;

/// What is published with a body: the parts that stay the same from queue to queue, and our headers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Metadata<'a> {
    pub(crate) id: &'a str,
    pub(crate) schema: &'a str,
    /// When it was published first, in seconds since 1970.
    pub(crate) published_s: u64,
    pub(crate) app_id: &'a str,
    pub(crate) retries: u32,
    pub(crate) reason: Option<&'a str>,
    pub(crate) parked_at: Option<Timestamp>,
    /// When it leaves a retry queue, if that is before the queue's own delay.
    pub(crate) expiration_ms: Option<u128>,
    pub(crate) traceparent: Option<&'a TraceParent>,
}

impl Metadata<'_> {
    /// The AMQP properties, or why there cannot be any.
    pub(crate) fn properties(&self) -> Result<BasicProperties, String> {
        let mut headers = FieldTable::default();
        let mut header = |name: &str, value: AMQPValue| {
            headers.insert(ShortString::from(name), value);
        };
        header(SCHEMA, AMQPValue::LongString(self.schema.into()));
        if self.retries > 0 || self.reason.is_some() {
            header(RETRIES, AMQPValue::LongLongInt(i64::from(self.retries)));
        }
        if let Some(reason) = self.reason {
            header(REASON, AMQPValue::LongString(shortened(reason).into()));
        }
        if let Some(traceparent) = self.traceparent {
            header(TRACEPARENT, AMQPValue::LongString(traceparent.as_str().into()));
        }
        if let Some(parked_at) = self.parked_at {
            header(PARKED_AT, AMQPValue::Timestamp(seconds(parked_at)));
        }
        let mut properties = BasicProperties::default();
        if let Some(expiration_ms) = self.expiration_ms {
            properties = properties.with_expiration(ShortString::from(expiration_ms.to_string()));
        }
        Ok(properties
            .with_message_id(short("message id", self.id)?)
            .with_type(short("schema", self.schema)?)
            .with_app_id(short("app id", self.app_id)?)
            .with_timestamp(self.published_s)
            .with_content_type(ShortString::from("application/json"))
            .with_delivery_mode(PERSISTENT)
            .with_headers(headers))
    }
}

/// Whole seconds since 1970, AMQP's timestamp.
pub(crate) fn seconds(at: Timestamp) -> u64 {
    u64::try_from(at.unix_timestamp()).unwrap_or(0)
}

/// AMQP's short texts end at 255 bytes; lapin's own conversion panics beyond.
fn short(what: &str, text: &str) -> Result<ShortString, String> {
    ShortString::try_new(text)
        .map_err(|_| format!("the {what} has {} bytes, AMQP takes {MAX_SHORT_STRING_LENGTH}", text.len()))
}

fn shortened(reason: &str) -> &str {
    &reason[..reason.floor_char_boundary(REASON_LENGTH_MAX)]
}

/// The message's id. One without gets an id made from its body, the same at every delivery, so that it can be parked,
/// listed and dropped like any other.
pub(crate) fn id(properties: &BasicProperties, body: &[u8]) -> EventId {
    match properties.message_id() {
        Some(id) if !id.as_str().is_empty() => EventId::new(id.as_str()),
        _ => EventId::new(format!("unnamed:{:016x}", fnv1a(body))),
    }
}

pub(crate) fn schema(properties: &BasicProperties) -> String {
    if let Some(kind) = properties.kind() {
        return kind.to_string();
    }
    let mut schema = text_header(properties, SCHEMA).unwrap_or_default();
    // A header may be longer than the property that it becomes when the message is moved.
    schema.truncate(schema.floor_char_boundary(MAX_SHORT_STRING_LENGTH));
    schema
}

pub(crate) fn retries(properties: &BasicProperties) -> u32 {
    number(header(properties, RETRIES)).and_then(|count| u32::try_from(count).ok()).unwrap_or(0)
}

pub(crate) fn traceparent(properties: &BasicProperties) -> Option<TraceParent> {
    text_header(properties, TRACEPARENT)?.try_into().ok()
}

/// Why the message is parked: by our header, or by the broker's.
pub(crate) fn reason(properties: &BasicProperties) -> String {
    if let Some(AMQPValue::FieldArray(deaths)) = header(properties, DEATHS)
        // A message that failed and then reached the limit has both. The broker's is the later one, because we publish
        // without the broker's headers.
        && let Some(AMQPValue::FieldTable(last)) = deaths.as_slice().first()
        && let Some(AMQPValue::LongString(why)) = last.inner().get("reason")
    {
        return match why.to_string().as_str() {
            "delivery_limit" => DELIVERY_LIMIT_REASON.to_owned(),
            // The TTL of a retry queue, which is how every retry starts.
            "expired" => text_header(properties, REASON).unwrap_or_default(),
            other => format!("dead-lettered by the broker: {other}"),
        };
    }
    text_header(properties, REASON).unwrap_or_default()
}

fn header<'a>(properties: &'a BasicProperties, name: &str) -> Option<&'a AMQPValue> {
    properties.headers().as_ref()?.inner().get(name)
}

fn text_header(properties: &BasicProperties, name: &str) -> Option<String> {
    let AMQPValue::LongString(text) = header(properties, name)? else { return None };
    Some(text.to_string())
}

/// A whole number of any width: clients choose different ones.
fn number(value: Option<&AMQPValue>) -> Option<i64> {
    match value? {
        AMQPValue::ShortShortInt(count) => Some(i64::from(*count)),
        AMQPValue::ShortShortUInt(count) => Some(i64::from(*count)),
        AMQPValue::ShortInt(count) => Some(i64::from(*count)),
        AMQPValue::ShortUInt(count) => Some(i64::from(*count)),
        AMQPValue::LongInt(count) => Some(i64::from(*count)),
        AMQPValue::LongUInt(count) => Some(i64::from(*count)),
        AMQPValue::LongLongInt(count) => Some(*count),
        AMQPValue::Boolean(_)
        | AMQPValue::Float(_)
        | AMQPValue::Double(_)
        | AMQPValue::DecimalValue(_)
        | AMQPValue::ShortString(_)
        | AMQPValue::LongString(_)
        | AMQPValue::FieldArray(_)
        | AMQPValue::Timestamp(_)
        | AMQPValue::FieldTable(_)
        | AMQPValue::ByteArray(_)
        | AMQPValue::Void => None,
    }
}

/// FNV-1a, 64 bits: stable, unlike the standard library's hasher.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata() -> Metadata<'static> {
        Metadata { id: "payment.completed:7", schema: "payment.completed/1", ..Metadata::default() }
    }

    #[test]
    fn metadata_survives_the_wire_format() {
        let metadata = Metadata { retries: 3, reason: Some("the store is away"), ..metadata() };
        let properties = metadata.properties().unwrap();
        assert_eq!(id(&properties, b"").as_str(), "payment.completed:7");
        assert_eq!(schema(&properties), "payment.completed/1");
        assert_eq!(retries(&properties), 3);
        assert_eq!(reason(&properties), "the store is away");
        assert_eq!(*properties.delivery_mode(), Some(PERSISTENT));
    }

    #[test]
    fn a_message_without_an_id_has_the_same_id_every_time() {
        let nameless = BasicProperties::default();
        assert_eq!(id(&nameless, b"a body"), id(&nameless, b"a body"));
        assert_ne!(id(&nameless, b"a body"), id(&nameless, b"another"));
        // The published test vector of FNV-1a for the text "foobar".
        assert_eq!(id(&nameless, b"foobar").as_str(), "unnamed:85944171f73967e8");
    }

    #[test]
    fn headers_of_other_types_are_ignored() {
        let mut headers = FieldTable::default();
        headers.insert(RETRIES.into(), AMQPValue::LongString("many".into()));
        headers.insert(REASON.into(), AMQPValue::Boolean(true));
        headers.insert(DEATHS.into(), AMQPValue::LongString("not a list".into()));
        let strange = BasicProperties::default().with_headers(headers);
        assert_eq!((retries(&strange), reason(&strange)), (0, String::new()));
        let mut negative = FieldTable::default();
        negative.insert(RETRIES.into(), AMQPValue::LongInt(-1));
        assert_eq!(retries(&BasicProperties::default().with_headers(negative)), 0);
    }

    #[test]
    fn texts_that_amqp_cannot_carry_are_errors_and_no_panics() {
        let long = "i".repeat(256);
        let error = Metadata { id: &long, ..metadata() }.properties().unwrap_err();
        assert!(error.contains("256 bytes"), "{error}");
        let chatty = "ў".repeat(1_000);
        let properties = Metadata { reason: Some(&chatty), ..metadata() }.properties().unwrap();
        assert_eq!(reason(&properties).len(), 1_000);
    }
}
