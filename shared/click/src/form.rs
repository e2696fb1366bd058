//! The callback as text: `application/x-www-form-urlencoded`, kept exactly as received, because the signature covers
//! the text and not its meaning (section 1.4).

use std::borrow::Cow;

use percent_encoding::percent_decode;
use serde_json::{Map, Value};

use crate::sign::{SecretKey, SignedFields};

/// A body that cannot be a callback of CLICK: answered with -8, before any signature is looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadForm {
    #[error("the body is not UTF-8 after form decoding")]
    NotUtf8,
    #[error("{0} is given twice")]
    Twice(&'static str),
    #[error("{0} is missing or empty")]
    Missing(&'static str),
}

/// The fields of a callback, form-decoded and otherwise as received. Empty ones count as not given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallbackForm {
    values: [Option<String>; FIELDS.len()],
}

macro_rules! fields {
    ($($index:literal $name:ident),* $(,)?) => {
        /// The names of section 1.2, in the order in which they are kept.
        pub const FIELDS: [&str; 11] = [$(stringify!($name)),*];

        impl CallbackForm {
            $(pub fn $name(&self) -> Option<&str> {
                self.values[$index].as_deref()
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

const SIGN_STRING: usize = 10;
const MERCHANT_PREPARE_ID: usize = 4;

impl CallbackForm {
    /// Reads a body. What could be read is returned also when the whole is refused, to be kept with the refusal.
    ///
    /// Unknown fields are ignored: they are not signed. A known one given twice is refused, whichever came first.
    pub fn parse(body: &[u8]) -> (Self, Result<(), BadForm>) {
        let mut form = Self::default();
        let mut given = [false; FIELDS.len()];
        let mut problem = None;
        for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let (name, value) = split_pair(pair);
            let (Some(name), Some(value)) = (decode(name), decode(value)) else {
                problem.get_or_insert(BadForm::NotUtf8);
                continue;
            };
            let Some(index) = FIELDS.iter().position(|field| *field == name) else { continue };
            if given[index] {
                problem.get_or_insert(BadForm::Twice(FIELDS[index]));
                continue;
            }
            given[index] = true;
            form.values[index] = Some(value.into_owned()).filter(|value| !value.is_empty());
        }
        let outcome = problem.map_or_else(|| form.require_fields(), Err);
        (form, outcome)
    }

    /// `merchant_prepare_id` is required of a Complete only.
    fn require_fields(&self) -> Result<(), BadForm> {
        let is_complete = self.action() == Some("1");
        FIELDS
            .iter()
            .enumerate()
            .find(|(index, _)| {
                self.values[*index].is_none() && (*index != MERCHANT_PREPARE_ID || is_complete)
            })
            .map_or(Ok(()), |(_, field)| Err(BadForm::Missing(field)))
    }

    /// Whether the signature is CLICK's, compared in constant time. A form without one is not signed.
    ///
    /// Only Complete signs `merchant_prepare_id`; one that comes with a Prepare is not looked at (section 1.3).
    pub fn is_signed_by(&self, secret_key: &SecretKey) -> bool {
        let Some(claimed) = self.sign_string() else { return false };
        self.signed_fields().is_some_and(|fields| secret_key.verify(&fields, claimed))
    }

    fn signed_fields(&self) -> Option<SignedFields<'_>> {
        Some(SignedFields {
            click_trans_id: self.click_trans_id()?,
            service_id: self.service_id()?,
            merchant_trans_id: self.merchant_trans_id()?,
            merchant_prepare_id: self.merchant_prepare_id().filter(|_| self.action() == Some("1")),
            amount: self.amount()?,
            action: self.action()?,
            sign_time: self.sign_time()?,
        })
    }

    /// What is kept of a callback: every field but the signature, each cut at 255 characters.
    pub fn to_record(&self) -> String {
        let mut record = Map::new();
        for (index, field) in FIELDS.iter().enumerate().filter(|(index, _)| *index != SIGN_STRING) {
            if let Some(value) = &self.values[index] {
                record.insert((*field).to_owned(), Value::String(value.chars().take(255).collect()));
            }
        }
        Value::Object(record).to_string()
    }
}

fn split_pair(pair: &[u8]) -> (&[u8], &[u8]) {
    match pair.iter().position(|byte| *byte == b'=') {
        Some(equals) => (&pair[..equals], &pair[equals + 1..]),
        None => (pair, b""),
    }
}

fn decode(text: &[u8]) -> Option<Cow<'_, str>> {
    if text.contains(&b'+') {
        let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
        let decoded = percent_decode(&spaced).decode_utf8().ok()?.into_owned();
        return Some(Cow::Owned(decoded));
    }
    percent_decode(text).decode_utf8().ok()
}
