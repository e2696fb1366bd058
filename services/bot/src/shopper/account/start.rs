//! The first visit: a language, then a phone number, then the shop; and where links lead.

use tolov_domain::Language;
use tolov_shop::shopper;

use crate::{
    conversation::{context::Ctx, dialogue::Step, error::HandlerResult, link::Link, screen::Screen},
    shopper::{
        account::{language::language_buttons, phone, profile},
        catalogue::card,
        menu, orders,
    },
    texts::{l, t},
};

/// /start. Whoever has chosen a language gets to the target of the link at once.
pub(crate) async fn start(ctx: Ctx, payload: String) -> HandlerResult {
    let link = Some(payload).filter(|payload| !payload.is_empty());
    if ctx.has_chosen {
        ctx.leave_step().await?;
        return follow(ctx, link.as_deref()).await;
    }
    ctx.wait_for(Step::Language { link });
    ctx.show(first_question()).await
}

/// A message that came before a language was chosen.
pub(crate) async fn ask_language(ctx: Ctx) -> HandlerResult {
    ctx.show(first_question()).await
}

/// In all languages, because the person's is not known yet.
fn first_question() -> Screen {
    let asked: Vec<String> = Language::ALL.into_iter().map(|language| t!(language, "language-ask")).collect();
    Screen::new(asked.join("\n")).rows(language_buttons(None))
}

/// A language was tapped, on the first visit or later.
pub(crate) async fn choose_language(mut ctx: Ctx, language: Language) -> HandlerResult {
    let is_chosen_already = ctx.has_chosen && ctx.language == language;
    if !is_chosen_already {
        shopper::change(ctx.documents(), ctx.id(), |shopper| shopper.language = Some(language)).await?;
    }
    ctx.language = language;
    ctx.has_chosen = true;
    let step = ctx.step();
    if let Step::Language { link } = step {
        return welcome(ctx, link).await;
    }
    if let Step::Phone { is_first: true, link } = step {
        // The second of two quick taps does nothing: the first one has asked for the number.
        return if is_chosen_already { Ok(()) } else { welcome(ctx, link).await };
    }
    ctx.toast(l!(language, "language-set")).await?;
    profile::open(ctx).await
}

/// Greets, and asks for the phone number once. Checkout asks again where it is still missing.
async fn welcome(ctx: Ctx, link: Option<String>) -> HandlerResult {
    let shopper = shopper::shopper(ctx.documents(), ctx.id()).await?;
    if shopper.is_some_and(|shopper| shopper.phone.is_some()) {
        ctx.leave_step().await?;
        return follow(ctx, link.as_deref()).await;
    }
    ctx.wait_for(Step::Phone { is_first: true, link });
    let language = ctx.language;
    ctx.show(Screen::new(t!(language, "greeting", name = ctx.person.name))).await?;
    phone::ask(&ctx, t!(language, "phone-ask-first"), phone::skip_label(language, true)).await
}

/// /phone, and the button in the profile.
pub(crate) async fn change_phone(ctx: Ctx) -> HandlerResult {
    ctx.wait_for(Step::Phone { is_first: false, link: None });
    let language = ctx.language;
    phone::ask(&ctx, t!(language, "phone-ask"), phone::skip_label(language, false)).await
}

/// A message that came while a phone number was waited for.
pub(crate) async fn take_phone(ctx: Ctx, (is_first, link): (bool, Option<String>)) -> HandlerResult {
    let language = ctx.language;
    if !ctx.text().is_some_and(phone::is_skip_label) {
        match phone::read(&ctx) {
            Ok(phone) => {
                shopper::change(ctx.documents(), ctx.id(), |shopper| shopper.phone = Some(phone.clone()))
                    .await?;
                ctx.reply_without_keyboard(t!(language, "phone-kept", phone = phone.spaced())).await?;
                ctx.wait_for(Step::Idle);
            }
            Err(error) => {
                return phone::ask(&ctx, error.text(language), phone::skip_label(language, is_first)).await;
            }
        }
    }
    ctx.leave_step().await?;
    if is_first { follow(ctx, link.as_deref()).await } else { profile::open(ctx).await }
}

async fn follow(ctx: Ctx, link: Option<&str>) -> HandlerResult {
    ctx.update(|dialogue| dialogue.search = None);
    match link.and_then(Link::parse) {
        Some(Link::Product(id)) => card::open(ctx, id).await,
        // The way back from CLICK's page. The links of staff's posts have a branch of their own in schema.rs.
        Some(Link::Order(id)) => orders::show(ctx, id).await,
        // The referrer was recorded by onboarding.
        Some(Link::Referral(_)) | None => menu::open(ctx).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::{callback::ShopCallback, screen::Button};

    #[test]
    fn the_first_question_is_asked_in_every_language() {
        let screen = first_question();
        for text in ["Tilni tanlang", "Выберите язык", "Choose a language"] {
            assert!(screen.html.contains(text), "{}", screen.html);
        }
        let labels: Vec<_> =
            screen.markup().inline_keyboard.into_iter().flatten().map(|button| button.text).collect();
        assert_eq!(labels, ["🇺🇿 O‘zbekcha", "🇷🇺 Русский", "🇬🇧 English"]);
        assert_eq!(
            language_buttons(Some(Language::Ru)).concat()[1],
            Button::callback("✅ 🇷🇺 Русский", ShopCallback::ChooseLanguage { language: Language::Ru })
        );
    }
}
