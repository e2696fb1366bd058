//! One line of a trace.

use std::borrow::Cow;

use anyhow::Result;
use fluent_templates::fluent_bundle::FluentValue;
use serde_json::{Map, Value, json};
use time::macros::format_description;
use tolov_domain::{
    Language,
    time::{Timestamp, from_unix_ms, unix_ms},
};

use crate::doctor::texts;

/// Where an entry comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Ledger,
    Outbox,
    Bus,
    Shop,
    Bot,
    Operators,
}

impl Source {
    /// For machines.
    const fn name(self) -> &'static str {
        match self {
            Self::Ledger => "ledger",
            Self::Outbox => "outbox",
            Self::Bus => "bus",
            Self::Shop => "shop",
            Self::Bot => "bot",
            Self::Operators => "operators",
        }
    }

    /// As people call it.
    pub(super) fn title(self, language: Language) -> String {
        texts::text(language, &format!("trace-source-{}", self.name()), &[])
    }
}

/// One thing that is known: a text of locales/ with its placeables.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// `None`: it is so now.
    pub(super) at: Option<Timestamp>,
    pub(super) source: Source,
    pub(super) key: &'static str,
    pub(super) args: Vec<(&'static str, String)>,
    /// Which of them is a state, by its code.
    words: Vec<&'static str>,
}

impl Entry {
    pub(super) const fn new(at: Option<Timestamp>, source: Source, key: &'static str) -> Self {
        Self { at, source, key, args: Vec::new(), words: Vec::new() }
    }

    pub(super) fn at_ms(at_ms: i64, source: Source, key: &'static str) -> Self {
        Self::new(Some(from_unix_ms(at_ms)), source, key)
    }

    /// The store says nothing of the order, for this reason.
    pub(super) fn away(source: Source, reason: String) -> Self {
        Self::new(None, source, "trace-away").with("reason", reason)
    }

    #[expect(clippy::needless_pass_by_value, reason = "numbers and texts come as they are")]
    pub(super) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.args.push((name, value.to_string()));
        self
    }

    /// A state, which a text names in its language.
    pub(super) fn with_word(mut self, name: &'static str, code: impl ToString) -> Self {
        self.words.push(name);
        self.with(name, code)
    }

    pub(super) fn text(&self, language: Language) -> String {
        let value = |(name, value): &(&'static str, String)| {
            let text = if self.words.contains(name) { texts::word(language, value) } else { value.clone() };
            (Cow::Borrowed(*name), FluentValue::String(text.into()))
        };
        texts::say(language, self.key, &self.args.iter().map(value).collect())
    }

    pub(super) fn line(&self, language: Language) -> Result<String> {
        let form = format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:3]Z");
        let at = self.at.map(|at| at.format(form)).transpose()?.unwrap_or_default();
        Ok(format!("{at:24}  {:17}  {}", self.source.title(language), self.text(language)))
    }

    pub(super) fn json(&self, language: Language) -> Value {
        let facts: Map<String, Value> =
            self.args.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into())).collect();
        json!({
            "at_ms": self.at.map(unix_ms),
            "source": self.source.name(),
            "what": self.key.trim_start_matches("trace-"),
            "facts": facts,
            "text": self.text(language),
        })
    }
}
