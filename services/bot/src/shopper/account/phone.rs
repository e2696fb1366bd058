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
    /// The sender's own number, of another country.
    Abroad,
    /// Words, a picture, too few digits.
    Unclear,
}

impl PhoneError {
    pub(crate) fn text(self, language: Language) -> String {
        match self {
            Self::NotOwn => t!(language, "phone-anothers"),
            Self::Abroad => t!(language, "phone-abroad"),
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
    let owner = contact.user_id.and_then(|id| i64::try_from(id.0).ok());
    if owner != Some(sender.get()) {
        return Err(PhoneError::NotOwn);
    }
    Phone::parse(&contact.phone_number).map_err(|_| PhoneError::Abroad)
}

/// Asks for the number with the contact button, and a button that goes on without one.
pub(crate) async fn ask(ctx: &Ctx, html: String, skip_label: String) -> HandlerResult {
    ctx.reply_with(html, Some(keyboard(ctx.language, skip_label))).await
}

fn keyboard(language: Language, skip_label: String) -> ReplyMarkup {
    let share = KeyboardButton::new(l!(language, "phone-share")).request(ButtonRequest::Contact);
    let keyboard = KeyboardMarkup::new([[share], [KeyboardButton::new(skip_label)]]);
    let keyboard = keyboard.resize_keyboard().one_time_keyboard();
    ReplyMarkup::Keyboard(keyboard.input_field_placeholder("+998 90 123 45 67"))
}

/// Whether a text is the [`skip_label`] of any language.
pub(crate) fn is_skip_label(text: &str) -> bool {
    Language::ALL
        .into_iter()
        .any(|language| [true, false].into_iter().any(|first| skip_label(language, first) == text))
}

/// The label of the button that goes on without a number.
pub(crate) fn skip_label(language: Language, is_first: bool) -> String {
    if is_first { l!(language, "phone-later") } else { l!(language, "back") }
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
    fn the_senders_own_contact_is_taken_with_and_without_the_plus() {
        let sender = UserId::try_new(7).unwrap();
        for number in ["998901234567", "+998901234567"] {
            let phone = shared(&contact(Some(7), number), sender).unwrap();
            assert_eq!(phone.as_str(), "+998901234567");
        }
    }

    #[test]
    fn a_contact_of_somebody_else_or_without_an_account_is_refused() {
        let sender = UserId::try_new(7).unwrap();
        for owner in [Some(8), None] {
            assert_eq!(shared(&contact(owner, "998901234567"), sender), Err(PhoneError::NotOwn));
        }
        assert_eq!(shared(&contact(Some(7), "+79001234567"), sender), Err(PhoneError::Abroad));
    }

    #[test]
    fn the_skip_button_is_recognised_in_every_language() {
        for text in ["Keyinroq", "Позже", "Later", "⬅️ Orqaga", "⬅️ Назад", "⬅️ Back"] {
            assert!(is_skip_label(text), "{text}");
        }
        assert!(!is_skip_label("90 123 45 67") && !is_skip_label(""));
    }

    #[test]
    fn every_refusal_says_what_to_do() {
        for language in Language::ALL {
            for why in [PhoneError::NotOwn, PhoneError::Abroad, PhoneError::Unclear] {
                assert!(why.text(language).chars().count() > 20);
            }
        }
    }
}
