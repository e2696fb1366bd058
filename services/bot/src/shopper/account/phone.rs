//! A phone number: shared by the contact button, or typed.

use teloxide::types::{ButtonRequest, Contact, KeyboardButton, KeyboardMarkup, KeyboardRemove, ReplyMarkup};
use tolov_domain::{Language, Phone, UserId};

use crate::{
    conversation::{context::Ctx, dialogue::Step, error::HandlerResult},
    texts::{l, t},
};

/// Why there is no number in what came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPhone {
    /// A contact, but somebody else's.
    Anothers,
    /// The person's own number, of another country.
    Abroad,
    /// Words, a picture, too few digits.
    Unclear,
}

impl NoPhone {
    pub(crate) fn say(self, language: Language) -> String {
        match self {
            Self::Anothers => t!(language, "phone-anothers"),
            Self::Abroad => t!(language, "phone-abroad"),
            Self::Unclear => t!(language, "phone-unclear"),
        }
    }
}

/// The number in what a person sent.
pub(crate) fn read(ctx: &Ctx) -> Result<Phone, NoPhone> {
    match ctx.message().and_then(|message| message.contact()) {
        Some(contact) => shared(contact, ctx.id()),
        None => Phone::parse(ctx.text().unwrap_or_default()).map_err(|_| NoPhone::Unclear),
    }
}

/// The contact button shares the sender's own number; any other contact could be anybody's.
fn shared(contact: &Contact, sender: UserId) -> Result<Phone, NoPhone> {
    let owner = contact.user_id.and_then(|id| i64::try_from(id.0).ok());
    if owner != Some(sender.get()) {
        return Err(NoPhone::Anothers);
    }
    Phone::parse(&contact.phone_number).map_err(|_| NoPhone::Abroad)
}

/// Asks for the number with the contact button; `way_out` is the label of the button that goes on without.
pub(crate) async fn ask(ctx: &Ctx, html: String, way_out: String) -> HandlerResult {
    ctx.reply_with(html, Some(keyboard(ctx.language, way_out))).await
}

fn keyboard(language: Language, way_out: String) -> ReplyMarkup {
    let share = KeyboardButton::new(l!(language, "phone-share")).request(ButtonRequest::Contact);
    let keyboard = KeyboardMarkup::new([[share], [KeyboardButton::new(way_out)]]);
    let keyboard = keyboard.resize_keyboard().one_time_keyboard();
    ReplyMarkup::Keyboard(keyboard.input_field_placeholder("+998 90 123 45 67"))
}

/// Says something and takes the keyboard away, which only a message can do.
pub(crate) async fn say_without_keyboard(ctx: &Ctx, html: String) -> HandlerResult {
    ctx.reply_with(html, Some(ReplyMarkup::KeyboardRemove(KeyboardRemove::new()))).await
}

/// Takes the keyboard away where the conversation leaves a step that shows one.
pub(crate) async fn put_away(ctx: &Ctx) -> HandlerResult {
    if !matches!(ctx.dialogue.step, Step::Phone { .. } | Step::Address) {
        return Ok(());
    }
    say_without_keyboard(ctx, t!(ctx.language, "keyboard-put-away")).await
}

/// Whether a text is what [`way_out`] says, in whatever language the keyboard was shown.
pub(crate) fn is_way_out(text: &str) -> bool {
    Language::ALL
        .into_iter()
        .any(|language| [true, false].into_iter().any(|first| way_out(language, first) == text))
}

/// The label that goes on without a number.
pub(crate) fn way_out(language: Language, is_first: bool) -> String {
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
    fn anothers_contact_and_one_of_nobody_in_telegram_are_refused() {
        let sender = UserId::try_new(7).unwrap();
        for owner in [Some(8), None] {
            assert_eq!(shared(&contact(owner, "998901234567"), sender), Err(NoPhone::Anothers));
        }
        assert_eq!(shared(&contact(Some(7), "+79001234567"), sender), Err(NoPhone::Abroad));
    }

    #[test]
    fn the_way_out_is_known_in_every_language() {
        for text in ["Keyinroq", "Позже", "Later", "⬅️ Orqaga", "⬅️ Назад", "⬅️ Back"] {
            assert!(is_way_out(text), "{text}");
        }
        assert!(!is_way_out("90 123 45 67") && !is_way_out(""));
    }

    #[test]
    fn every_refusal_says_what_to_do() {
        for language in Language::ALL {
            for why in [NoPhone::Anothers, NoPhone::Abroad, NoPhone::Unclear] {
                assert!(why.say(language).chars().count() > 20);
            }
        }
    }
}
