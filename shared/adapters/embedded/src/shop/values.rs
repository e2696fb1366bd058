//! Keys and indexed values: each is a number or a text, which columns of the type ANY keep apart.

use std::borrow::Cow;

use serde_json::Value;
use sqlx::{
    Encode, Row, Sqlite, Type,
    encode::IsNull,
    error::BoxDynError,
    sqlite::{SqliteArgumentsBuffer, SqliteRow, SqliteTypeInfo},
};
use tolov_domain::ports::documents::Key;

/// A number or a text as a parameter of a statement.
#[derive(Debug, Clone)]
pub(super) enum Parameter<'a> {
    Number(i64),
    Text(Cow<'a, str>),
}

impl<'a> Parameter<'a> {
    /// `None` for a value that documents are not found by.
    pub(super) fn of(value: &'a Value) -> Option<Self> {
        value.as_i64().map(Self::Number).or_else(|| value.as_str().map(Self::from))
    }

    /// A list, for `json_each`.
    pub(super) fn list(values: &Value) -> Self {
        Self::Text(values.to_string().into())
    }
}

impl<'a> From<&'a str> for Parameter<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text.into())
    }
}

impl<'a> From<&'a Key> for Parameter<'a> {
    fn from(key: &'a Key) -> Self {
        match key {
            Key::Number(number) => Self::Number(*number),
            Key::Text(text) => Self::Text(text.into()),
        }
    }
}

impl Type<Sqlite> for Parameter<'_> {
    fn type_info() -> SqliteTypeInfo {
        <str as Type<Sqlite>>::type_info()
    }
}

impl Encode<'_, Sqlite> for Parameter<'_> {
    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        match self {
            Self::Number(number) => Encode::<Sqlite>::encode_by_ref(number, buffer),
            Self::Text(text) => Encode::<Sqlite>::encode_by_ref(text, buffer),
        }
    }
}

pub(super) fn key_json(key: &Key) -> Value {
    match key {
        Key::Number(number) => (*number).into(),
        Key::Text(text) => text.as_str().into(),
    }
}

/// The column `key` of a row.
pub(super) fn read_key(row: &SqliteRow) -> sqlx::Result<Key> {
    row.try_get("key").map(Key::Number).or_else(|_| row.try_get("key").map(Key::Text))
}
