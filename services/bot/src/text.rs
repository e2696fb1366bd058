//! Every word that people read, from locales/ in Uzbek, Russian and English.

use std::{borrow::Cow, collections::HashMap};

use fluent_templates::{LanguageIdentifier, fluent_bundle::FluentValue, langid};
use teloxide::utils::html;
use tolov_domain::{Language, Tiyin, time::Instant, time::TASHKENT};

fluent_templates::static_loader! {
    static LOCALES = {
        locales: "./locales",
        fallback_language: "uz",
        // Telegram shows the isolation marks as boxes on some devices, and no text here runs right to left.
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

macro_rules! keys {
    ($($name:ident = $text:literal),* $(,)?) => {
        /// The name of a text in locales/.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Key { $($name),* }

        impl Key {
            #[cfg(test)]
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name),*];

            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

keys! {
    Money = "money",
    PaidTitle = "paid-title",
    PaidTotal = "paid-total",
    PaidPayment = "paid-payment",
    PaidThanks = "paid-thanks",
    ExpiredTitle = "expired-title",
    ExpiredCart = "expired-cart",
    OrderLine = "order-line",
    OrderLineUntitled = "order-line-untitled",
    OrderLinesMore = "order-lines-more",
    Greeting = "greeting",
    Commands = "commands",
    Unknown = "unknown",
    TryLater = "try-later",
    OrdersTitle = "orders-title",
    OrdersEmpty = "orders-empty",
    OrdersEntry = "orders-entry",
    StatusPending = "status-pending",
    StatusPaid = "status-paid",
    StatusExpired = "status-expired",
    StaffPaidTitle = "staff-paid-title",
    StaffLateTitle = "staff-late-title",
    StaffQuestionedTitle = "staff-questioned-title",
    StaffShopper = "staff-shopper",
    StaffTime = "staff-time",
    StaffDigestTitle = "staff-digest-title",
    StaffDigestEntry = "staff-digest-entry",
    StaffDigestAttention = "staff-digest-attention",
    TodoLate = "todo-late",
    TodoCancelAfterPaid = "todo-cancel-after-paid",
    TodoPaidTwice = "todo-paid-twice",
    TodoConfirmedAfterCancel = "todo-confirmed-after-cancel",
    TodoAmountDiffers = "todo-amount-differs",
    TodoTransactionReused = "todo-transaction-reused",
    TodoOther = "todo-other",
}

/// What fills the gaps of a text. Whatever is put in is escaped, so no name of a product can become markup.
#[derive(Debug, Default)]
pub(crate) struct Gaps(HashMap<&'static str, FluentValue<'static>>);

impl Gaps {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn text(mut self, name: &'static str, text: &(impl ToString + ?Sized)) -> Self {
        self.0.insert(name, FluentValue::String(Cow::Owned(html::escape(&text.to_string()))));
        self
    }

    /// A number that the language's plural rules look at.
    pub(crate) fn count(mut self, name: &'static str, count: u32) -> Self {
        self.0.insert(name, FluentValue::from(count));
        self
    }
}

/// A text without gaps.
pub(crate) fn plain(language: Language, key: Key) -> String {
    say(language, key, &Gaps::new())
}

/// A text as Telegram's HTML.
pub(crate) fn say(language: Language, key: Key, gaps: &Gaps) -> String {
    let found = LOCALES.lookup_single_language(&tag(language), key.as_str(), Some(&gaps.0));
    // A test sees to it that every text is there in every language with the same gaps.
    found.unwrap_or_else(|_| key.as_str().to_owned())
}

/// An amount as people write it: `15 000 so'm`, `15 000 сум`.
pub(crate) fn money(language: Language, amount: Tiyin) -> String {
    say(language, Key::Money, &Gaps::new().text("amount", &amount.grouped()))
}

/// Day and minute in Tashkent, `23.11.2026 12:05`.
pub(crate) fn date_time(at: Instant) -> String {
    let at = at.to_offset(TASHKENT);
    let (day, month) = (at.day(), u8::from(at.month()));
    format!("{day:02}.{month:02}.{} {:02}:{:02}", at.year(), at.hour(), at.minute())
}

/// The minute in Tashkent, `12:05`.
pub(crate) fn clock_time(at: Instant) -> String {
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
#[path = "text_tests.rs"]
mod tests;
