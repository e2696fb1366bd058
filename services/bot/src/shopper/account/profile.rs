//! The profile of a shopper.

use tolov_domain::{Language, Phone};
use tolov_shop::shopper::{self, Shopper};
use url::Url;

use crate::{
    conversation::{
        callback::ShopCallback,
        context::Ctx,
        error::HandlerResult,
        link::Link,
        screen::{Button, Screen},
    },
    shopper::account::language::language_buttons,
    texts::{l, t},
};

pub(crate) async fn open(ctx: Ctx) -> HandlerResult {
    ctx.leave_step().await?;
    let shopper = shopper::shopper(ctx.documents(), ctx.id()).await?;
    let friends = shopper::invited_by(ctx.documents(), ctx.id()).await?;
    ctx.show(screen(ctx.language, &ctx.person.name, shopper.as_ref(), friends)).await
}

/// /language, and the button in the profile.
pub(crate) async fn choose_language(ctx: Ctx) -> HandlerResult {
    ctx.leave_step().await?;
    let screen = Screen::new(t!(ctx.language, "language-ask"))
        .rows(language_buttons(Some(ctx.language)))
        .row([Button::callback(l!(ctx.language, "back"), ShopCallback::Profile)]);
    ctx.show(screen).await
}

pub(crate) async fn invite(ctx: Ctx) -> HandlerResult {
    ctx.leave_step().await?;
    let link = ctx.deps.url_of(Link::Referral(ctx.id()));
    let friends = shopper::invited_by(ctx.documents(), ctx.id()).await?;
    ctx.show(invitation(ctx.language, &link, friends)).await
}

fn screen(language: Language, name: &str, shopper: Option<&Shopper>, friends: u64) -> Screen {
    let phone = shopper.and_then(|shopper| shopper.phone.as_ref());
    let phone = phone.map_or_else(|| l!(language, "profile-no-phone"), Phone::spaced);
    let orders = shopper.map_or(0, |shopper| shopper.order_count);
    let html = [
        t!(language, "profile-title", name = name),
        String::new(),
        t!(language, "profile-phone", phone = phone),
        t!(language, "profile-language", language = l!(language, "language-name")),
        t!(language, "profile-orders", count = orders),
        t!(language, "profile-friends", count = friends),
    ];
    Screen::new(html.join("\n"))
        .row([
            Button::callback(l!(language, "profile-change-language"), ShopCallback::Languages),
            Button::callback(l!(language, "profile-change-phone"), ShopCallback::ChangePhone),
        ])
        .row([
            Button::callback(l!(language, "menu-orders"), ShopCallback::Orders { page: 0 }),
            Button::callback(l!(language, "profile-invite"), ShopCallback::Invite),
        ])
        .row([Button::callback(l!(language, "back-to-menu"), ShopCallback::Menu)])
}

fn invitation(language: Language, link: &str, friends: u64) -> Screen {
    let text = l!(language, "invite-message");
    let share = Url::parse_with_params("https://t.me/share/url", [("url", link), ("text", &text)]);
    let share = share.ok().map(|url| Button::Link { label: l!(language, "invite-share"), url });
    Screen::new(t!(language, "invite-text", link = link, count = friends))
        .row(share)
        .row([Button::callback(l!(language, "back"), ShopCallback::Profile)])
}

#[cfg(test)]
mod tests {
    use tolov_domain::{Phone, UserId};

    use super::*;

    fn known(phone: &str) -> Shopper {
        let phone = Some(Phone::parse(phone).unwrap());
        Shopper { phone, order_count: 3, ..Shopper::new(UserId::try_new(7).unwrap()) }
    }

    #[test]
    fn a_profile_is_shown_in_three_languages() {
        let known = known("+998901234567");
        let said = |language| screen(language, "Ali <A>", Some(&known), 2).html;
        assert_eq!(
            said(Language::Uz),
            "👤 <b>Ali &lt;A&gt;</b>\n\n📱 Telefon: +998 90 123 45 67\n🌐 Til: 🇺🇿 O‘zbekcha\n📦 To‘langan buyurtmalar: \
             3\n👥 Taklif qilgan do‘stlaringiz: 2"
        );
        assert_eq!(
            said(Language::Ru),
            "👤 <b>Ali &lt;A&gt;</b>\n\n📱 Телефон: +998 90 123 45 67\n🌐 Язык: 🇷🇺 Русский\n📦 Оплаченных заказов: \
             3\n👥 Приглашено друзей: 2"
        );
        assert_eq!(
            said(Language::En),
            "👤 <b>Ali &lt;A&gt;</b>\n\n📱 Phone: +998 90 123 45 67\n🌐 Language: 🇬🇧 English\n📦 Paid orders: 3\n👥 \
             Friends invited: 2"
        );
        assert!(screen(Language::En, "Ali", None, 0).html.contains("not given yet"));
    }

    #[test]
    fn an_invitation_is_shared_by_a_link_of_telegram() {
        let link = "https://t.me/shop_bot?start=ref_7";
        for language in Language::ALL {
            let screen = invitation(language, link, 0);
            assert!(screen.html.contains(link), "{}", screen.html);
            let markup = serde_json::to_value(screen.markup()).unwrap();
            let url: Url = markup["inline_keyboard"][0][0]["url"].as_str().unwrap().parse().unwrap();
            assert_eq!(url.query_pairs().next().unwrap().1, link);
        }
    }
}
