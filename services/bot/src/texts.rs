//! The texts that people read, from locales/ in Uzbek, Russian and English.

use std::{borrow::Cow, collections::HashMap, fmt::Display};

use fluent_templates::{LanguageIdentifier, fluent_bundle::FluentValue, langid};
use teloxide::utils::html;
use tolov_domain::{
    ClickPaydocId, Language, OrderId, ProductId, Tiyin, UserId,
    order::{Portion, Unit, decimal},
    time::{TASHKENT, Timestamp},
};

fluent_templates::static_loader! {
    static LOCALES = {
        locales: "./locales",
        fallback_language: "uz",
        // Telegram shows the isolation marks as boxes on some devices, and no text here runs right to left.
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

/// A text of locales/ as Telegram's HTML: `t!(language, "sum-total", sum = money(language, sum))`.
///
/// Arguments are escaped, so no name of a product can become markup; [`Html`] is markup already. Numbers choose the plural
/// form of the language.
macro_rules! t {
    ($language:expr, $key:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::texts::translate(
            $language,
            $key,
            [$((stringify!($name), $crate::texts::Argument::in_html(&$value))),*],
        )
    };
}

/// The same for places that know no markup: buttons, answers to taps, names of commands.
macro_rules! l {
    ($language:expr, $key:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::texts::translate(
            $language,
            $key,
            [$((stringify!($name), $crate::texts::Argument::plain(&$value))),*],
        )
    };
}

pub(crate) use {l, t};

/// The argument of a text.
pub(crate) trait Argument {
    /// In a text that is HTML.
    fn in_html(&self) -> FluentValue<'static>;
    /// In a text that is not.
    fn plain(&self) -> FluentValue<'static>;
}

macro_rules! displayed {
    ($($kind:ty),*) => {$(
        impl Argument for $kind {
            fn in_html(&self) -> FluentValue<'static> {
                FluentValue::String(Cow::Owned(html::escape(&self.to_string())))
            }

            fn plain(&self) -> FluentValue<'static> {
                FluentValue::String(Cow::Owned(self.to_string()))
            }
        }
    )*};
}
displayed!(str, &str, String, &String, OrderId, UserId, ProductId, ClickPaydocId);

macro_rules! numbers {
    ($($kind:ty),*) => {$(
        impl Argument for $kind {
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

/// Markup that this program has made.
#[derive(Debug, Clone)]
pub(crate) struct Html(pub(crate) String);

impl Argument for Html {
    fn in_html(&self) -> FluentValue<'static> {
        FluentValue::String(Cow::Owned(self.0.clone()))
    }

    fn plain(&self) -> FluentValue<'static> {
        self.in_html()
    }
}

/// For the macros alone.
pub(crate) fn translate<const N: usize>(
    language: Language,
    key: &'static str,
    arguments: [(&'static str, FluentValue<'static>); N],
) -> String {
    let arguments = HashMap::from(arguments);
    // A test sees to it that every text is there in every language with the same arguments.
    LOCALES.lookup_single_language(&tag(language), key, Some(&arguments)).unwrap_or_else(|_| key.to_owned())
}

/// The number of an order or a product: `№1001`, `#1001` in English.
pub(crate) fn number(language: Language, number: impl Display) -> String {
    l!(language, "number", number = number.to_string())
}

/// Tenths of a percent: `87,5 %`, `87.5%` in English.
pub(crate) fn percent(language: Language, permille: u32) -> String {
    let (whole, tenth) = (permille / 10, permille % 10);
    match language {
        Language::Uz | Language::Ru => format!("{whole},{tenth}\u{a0}%"),
        Language::En => format!("{whole}.{tenth}%"),
    }
}

/// `15 %`, `15%` in English.
pub(crate) fn whole_percent(language: Language, percent: u8) -> String {
    match language {
        Language::Uz | Language::Ru => format!("{percent}\u{a0}%"),
        Language::En => format!("{percent}%"),
    }
}

/// A name that reorders no text beside it: one with letters that are written from right to left stands between FSI and PDI.
pub(crate) fn isolated(name: &str) -> Cow<'_, str> {
    let is_mark = |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_rtl = |c: char| matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}');
    if !name.contains(|c| is_mark(c) || is_rtl(c)) {
        return Cow::Borrowed(name);
    }
    let plain: String = name.chars().filter(|c| !is_mark(*c)).collect();
    Cow::Owned(format!("\u{2068}{plain}\u{2069}"))
}

/// An amount as people write it: `15 000 so‘m`, `15 000 сум`, `15 000 UZS`.
pub(crate) fn money(language: Language, amount: Tiyin) -> String {
    l!(language, "money", amount = amount.grouped())
}

/// What is counted in portions as people write it: `1,5 kg`, in English `1.5 kg`.
pub(crate) fn amount(language: Language, portion: Portion, count: u32) -> String {
    let separator = if language == Language::En { '.' } else { ',' };
    format!("{}\u{a0}{}", decimal(portion.thousandths_of(count), separator), unit(language, portion.unit))
}

/// The price of a piece, or of a kilogram, litre or metre: `24 000 so‘m/kg`.
pub(crate) fn unit_price(language: Language, price: Tiyin, portion: Option<Portion>) -> String {
    let sum = money(language, price);
    portion.map_or(sum.clone(), |portion| format!("{sum}/{}", unit(language, portion.unit)))
}

pub(crate) fn unit(language: Language, unit: Unit) -> String {
    match unit {
        Unit::Kilogram => l!(language, "unit-kilogram"),
        Unit::Litre => l!(language, "unit-litre"),
        Unit::Metre => l!(language, "unit-metre"),
    }
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
