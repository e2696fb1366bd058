//! The first meeting: a language, then a phone number, then the shop; and where links lead.

use tolov_domain::{Language, OrderId, ProductId, UserId};

use crate::{
    ctx::{Ctx, Done},
    dialogue::Step,
    press::ShopPress,
    screen::{Button, Screen},
    shopper::{card, contact, menu, orders, profile},
    text::{l, t},
};

/// What stands behind `t.me/the_bot?start=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    Product(ProductId),
    /// Behind CLICK's page, and on posts in the staff channel.
    Order(OrderId),
    /// A shopper's own link.
    Referral(UserId),
}

impl Link {
    /// `None`: nothing that we know.
    pub(crate) fn parse(payload: &str) -> Option<Self> {
        let (kind, id) = payload.split_once('_')?;
        match kind {
            "product" => ProductId::parse(id).ok().map(Self::Product),
            "order" => OrderId::parse(id).ok().map(Self::Order),
            "ref" => UserId::parse(id).ok().map(Self::Referral),
            _ => None,
        }
    }

    /// The payload.
    pub(crate) fn write(self) -> String {
        match self {
            Self::Product(id) => format!("product_{id}"),
            Self::Order(id) => format!("order_{id}"),
            Self::Referral(id) => format!("ref_{id}"),
        }
    }
}

/// /start. Who has chosen a language is known, and gets where the link leads at once.
pub(crate) async fn start(mut ctx: Ctx, payload: String) -> Done {
    let link = Some(payload).filter(|payload| !payload.is_empty());
    if ctx.has_chosen {
        menu::rest(&mut ctx).await?;
        return follow(ctx, link.as_deref()).await;
    }
    ctx.expect(Step::Language { link }).await?;
    ctx.show(first_question()).await
}

/// Something was written before a language was chosen.
pub(crate) async fn language_first(ctx: Ctx) -> Done {
    ctx.show(first_question()).await
}

/// Nobody knows yet what the person reads: it is asked in all languages.
fn first_question() -> Screen {
    let asked: Vec<String> = Language::ALL.into_iter().map(|language| t!(language, "language-ask")).collect();
    Screen::new(asked.join("\n")).rows(languages(None))
}

/// A row for each language, in its own words.
pub(crate) fn languages(chosen: Option<Language>) -> Vec<Vec<Button>> {
    let button = |language: Language| {
        let name = l!(language, "language-name");
        let label = if chosen == Some(language) { format!("✅ {name}") } else { name };
        vec![Button::press(label, ShopPress::ChooseLanguage { language })]
    };
    Language::ALL.into_iter().map(button).collect()
}

/// A language was tapped: at the first meeting, or to change it.
pub(crate) async fn choose_language(mut ctx: Ctx, language: Language) -> Done {
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
async fn welcome(mut ctx: Ctx, link: Option<String>) -> Done {
    let user = ctx.shop().user(ctx.id()).await?;
    if user.is_some_and(|user| user.phone.is_some()) {
        menu::rest(&mut ctx).await?;
        return follow(ctx, link.as_deref()).await;
    }
    ctx.expect(Step::Phone { is_first: true, link }).await?;
    let language = ctx.language;
    ctx.show(Screen::new(t!(language, "greeting", name = ctx.person.name))).await?;
    contact::ask(&ctx, t!(language, "phone-ask-first"), contact::way_out(language, true)).await
}

/// /phone, and the button in the profile.
pub(crate) async fn change_phone(ctx: Ctx) -> Done {
    ctx.expect(Step::Phone { is_first: false, link: None }).await?;
    let language = ctx.language;
    contact::ask(&ctx, t!(language, "phone-ask"), contact::way_out(language, false)).await
}

/// What came where a phone number was waited for.
pub(crate) async fn phone_given(mut ctx: Ctx, (is_first, link): (bool, Option<String>)) -> Done {
    let language = ctx.language;
    if !ctx.text().is_some_and(contact::is_way_out) {
        match contact::read(&ctx) {
            Ok(phone) => {
                ctx.shop().set_phone(ctx.id(), &phone).await?;
                let kept = t!(language, "phone-kept", phone = phone.spaced());
                contact::say_without_keyboard(&ctx, kept).await?;
                ctx.expect(Step::Idle).await?;
                ctx.dialogue.step = Step::Idle;
            }
            Err(why) => {
                return contact::ask(&ctx, why.say(language), contact::way_out(language, is_first)).await;
            }
        }
    }
    menu::rest(&mut ctx).await?;
    if is_first { follow(ctx, link.as_deref()).await } else { profile::open(ctx).await }
}

/// Where a link leads.
async fn follow(mut ctx: Ctx, link: Option<&str>) -> Done {
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

    #[test]
    fn links_are_read_back_and_others_are_none() {
        for link in [
            Link::Product(ProductId::try_new(7).unwrap()),
            Link::Order(OrderId::try_new(1_001).unwrap()),
            Link::Referral(UserId::try_new(i64::MAX).unwrap()),
        ] {
            let payload = link.write();
            assert!(payload.len() <= 64, "{payload}");
            assert_eq!(Link::parse(&payload), Some(link));
        }
        for payload in ["", "product", "product_", "product_0", "product_x", "ref_-1", "from_poster", "_1"] {
            assert_eq!(Link::parse(payload), None, "{payload:?}");
        }
    }

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
            languages(Some(Language::Ru)).concat()[1],
            Button::press("✅ 🇷🇺 Русский", ShopPress::ChooseLanguage { language: Language::Ru })
        );
    }
}
