//! Findings, and how they are printed.

use std::borrow::Cow;

use fluent_templates::fluent_bundle::FluentValue;
use tolov_domain::Language;

use super::texts::{self, Args};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Good,
    /// It works, but perhaps not as intended.
    Doubtful,
    /// It does not work, or must be changed.
    Bad,
}

/// A text of locales/, and for what is not good a second one that says what to do.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub(super) level: Level,
    pub(super) key: &'static str,
    args: Vec<(&'static str, String)>,
    /// The variable whose explanation is part of the remedy.
    variable: Option<&'static str>,
}

impl Finding {
    pub(super) const fn good(key: &'static str) -> Self {
        Self::new(Level::Good, key)
    }

    pub(super) const fn doubtful(key: &'static str) -> Self {
        Self::new(Level::Doubtful, key)
    }

    pub(super) const fn bad(key: &'static str) -> Self {
        Self::new(Level::Bad, key)
    }

    const fn new(level: Level, key: &'static str) -> Self {
        Self { level, key, args: Vec::new(), variable: None }
    }

    /// Sets a placeable. Never to a secret.
    #[expect(clippy::needless_pass_by_value, reason = "numbers and texts come as they are")]
    pub(super) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.args.push((name, value.to_string()));
        self
    }

    pub(super) fn about(mut self, variable: &'static str) -> Self {
        self.variable = Some(variable);
        self.with("name", variable)
    }

    /// Whether the setting should be given once more, and not only looked at.
    pub(crate) fn rejects(&self) -> bool {
        self.level == Level::Bad || (self.level == Level::Doubtful && self.key.ends_with("-form"))
    }

    /// A server that does not answer, such as a service that was not started yet, makes no setting wrong.
    pub(super) fn without_blame_for_silence(self) -> Self {
        let is_silence = self.level == Level::Bad && self.key.ends_with("-away");
        if is_silence { Self { level: Level::Doubtful, ..self } } else { self }
    }

    /// Whether it is about this variable: by the variable that it explains, or by what its key says.
    pub(super) fn is_about(&self, variable: &str) -> bool {
        if let Some(explained) = self.variable {
            return explained == variable;
        }
        let prefixes: &[&str] = match variable {
            "BOT_TOKEN" => &["bot-token-", "token-", "telegram-", "inline-"],
            "DB_CHANNEL" => &["channel-"],
            "STORE_CHANNEL" => &["store-channel-"],
            "ADMIN_IDS" => &["owner-", "owners-"],
            "CLICK_SECRET_KEY" => &["click-key-"],
            "DELIVERY_PRICE" => &["delivery-"],
            "PUBLIC_URL" => &["public-"],
            _ => &[],
        };
        prefixes.iter().any(|prefix| self.key.starts_with(prefix))
    }

    pub(crate) fn to_text(&self, language: Language) -> String {
        let mut args = Args::new();
        for (name, value) in &self.args {
            args.insert(Cow::Borrowed(*name), FluentValue::String(value.clone().into()));
        }
        if let Some(variable) = self.variable {
            let about = texts::about(language, variable);
            args.insert(Cow::Borrowed("about"), FluentValue::String(about.into()));
        }
        let sign = match self.level {
            Level::Good => "✓",
            Level::Doubtful => "!",
            Level::Bad => "✗",
        };
        let text = texts::say(language, self.key, &args);
        if self.level == Level::Good {
            return format!("{sign} {text}");
        }
        format!("{sign} {text}\n    → {}", texts::say(language, &remedy_key(self.key), &args))
    }
}

/// The text that says what to do about a finding.
pub(super) fn remedy_key(key: &str) -> String {
    format!("{key}-do")
}

/// Prints findings as they come, and counts them.
#[derive(Debug)]
pub(super) struct Report {
    language: Language,
    is_before_the_start: bool,
    doubtful: u32,
    bad: u32,
}

impl Report {
    pub(super) const fn new(language: Language) -> Self {
        Self { language, is_before_the_start: false, doubtful: 0, bad: 0 }
    }

    pub(super) fn before_the_start(self) -> Self {
        Self { is_before_the_start: true, ..self }
    }

    pub(super) fn tell(&mut self, findings: Vec<Finding>) {
        for mut finding in findings {
            if self.is_before_the_start {
                finding = finding.without_blame_for_silence();
            }
            println!("{}", finding.to_text(self.language));
            match finding.level {
                Level::Good => {}
                Level::Doubtful => self.doubtful += 1,
                Level::Bad => self.bad += 1,
            }
        }
    }

    /// The last line. Returns whether nothing is wrong.
    pub(super) fn conclude(&self) -> bool {
        let mut args = Args::new();
        args.insert(Cow::Borrowed("bad"), FluentValue::from(self.bad));
        args.insert(Cow::Borrowed("doubtful"), FluentValue::from(self.doubtful));
        let key = match (self.bad, self.doubtful) {
            (0, 0) => "all-well",
            (0, _) => "some-doubtful",
            (_, _) => "some-bad",
        };
        println!("\n{}", texts::say(self.language, key, &args));
        self.bad == 0
    }
}

/// What went wrong with a request, without its URL, which has the token where it is the Bot API's.
pub(super) fn why(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
