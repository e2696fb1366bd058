use tolov_domain::order::Portion;

use super::*;
use crate::{
    conversation::screen::Screen,
    shopper::catalogue::browse::tests::{id, product, rows, with_variants},
};

const BACK: ShopCallback = ShopCallback::Category { id: 1, page: 2 };

fn around(language: Language, cart: &[OrderedProduct]) -> Around<'_> {
    let pieces = cart.iter().map(|line| line.count).sum();
    Around { language, cart, pieces, back: &BACK, photo: 0 }
}

fn line(number: i64, count: u32) -> OrderedProduct {
    OrderedProduct { product_id: id(number), count }
}

/// What the buttons of a row send.
fn callbacks(screen: &Screen, row: usize) -> Vec<String> {
    let json = serde_json::to_value(screen.markup()).unwrap();
    let row = json["inline_keyboard"][row].as_array().unwrap().clone();
    row.into_iter().map(|button| button["callback_data"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_card_is_shown_in_three_languages() {
    let few = product(7, "Choy <5>", 12_000, Some(3));
    let said = |language| screen(around(language, &[]), &few, None).html;
    assert_eq!(
        said(Language::Uz),
        "<b>Choy &lt;5&gt;</b>\n\n100% paxta &amp; &lt;ip&gt;\n\n💰 <b>12\u{a0}000\u{a0}so‘m</b>\n⚡️ Atigi 3\u{a0}ta qoldi"
    );
    assert_eq!(
        said(Language::Ru),
        "<b>Choy &lt;5&gt;</b>\n\n100% paxta &amp; &lt;ip&gt;\n\n💰 <b>12\u{a0}000\u{a0}сум</b>\n⚡️ Осталось всего 3\u{a0}шт."
    );
    assert_eq!(
        said(Language::En),
        "<b>Choy &lt;5&gt;</b>\n\n100% paxta &amp; &lt;ip&gt;\n\n💰 <b>12\u{a0}000\u{a0}UZS</b>\n⚡️ Only 3 left"
    );
}

#[test]
fn stock_is_shown_only_where_it_runs_low() {
    for (stock, told) in [(None, false), (Some(6), false), (Some(5), true), (Some(1), true)] {
        let html = screen(around(Language::En, &[]), &product(7, "Choy", 1, stock), None).html;
        assert_eq!(html.contains("left"), told, "{html}");
    }
    let html = screen(around(Language::En, &[]), &product(7, "Choy", 1, Some(0)), None).html;
    assert!(html.ends_with("❌ Sold out for now"), "{html}");
}

#[test]
fn counts_are_absolute_and_stay_between_zero_and_the_maximum() {
    let product = product(7, "Choy", 1_000, None);
    let shown = |count| screen(around(Language::Uz, &[line(7, count)]), &product, None);
    assert_eq!(callbacks(&shown(12), 0), ["1:sc:7:11", "1:sq:7", "1:sc:7:13"]);
    assert_eq!(callbacks(&shown(1), 0)[0], "1:sc:7:0");
    assert_eq!(callbacks(&shown(999), 0)[2], "1:sc:7:999");
    assert_eq!(rows(&shown(12))[0], ["−1", "12\u{a0}ta", "+1"]);
    assert_eq!(
        rows(&shown(12))[1..],
        [vec!["✅ Rasmiylashtirish"], vec!["🛒 Savat (12)"], vec!["⬅️ Orqaga", "📤 Ulashish"]],
        "to check out stands alone: beside another button it is cut off on a narrow phone"
    );
}

#[test]
fn what_is_not_in_the_cart_has_one_button_that_adds_it() {
    let card = screen(around(Language::Uz, &[]), &product(7, "Choy", 1_000, None), None);
    assert_eq!(
        rows(&card),
        [vec!["🛒 Savatga qo‘shish"], vec!["🛒 Savat"], vec!["⬅️ Orqaga", "📤 Ulashish"]]
    );
    assert_eq!(callbacks(&card, 0), ["1:sc:7:1"]);
}

#[test]
fn a_sold_out_product_can_be_removed_from_the_cart_and_not_added() {
    let gone = product(7, "Choy", 1_000, Some(0));
    assert_eq!(rows(&screen(around(Language::En, &[]), &gone, None))[0], ["🛒 Cart"]);
    assert_eq!(callbacks(&screen(around(Language::En, &[line(7, 1)]), &gone, None), 0)[0], "1:sc:7:0");
}

#[test]
fn a_product_offers_its_variants_and_a_variant_leads_back_to_it() {
    let shirt = with_variants(
        product(7, "Futbolka", 1, None),
        &[(8, "S", 50_000, Some(0)), (9, "M", 50_000, None), (10, "L", 55_000, Some(2))],
    );
    let cart = [line(9, 2)];
    let choice = screen(around(Language::Ru, &cart), &shirt, None);
    assert_eq!(
        rows(&choice),
        [
            vec!["S · нет в наличии", "M · 50\u{a0}000\u{a0}сум · 🛒 2"],
            vec!["L · 55\u{a0}000\u{a0}сум"],
            vec!["✅ Оформить"],
            vec!["🛒 Корзина (2)"],
            vec!["⬅️ Назад", "📤 Поделиться"]
        ]
    );
    assert_eq!(callbacks(&choice, 0), ["1:v:7:8", "1:v:7:9"]);
    assert!(choice.html.contains("от 50\u{a0}000\u{a0}сум"), "{}", choice.html);
    let large = screen(around(Language::Ru, &cart), &shirt, shirt.article(id(10)).as_ref());
    assert!(large.html.starts_with("<b>Futbolka · L</b>"), "{}", large.html);
    assert!(
        large.html.contains("55\u{a0}000\u{a0}сум") && large.html.contains("2\u{a0}шт."),
        "{}",
        large.html
    );
    assert_eq!(callbacks(&large, 3)[0], "1:p:7");
}

#[test]
fn what_is_sold_by_weight_is_priced_by_the_kilogram_and_counted_in_portions() {
    let apples = Product { portion: Portion::parse("0,5 kg"), ..product(7, "Olma", 24_000, Some(4)) };
    let card = |language, count| screen(around(language, &[line(7, count)]), &apples, None);
    assert!(
        card(Language::Uz, 3).html.ends_with("💰 <b>24\u{a0}000\u{a0}so‘m/kg</b>\n⚡️ Atigi 2\u{a0}kg qoldi"),
        "{}",
        card(Language::Uz, 3).html
    );
    assert_eq!(rows(&card(Language::Uz, 3))[0], ["−0,5\u{a0}kg", "1,5\u{a0}kg", "+0,5\u{a0}kg"]);
    assert_eq!(rows(&card(Language::Ru, 3))[0][1], "1,5\u{a0}кг");
    assert_eq!(rows(&card(Language::En, 3))[0][1], "1.5\u{a0}kg");
    assert_eq!(callbacks(&card(Language::Uz, 3), 0), ["1:sc:7:2", "1:sq:7", "1:sc:7:4"]);
}

#[test]
fn several_photos_are_looked_through_on_the_card() {
    let mut tea = product(7, "Choy", 1_000, None);
    tea.set_photos(vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]);
    let shown = |photo| screen(Around { photo, ..around(Language::Uz, &[]) }, &tea, None);
    assert_eq!((shown(0).photo.as_deref(), &rows(&shown(0))[0][0][..]), (Some("a"), "🖼 1 / 3 ▶️"));
    assert_eq!(callbacks(&shown(0), 0), ["1:ph:7:7:1"]);
    assert_eq!((shown(2).photo.as_deref(), callbacks(&shown(2), 0)[0].as_str()), (Some("c"), "1:ph:7:7:0"));
    assert_eq!(shown(9).photo.as_deref(), Some("a"), "a photo that was removed meanwhile");
    tea.set_photos(vec!["a".to_owned()]);
    assert!(!rows(&screen(around(Language::Uz, &[]), &tea, None)).concat().concat().contains("🖼"));
}

#[test]
fn back_from_a_search_leads_to_its_results() {
    let back = ShopCallback::FoundPage { page: 2 };
    let around = Around { back: &back, ..around(Language::En, &[]) };
    let card = screen(around, &product(7, "Choy", 1, None), None);
    assert_eq!((rows(&card)[2][0].as_str(), callbacks(&card, 2)[0].as_str()), ("⬅️ Results", "1:fp:2"));
}

#[test]
fn the_longest_card_fits_under_a_photo() {
    let mut long = product(7, &"Щ".repeat(100), 1, Some(1));
    long.description = "щ".repeat(600);
    long.photo = Some("file".to_owned());
    let html = screen(around(Language::Ru, &[]), &long, None).fitting_html();
    assert!(html.contains("<b>") && html.encode_utf16().count() <= 1024, "{html}");
}

#[test]
fn under_a_photo_the_description_is_cut_and_the_price_stays() {
    let mut long = product(7, &"<".repeat(100), 12_000, Some(3));
    long.description = "Sopol & loy. ".repeat(46);
    long.photo = Some("photo".to_owned());
    for language in Language::ALL {
        let screen = screen(around(language, &[]), &long, None);
        let html = screen.fitting_html();
        assert_eq!(html, screen.html, "it is not cut once more");
        assert!(html.contains("12\u{a0}000") && html.contains('3') && html.contains("loy"), "{html}");
        assert!(html.contains("…\n\n"), "{html}");
    }
    long.photo = None;
    let html = screen(around(Language::Uz, &[]), &long, None).html;
    assert!(!html.contains('…'), "{html}");
}
