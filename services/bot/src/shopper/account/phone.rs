//! A phone number: shared by the contact button, or typed.

use teloxide::types::{ButtonRequest, Contact, KeyboardButton, KeyboardMarkup, ReplyMarkup};
use tolov_domain::{Language, Phone, UserId};

use crate::{
    conversation::{context::Ctx, error::HandlerResult},
    texts::{l, t},
};

/// Why a message is not taken as a phone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PhoneError {
    /// A contact that is not the sender's own.
    NotOwn,
    /// Words, a picture, too few digits.
    Unclear,
}

impl PhoneError {
    pub(crate) fn text(self, language: Language) -> String {
        match self {
            Self::NotOwn => t!(language, "phone-anothers"),
            Self::Unclear => t!(language, "phone-unclear"),
        }
    }
}

/// The phone number in a message.
pub(crate) fn read(ctx: &Ctx) -> Result<Phone, PhoneError> {
    match ctx.message().and_then(|message| message.contact()) {
        Some(contact) => shared(contact, ctx.id()),
        None => Phone::parse(ctx.text().unwrap_or_default()).map_err(|_| PhoneError::Unclear),
    }
}

/// The contact button shares the sender's own number. Any other contact may be anybody's.
fn shared(contact: &Contact, sender: UserId) -> Result<Phone, PhoneError> {
    if !is_own(contact, sender) {
        return Err(PhoneError::NotOwn);
    }
    number_of(contact).ok_or(PhoneError::Unclear)
}

pub(crate) fn is_own(contact: &Contact, sender: UserId) -> bool {
    contact.user_id.and_then(|id| i64::try_from(id.0).ok()) == Some(sender.get())
}

/// Telegram writes the number of a contact with the country's code, and often without the plus.
pub(crate) fn number_of(contact: &Contact) -> Option<Phone> {
    Phone::parse(&format!("+{}", contact.phone_number.trim_start_matches('+'))).ok()
}

/// Asks for the number with the contact button, and a button that leads back.
pub(crate) async fn ask(ctx: &Ctx, html: String) -> HandlerResult {
    let share = KeyboardButton::new(l!(ctx.language, "phone-share")).request(ButtonRequest::Contact);
    let keyboard = with_back(ctx.language, share).input_field_placeholder("+998 90 123 45 67");
    ctx.reply_with(html, Some(ReplyMarkup::Keyboard(keyboard))).await
}

/// A keyboard with a button, and one that leads back.
pub(crate) fn with_back(language: Language, button: KeyboardButton) -> KeyboardMarkup {
    let keyboard = KeyboardMarkup::new([[button], [KeyboardButton::new(l!(language, "back"))]]);
    keyboard.resize_keyboard().one_time_keyboard()
}

/// Whether a text is the label of the back button in any language.
pub(crate) fn is_back_label(text: &str) -> bool {
    Language::ALL.into_iter().any(|language| l!(language, "back") == text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn contact(user_id: Option<u64>, number: &str) -> Contact {
        serde_json::from_value(json!({"phone_number": number, "first_name": "Ali", "user_id": user_id}))
            .unwrap()
    }

    #[test]
    fn the_senders_own_contact_is_taken_with_and_without_the_plus_from_any_country() {
        let sender = UserId::try_new(7).unwrap();
        for (number, taken) in [
            ("998901234567", "+998901234567"),
            ("+998901234567", "+998901234567"),
            ("79001234567", "+79001234567"),
            ("4520123456", "+4520123456"),
        ] {
            let phone = shared(&contact(Some(7), number), sender).unwrap();
            assert_eq!(phone.as_str(), taken);
        }
    }

    #[test]
    fn a_contact_of_somebody_else_or_without_an_account_is_refused() {
        let sender = UserId::try_new(7).unwrap();
        for owner in [Some(8), None] {
            assert_eq!(shared(&contact(owner, "998901234567"), sender), Err(PhoneError::NotOwn));
        }
        assert_eq!(shared(&contact(Some(7), "12"), sender), Err(PhoneError::Unclear));
    }

    #[test]
    fn the_back_button_is_recognised_in_every_language() {
        for text in ["⬅️ Orqaga", "⬅️ Назад", "⬅️ Back"] {
            assert!(is_back_label(text), "{text}");
        }
        assert!(!is_back_label("90 123 45 67") && !is_back_label(""));
    }

    #[test]
    fn every_refusal_says_what_to_do() {
        for (language, button) in [(Language::Uz, "tugma"), (Language::Ru, "кнопк"), (Language::En, "button")]
        {
            assert!(PhoneError::NotOwn.text(language).contains(button), "{language:?}");
            assert!(PhoneError::Unclear.text(language).contains("+998 90 123 45 67"), "{language:?}");
        }
    }
}
