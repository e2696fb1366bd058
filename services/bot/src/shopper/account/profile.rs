//! The profile: what is known of a shopper, and what can be changed.

use tolov_domain::{Language, Phone, order::User};
use tolov_shop::profile;
use url::Url;

use crate::shopper::account::language::language_buttons;
use crate::{
    conversation::{
        callback::ShopCallback,
        context::Ctx,
        error::HandlerResult,
        link::Link,
        screen::{Button, Screen},
    },
    shopper::menu,
    texts::{l, t},
};

pub(crate) async fn open(mut ctx: Ctx) -> HandlerResult {
    menu::rest(&mut ctx).await?;
    let user = ctx.shop().user(ctx.id()).await?;
    let friends = profile::friends_of(ctx.documents(), ctx.id()).await?;
    ctx.show(screen(ctx.language, &ctx.person.name, user.as_ref(), friends)).await
}

/// /language, and the button.
pub(crate) async fn choose_language(mut ctx: Ctx) -> HandlerResult {
    menu::rest(&mut ctx).await?;
    let screen = Screen::new(t!(ctx.language, "language-ask"))
        .rows(language_buttons(Some(ctx.language)))
        .row([Button::callback(l!(ctx.language, "back"), ShopCallback::Profile)]);
    ctx.show(screen).await
}

pub(crate) async fn invite(mut ctx: Ctx) -> HandlerResult {
    menu::rest(&mut ctx).await?;
    let link = ctx.deps.start_link(&Link::Referral(ctx.id()).write());
    let friends = profile::friends_of(ctx.documents(), ctx.id()).await?;
    ctx.show(invitation(ctx.language, &link, friends)).await
}

fn screen(language: Language, name: &str, user: Option<&User>, friends: u64) -> Screen {
    let phone = user.and_then(|user| user.phone.as_deref());
    // Kept in one spelling; another one is shown as it is.
    let phone = phone.map(|kept| Phone::parse(kept).map_or_else(|_| kept.to_owned(), |phone| phone.spaced()));
    let phone = phone.unwrap_or_else(|| l!(language, "profile-no-phone"));
    let orders = user.map_or(0, |user| user.order_count);
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
    use tolov_domain::UserId;

    use super::*;

    fn user(phone: Option<&str>) -> User {
        User {
            id: UserId::try_new(7).unwrap(),
            phone: phone.map(str::to_owned),
            language: None,
            cart: Vec::new(),
            order_count: 3,
        }
    }

    #[test]
    fn a_profile_tells_what_is_known_in_three_languages() {
        let known = user(Some("+998901234567"));
        let said = |language| screen(language, "Ali <A>", Some(&known), 2).html;
        assert_eq!(
            said(Language::Uz),
            "👤 <b>Ali &lt;A&gt;</b>\n\n📱 Telefon: +998 90 123 45 67\n🌐 Til: 🇺🇿 O'zbekcha\n📦 To'langan buyurtmalar: \
             3\n👥 Taklif qilgan do'stlaringiz: 2"
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
    fn an_invitation_is_shared_by_a_link_that_telegram_reads_back() {
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
