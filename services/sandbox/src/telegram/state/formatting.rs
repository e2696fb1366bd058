//! Formatted text: what the bot sent, and what the shopper sees.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::html;
use crate::telegram::refusal::Refusal;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormattedText {
    /// What is shown, without markup.
    pub text: String,
    pub entities: Vec<Entity>,
    /// What was sent, with markup.
    pub raw: String,
    pub parse_mode: Option<String>,
}

/// A formatted part of the text. Offset and length count UTF-16 units.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    #[serde(rename = "type")]
    pub kind: String,
    pub offset: usize,
    pub length: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_emoji_id: Option<String>,
}

/// In UTF-16 units.
pub(crate) const MAX_TEXT_UTF16: usize = 4096;
pub(crate) const MAX_CAPTION_UTF16: usize = 1024;

pub(crate) fn utf16_len(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

impl FormattedText {
    /// Reads a text in its parse mode, HTML or none. Explicit entities are ignored with a parse mode.
    pub(crate) fn parse(
        raw: String,
        parse_mode: Option<String>,
        entities: Option<Value>,
    ) -> Result<Self, Refusal> {
        let parse_mode = parse_mode.filter(|mode| !mode.is_empty());
        let parsed = match parse_mode.as_deref().map(str::to_ascii_lowercase).as_deref() {
            None => {
                let entities = entities.map(read_entities).transpose()?.unwrap_or_default();
                return Ok(Self { text: raw.clone(), entities, raw, parse_mode });
            }
            Some("html") => html::parse(&raw),
            Some(_) => {
                return Err(Refusal::bad_request("unsupported parse_mode: the sandbox knows HTML only"));
            }
        };
        let (text, mut entities) = parsed
            .map_err(|problem| Refusal::bad_request(format_args!("can't parse entities: {problem}")))?;
        entities.sort_by_key(|entity| (entity.offset, std::cmp::Reverse(entity.length)));
        Ok(Self { text, entities, raw, parse_mode })
    }

    /// A person's plain text; a leading command becomes an entity.
    pub(crate) fn typed(text: &str) -> Self {
        let mut entities = Vec::new();
        if text.starts_with('/') {
            let command = text.split_whitespace().next().unwrap_or_default();
            let length = utf16_len(command);
            if length > 1 {
                entities.push(Entity { kind: "bot_command".to_owned(), length, ..Entity::default() });
            }
        }
        Self { text: text.to_owned(), entities, raw: text.to_owned(), parse_mode: None }
    }

    pub(crate) fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }
}

fn read_entities(entities: Value) -> Result<Vec<Entity>, Refusal> {
    serde_json::from_value(entities).map_err(|_| Refusal::bad_request("can't parse entities: wrong entity"))
}
