//! The callback as text: `application/x-www-form-urlencoded`, kept exactly as received, because the signature covers
//! the bytes and not their meaning (docs/click.md, sections 1.2 and 1.3).

use std::borrow::Cow;

use percent_encoding::percent_decode;
use serde_json::{Map, Value};

use crate::{
    card,
    sign::{SecretKey, SignedBytes},
};

/// A body that is not a callback as CLICK documents it: answered with -8, whether it is signed or not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadForm {
    #[error("{0} is given twice")]
    Twice(&'static str),
    #[error("{0} is missing or empty")]
    Missing(&'static str),
}

/// The fields of a callback, form-decoded and otherwise as received. Empty ones count as not given, but for `error_note`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallbackForm {
    values: [Option<Field>; FIELDS.len()],
}

/// What the signature covers, and the same as text: NUL, which PostgreSQL cannot keep, and bytes that are not UTF-8 become U+FFFD,
/// which no valid value has.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    raw: Vec<u8>,
    text: String,
}

macro_rules! fields {
    ($($index:literal $name:ident),* $(,)?) => {
        /// The names of section 1.2, in the order in which they are kept.
        pub const FIELDS: [&str; 11] = [$(stringify!($name)),*];

        impl CallbackForm {
            $(pub fn $name(&self) -> Option<&str> {
                self.values[$index].as_ref().map(|field| field.text.as_str())
            })*
        }
    };
}

fields! {
    0 click_trans_id,
    1 service_id,
    2 click_paydoc_id,
    3 merchant_trans_id,
    4 merchant_prepare_id,
    5 amount,
    6 action,
    7 error,
    8 error_note,
    9 sign_time,
    10 sign_string,
}

const CLICK_TRANS_ID: usize = 0;
const SERVICE_ID: usize = 1;
const MERCHANT_TRANS_ID: usize = 3;
const MERCHANT_PREPARE_ID: usize = 4;
const AMOUNT: usize = 5;
const ACTION: usize = 6;
/// Text for people, not signed.
const ERROR_NOTE: usize = 8;
const SIGN_TIME: usize = 9;
const SIGN_STRING: usize = 10;

/// How much is kept of a field, in bytes of JSON: what one byte of a form may become is up to six of them.
const VERIFIED_FIELD_MAX_BYTES: usize = 255;
const UNVERIFIED_FIELD_MAX_BYTES: usize = 64;

impl CallbackForm {
    /// Reads a body. What could be read is returned also when the whole is refused, to be kept with the refusal.
    ///
    /// Unknown fields are ignored: they are not signed. A known one given twice is refused. Line ends after the last
    /// value are not part of it.
    pub fn parse(body: &[u8]) -> (Self, Result<(), BadForm>) {
        let mut form = Self::default();
        let mut given = [false; FIELDS.len()];
        let mut problem = None;
        let end = body.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
        for pair in body[..end].split(|byte| *byte == b'&') {
            let (name, value) = split_pair(pair);
            let name = decode(name);
            let Some(index) = FIELDS.iter().position(|field| field.as_bytes() == name.as_ref()) else {
                continue;
            };
            if given[index] {
                problem.get_or_insert(BadForm::Twice(FIELDS[index]));
                continue;
            }
            given[index] = true;
            let raw = decode(value).into_owned();
            if !raw.is_empty() || index == ERROR_NOTE {
                let text = String::from_utf8_lossy(&raw).replace('\0', "\u{fffd}");
                form.values[index] = Some(Field { raw, text });
            }
        }
        let outcome = problem.map_or_else(|| form.require_fields(), Err);
        (form, outcome)
    }

    /// `merchant_prepare_id` is required of a Complete only.
    fn require_fields(&self) -> Result<(), BadForm> {
        let is_complete = self.action() == Some("1");
        let missing = FIELDS.iter().enumerate().find(|(index, _)| {
            self.values[*index].is_none() && (*index != MERCHANT_PREPARE_ID || is_complete)
        });
        missing.map_or(Ok(()), |(_, field)| Err(BadForm::Missing(field)))
    }

    /// Whether the signature is CLICK's, compared in constant time. A form without one is not signed.
    ///
    /// Only Complete signs `merchant_prepare_id`; one that comes with a Prepare is not looked at (section 1.3).
    pub fn is_signed_by(&self, secret_key: &SecretKey) -> bool {
        let Some(claimed) = self.sign_string() else { return false };
        self.signed_bytes().is_some_and(|bytes| secret_key.verify_bytes(&bytes, claimed))
    }

    fn signed_bytes(&self) -> Option<SignedBytes<'_>> {
        let raw = |index: usize| self.values[index].as_ref().map(|field| field.raw.as_slice());
        let prepare_id = raw(MERCHANT_PREPARE_ID).filter(|_| self.action() == Some("1"));
        Some(SignedBytes {
            before_key: [raw(CLICK_TRANS_ID)?, raw(SERVICE_ID)?],
            after_key: [
                raw(MERCHANT_TRANS_ID)?,
                prepare_id.unwrap_or_default(),
                raw(AMOUNT)?,
                raw(ACTION)?,
                raw(SIGN_TIME)?,
            ],
        })
    }

    /// Whether it says that the money was taken: a Complete without failure.
    pub fn reports_payment(&self) -> bool {
        self.action() == Some("1") && self.error() == Some("0")
    }

    /// What is kept of a verified callback: every field but the signature, each cut at 255 bytes of JSON. Card numbers
    /// that people wrote into free text are hidden.
    pub fn to_record(&self) -> String {
        self.record(VERIFIED_FIELD_MAX_BYTES, |index| matches!(index, MERCHANT_TRANS_ID | ERROR_NOTE))
    }

    /// What is kept of a callback that is not CLICK's: less than 1 KB of JSON, without any card number.
    pub fn to_unverified_record(&self) -> String {
        self.record(UNVERIFIED_FIELD_MAX_BYTES, |_| true)
    }

    fn record(&self, max_bytes: usize, is_free_text: impl Fn(usize) -> bool) -> String {
        let mut record = Map::new();
        for (index, field) in FIELDS.iter().enumerate().filter(|(index, _)| *index != SIGN_STRING) {
            if let Some(Field { text, .. }) = &self.values[index] {
                let text = if is_free_text(index) { card::hide_numbers(text) } else { text.clone() };
                record.insert((*field).to_owned(), Value::String(cut(&text, max_bytes)));
            }
        }
        Value::Object(record).to_string()
    }
}

/// The beginning of a text that takes at most so many bytes as JSON.
fn cut(text: &str, max_bytes: usize) -> String {
    let mut left = max_bytes;
    text.chars()
        .take_while(|letter| {
            let size = match letter {
                '"' | '\\' => 2,
                '\0'..='\u{1f}' => 6,
                _ => letter.len_utf8(),
            };
            let fits = size <= left;
            left = left.saturating_sub(size);
            fits
        })
        .collect()
}

fn split_pair(pair: &[u8]) -> (&[u8], &[u8]) {
    match pair.iter().position(|byte| *byte == b'=') {
        Some(equals) => (&pair[..equals], &pair[equals + 1..]),
        None => (pair, b""),
    }
}

fn decode(text: &[u8]) -> Cow<'_, [u8]> {
    if text.contains(&b'+') {
        let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
        return Cow::Owned(percent_decode(&spaced).collect());
    }
    percent_decode(text).into()
}
