//! Every word that people read, from locales/ in Uzbek, Russian and English.

use std::{borrow::Cow, collections::HashMap};

use fluent_templates::{LanguageIdentifier, fluent_bundle::FluentValue, langid};
use teloxide::utils::html;
use tolov_domain::{Language, OrderId, ProductId, Tiyin, UserId, time::TASHKENT, time::Timestamp};

fluent_templates::static_loader! {
    static LOCALES = {
        locales: "./locales",
        fallback_language: "uz",
        // Telegram shows the isolation marks as boxes on some devices, and no text here runs right to left.
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

/// Says a text of locales/ as Telegram's HTML: `t!(language, "cart-total", total = money(language, sum))`.
///
/// What fills a gap is escaped, so no name of a product can become markup; [`Html`] is markup already. Numbers choose the
/// plural form of the language.
macro_rules! t {
    ($language:expr, $key:literal $(, $gap:ident = $value:expr)* $(,)?) => {
        $crate::texts::say(
            $language,
            $key,
            &$crate::texts::Gaps::new()$(.with(stringify!($gap), $crate::texts::Gap::in_html(&$value)))*,
        )
    };
}

/// The same for places that know no markup: buttons, answers to taps, captions of commands.
macro_rules! l {
    ($language:expr, $key:literal $(, $gap:ident = $value:expr)* $(,)?) => {
        $crate::texts::say(
            $language,
            $key,
            &$crate::texts::Gaps::new()$(.with(stringify!($gap), $crate::texts::Gap::plain(&$value)))*,
        )
    };
}

pub(crate) use {l, t};

/// A value as it fills the gap of a text.
pub(crate) trait Gap {
    /// In a text that is HTML.
    fn in_html(&self) -> FluentValue<'static>;
    /// In a text that is not.
    fn plain(&self) -> FluentValue<'static>;
}

macro_rules! texts {
    ($($kind:ty),*) => {$(
        impl Gap for $kind {
            fn in_html(&self) -> FluentValue<'static> {
                FluentValue::String(Cow::Owned(html::escape(&self.to_string())))
            }

            fn plain(&self) -> FluentValue<'static> {
                FluentValue::String(Cow::Owned(self.to_string()))
            }
        }
    )*};
}
texts!(str, &str, String, &String, OrderId, UserId, ProductId);

macro_rules! numbers {
    ($($kind:ty),*) => {$(
        impl Gap for $kind {
            fn in_html(&self) -> FluentValue<'static> {
                FluentValue::from(*self)
            }

            fn plain(&self) -> FluentValue<'static> {
                FluentValue::from(*self)
            }
        }
    )*};
}
numbers!(u8, u32, i64, u64, usize);

/// Markup that this program has made itself.
#[derive(Debug, Clone)]
pub(crate) struct Html(pub(crate) String);

impl Gap for Html {
    fn in_html(&self) -> FluentValue<'static> {
        FluentValue::String(Cow::Owned(self.0.clone()))
    }

    fn plain(&self) -> FluentValue<'static> {
        self.in_html()
    }
}

/// What fills the gaps of a text. Whatever is put in by [`Gaps::text`] is escaped.
#[derive(Debug, Default)]
pub(crate) struct Gaps(HashMap<&'static str, FluentValue<'static>>);

impl Gaps {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn with(mut self, name: &'static str, value: FluentValue<'static>) -> Self {
        self.0.insert(name, value);
        self
    }

    pub(crate) fn text(self, name: &'static str, text: &(impl ToString + ?Sized)) -> Self {
        self.with(name, FluentValue::String(Cow::Owned(html::escape(&text.to_string()))))
    }

    /// A number that the language's plural rules look at.
    pub(crate) fn count(self, name: &'static str, count: u32) -> Self {
        self.with(name, FluentValue::from(count))
    }
}

/// A text without gaps.
pub(crate) fn plain(language: Language, key: &'static str) -> String {
    say(language, key, &Gaps::new())
}

/// A text as Telegram's HTML.
pub(crate) fn say(language: Language, key: &'static str, gaps: &Gaps) -> String {
    let found = LOCALES.lookup_single_language(&tag(language), key, Some(&gaps.0));
    // A test sees to it that every text is there in every language with the same gaps.
    found.unwrap_or_else(|_| key.to_owned())
}

/// An amount as people write it: `15 000 so'm`, `15 000 сум`.
pub(crate) fn money(language: Language, amount: Tiyin) -> String {
    say(language, "money", &Gaps::new().text("amount", &amount.grouped()))
}

/// Day and minute in Tashkent, `23.11.2026 12:05`.
pub(crate) fn date_time(at: Timestamp) -> String {
    let at = at.to_offset(TASHKENT);
    let (day, month) = (at.day(), u8::from(at.month()));
    format!("{day:02}.{month:02}.{} {:02}:{:02}", at.year(), at.hour(), at.minute())
}

/// The minute in Tashkent, `12:05`.
pub(crate) fn clock_time(at: Timestamp) -> String {
    let at = at.to_offset(TASHKENT);
    format!("{:02}:{:02}", at.hour(), at.minute())
}

fn tag(language: Language) -> LanguageIdentifier {
    match language {
        Language::Uz => langid!("uz"),
        Language::Ru => langid!("ru"),
        Language::En => langid!("en"),
    }
}

#[cfg(test)]
#[path = "texts_tests.rs"]
mod tests;
