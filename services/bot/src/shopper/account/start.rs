//! The first meeting: a language, then a phone number, then the shop; and where links lead.

use tolov_domain::Language;

use crate::shopper::account::language::language_buttons;
use crate::{
    conversation::{context::Ctx, dialogue::Step, error::HandlerResult, link::Link, screen::Screen},
    shopper::{
        account::{phone, profile},
        catalogue::card,
        menu, orders,
    },
    texts::{l, t},
};

/// /start. Who has chosen a language is known, and gets where the link leads at once.
pub(crate) async fn start(mut ctx: Ctx, payload: String) -> HandlerResult {
    let link = Some(payload).filter(|payload| !payload.is_empty());
    if ctx.has_chosen {
        menu::rest(&mut ctx).await?;
        return follow(ctx, link.as_deref()).await;
    }
    ctx.expect(Step::Language { link }).await?;
    ctx.show(first_question()).await
}

/// Something was written before a language was chosen.
pub(crate) async fn language_first(ctx: Ctx) -> HandlerResult {
    ctx.show(first_question()).await
}

/// Nobody knows yet what the person reads: it is asked in all languages.
fn first_question() -> Screen {
    let asked: Vec<String> = Language::ALL.into_iter().map(|language| t!(language, "language-ask")).collect();
    Screen::new(asked.join("\n")).rows(language_buttons(None))
}

/// A language was tapped: at the first meeting, or to change it.
pub(crate) async fn choose_language(mut ctx: Ctx, language: Language) -> HandlerResult {
    let is_chosen_already = ctx.has_chosen && ctx.language == language;
    if !is_chosen_already {
        ctx.shop().set_language(ctx.id(), language).await?;
    }
    ctx.language = language;
    ctx.has_chosen = true;
    let step = ctx.dialogue.step.clone();
    if let Step::Language { link } = step {
        return welcome(ctx, link).await;
    }
    if let Step::Phone { is_first: true, link } = step {
        // The second of two quick taps: the first has asked for the number.
        return if is_chosen_already { Ok(()) } else { welcome(ctx, link).await };
    }
    ctx.toast(l!(language, "language-set")).await?;
    profile::open(ctx).await
}

/// Greets, and asks for the phone number once; checkout asks again where it is still missing.
async fn welcome(mut ctx: Ctx, link: Option<String>) -> HandlerResult {
    let user = ctx.shop().user(ctx.id()).await?;
    if user.is_some_and(|user| user.phone.is_some()) {
        menu::rest(&mut ctx).await?;
        return follow(ctx, link.as_deref()).await;
    }
    ctx.expect(Step::Phone { is_first: true, link }).await?;
    let language = ctx.language;
    ctx.show(Screen::new(t!(language, "greeting", name = ctx.person.name))).await?;
    phone::ask(&ctx, t!(language, "phone-ask-first"), phone::way_out(language, true)).await
}

/// /phone, and the button in the profile.
pub(crate) async fn change_phone(ctx: Ctx) -> HandlerResult {
    ctx.expect(Step::Phone { is_first: false, link: None }).await?;
    let language = ctx.language;
    phone::ask(&ctx, t!(language, "phone-ask"), phone::way_out(language, false)).await
}

/// What came where a phone number was waited for.
pub(crate) async fn phone_given(mut ctx: Ctx, (is_first, link): (bool, Option<String>)) -> HandlerResult {
    let language = ctx.language;
    if !ctx.text().is_some_and(phone::is_way_out) {
        match phone::read(&ctx) {
            Ok(phone) => {
                ctx.shop().set_phone(ctx.id(), &phone).await?;
                let kept = t!(language, "phone-kept", phone = phone.spaced());
                phone::say_without_keyboard(&ctx, kept).await?;
                ctx.expect(Step::Idle).await?;
                ctx.dialogue.step = Step::Idle;
            }
            Err(why) => {
                return phone::ask(&ctx, why.say(language), phone::way_out(language, is_first)).await;
            }
        }
    }
    menu::rest(&mut ctx).await?;
    if is_first { follow(ctx, link.as_deref()).await } else { profile::open(ctx).await }
}

/// Where a link leads.
async fn follow(mut ctx: Ctx, link: Option<&str>) -> HandlerResult {
    menu::leave_search(&mut ctx).await?;
    match link.and_then(Link::parse) {
        Some(Link::Product(id)) => card::open(ctx, id).await,
        // The way back from CLICK's page. Staff's posts link to orders too, and who may see them gets there by the branch
        // of staff in schema.rs.
        Some(Link::Order(id)) => orders::show(ctx, id).await,
        // Taken when the person was met.
        Some(Link::Referral(_)) => menu::open(ctx).await,
        None => menu::open(ctx).await,
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
        assert_eq!(labels, ["🇺🇿 O'zbekcha", "🇷🇺 Русский", "🇬🇧 English"]);
        assert_eq!(
            language_buttons(Some(Language::Ru)).concat()[1],
            Button::callback("✅ 🇷🇺 Русский", ShopCallback::ChooseLanguage { language: Language::Ru })
        );
    }
}
