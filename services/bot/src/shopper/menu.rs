//! The main menu.

use tolov_domain::Language;
use tolov_shop::shopper::Shopper;

use crate::{
    conversation::{
        callback::{ShopCallback, StaffCallback},
        context::Ctx,
        error::HandlerResult,
        screen::{Button, Screen},
    },
    texts::{l, t},
};

pub(crate) async fn open(ctx: Ctx) -> HandlerResult {
    let title = t!(ctx.language, "menu-title");
    open_titled(ctx, title).await
}

/// The menu as the answer to a message that fits nothing.
pub(crate) async fn hint(ctx: Ctx) -> HandlerResult {
    let title = t!(ctx.language, "unknown");
    open_titled(ctx, title).await
}

async fn open_titled(ctx: Ctx, title: String) -> HandlerResult {
    ctx.leave_step().await?;
    ctx.update(|dialogue| dialogue.search = None);
    let pieces = ctx.shopper().map_or(0, Shopper::pieces_in_cart);
    ctx.show(screen(ctx.language, title, pieces, ctx.role.is_some())).await
}

/// The button to the cart, with the number of pieces in it.
pub(crate) fn cart_button(language: Language, pieces: u32) -> Button {
    let label = match pieces {
        0 => l!(language, "menu-cart"),
        _ => l!(language, "menu-cart-filled", count = pieces),
    };
    Button::callback(label, ShopCallback::Cart)
}

fn screen(language: Language, title: String, pieces: u32, is_staff: bool) -> Screen {
    let staff = is_staff.then(|| Button::callback(l!(language, "menu-staff"), StaffCallback::Panel));
    Screen::new(title)
        .row([Button::callback(l!(language, "menu-catalogue"), ShopCallback::Categories { page: 0 })])
        .row([
            Button::callback(l!(language, "menu-search"), ShopCallback::Search),
            cart_button(language, pieces),
        ])
        .row([
            Button::callback(l!(language, "menu-orders"), ShopCallback::Orders { page: 0 }),
            Button::callback(l!(language, "menu-profile"), ShopCallback::Profile),
        ])
        .row([
            Button::callback(l!(language, "menu-help"), ShopCallback::Help),
            Button::callback(l!(language, "menu-support"), ShopCallback::AskSupport),
        ])
        .row(staff)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(screen: &Screen) -> Vec<String> {
        let rows = screen.markup().inline_keyboard;
        rows.into_iter().flatten().map(|button| button.text).collect()
    }

    #[test]
    fn the_menu_counts_the_pieces_and_shows_staff_their_button() {
        let of = |language, pieces, is_staff| labels(&screen(language, String::new(), pieces, is_staff));
        assert_eq!(
            of(Language::Uz, 3, false),
            [
                "🛍 Katalog",
                "🔎 Qidirish",
                "🛒 Savat (3)",
                "📦 Buyurtmalarim",
                "👤 Profil",
                "ℹ️ Yordam",
                "✍️ Bizga yozish"
            ]
        );
        assert_eq!(
            of(Language::Ru, 0, false),
            [
                "🛍 Каталог",
                "🔎 Поиск",
                "🛒 Корзина",
                "📦 Мои заказы",
                "👤 Профиль",
                "ℹ️ Помощь",
                "✍️ Написать нам"
            ]
        );
        assert_eq!(
            of(Language::En, 1, true),
            [
                "🛍 Catalogue",
                "🔎 Search",
                "🛒 Cart (1)",
                "📦 My orders",
                "👤 Profile",
                "ℹ️ Help",
                "✍️ Write to us",
                "🧰 For staff"
            ]
        );
    }
}
