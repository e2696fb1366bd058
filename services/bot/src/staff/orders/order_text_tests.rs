use time::macros::datetime;
use tolov_domain::{OrderedProduct, ProductId, UserId};
use tolov_shop::fulfilment::StockState;

use super::*;

fn user(id: i64) -> UserId {
    UserId::try_new(id).unwrap()
}

fn line(id: i64, title: &str, count: u32, price: i64) -> OrderLine {
    let price = Some(Tiyin::from_soum(price).unwrap());
    OrderLine { product_id: ProductId::try_new(id).unwrap(), count, title: title.to_owned(), price }
}

fn paid_order() -> Fulfilment {
    let soum = |soum| Tiyin::from_soum(soum).unwrap();
    let entry = |deed, by, at| TimelineEntry { at, deed, by };
    Fulfilment {
        id: OrderId::try_new(1024).unwrap(),
        user_id: user(5551),
        lines: vec![line(7, "Pizza <b>&", 2, 30_000), line(8, "Choy", 1, 5_000)],
        goods: soum(65_000),
        discount: soum(5_000),
        promo_code: Some("YOZ".to_owned()),
        delivery_price: soum(10_000),
        total: soum(70_000),
        delivery: Delivery::Location {
            latitude: "41.3".to_owned(),
            longitude: "69.2".to_owned(),
            landmark: Some("Maktab <12>".to_owned()),
        },
        phone: "+998901234567".to_owned(),
        comment: Some("Qo'ng'iroq qilmang".to_owned()),
        stage: Stage::Preparing,
        stock: StockState::Taken,
        placed_at: datetime!(2026-11-23 07:00 UTC),
        pay_until_at: None,
        payment_url: None,
        click_paydoc_id: Some(2001),
        paid_at: Some(datetime!(2026-11-23 07:05 UTC)),
        late: true,
        missing: vec![OrderedProduct { product_id: ProductId::try_new(8).unwrap(), count: 1 }],
        cancel_asked_by: None,
        timeline: vec![
            entry(Deed::Placed, By::Shopper, datetime!(2026-11-23 07:00 UTC)),
            entry(Deed::Paid, By::Click, datetime!(2026-11-23 07:05 UTC)),
            entry(Deed::Accepted, By::Staff(user(1)), datetime!(2026-11-23 07:07 UTC)),
        ],
        shopper_message_id: None,
        staff_message_id: None,
    }
}

fn names() -> Names {
    [(user(5551), "Ali <Valiyev>".to_owned()), (user(1), "Aziza".to_owned())].into_iter().collect()
}

fn html(language: Language, order: &Fulfilment) -> String {
    order_html(language, order, &names(), &short_history(language, order, &names()))
}

#[test]
fn staff_see_everything_about_an_order() {
    insta::assert_snapshot!(html(Language::Uz, &paid_order()), @r#"
    🛒 <b>Buyurtma №1024</b> · tayyorlanmoqda
    👤 <a href="tg://user?id=5551">Ali &lt;Valiyev&gt;</a>, +998 90 123 45 67

    • Pizza &lt;b&gt;&amp; × 2 — 60 000 so'm
    • Choy × 1 — 5 000 so'm

    Mahsulotlar: 65 000 so'm
    Chegirma (YOZ): −5 000 so'm
    Yetkazib berish: 10 000 so'm
    Jami: <b>70 000 so'm</b>
    CLICK to'lov raqami: <code>2001</code>

    📍 Xaritadagi joy
    🏠 Maktab &lt;12&gt;
    💬 Qo'ng'iroq qilmang

    ⚠️ <b>Pul kech keldi</b>: buyurtma o'sha payt yopilgan edi. Mahsulot borligini tekshiring.
    ⚠️ <b>Omborda yetishmaydi:</b> Choy, kerak: 1 dona

    23.11.2026 12:05 to'landi
    12:07 qabul qilindi · <a href="tg://user?id=1">Aziza</a>
    "#);
}

#[test]
fn a_plain_order_says_no_more_than_there_is() {
    let order = Fulfilment {
        discount: Tiyin::ZERO,
        promo_code: None,
        delivery_price: Tiyin::ZERO,
        total: Tiyin::from_soum(65_000).unwrap(),
        delivery: Delivery::Pickup,
        comment: None,
        stage: Stage::Paid,
        late: false,
        missing: Vec::new(),
        timeline: Vec::new(),
        ..paid_order()
    };
    insta::assert_snapshot!(html(Language::Ru, &order), @r#"
    🛒 <b>Заказ №1024</b> · оплачен
    👤 <a href="tg://user?id=5551">Ali &lt;Valiyev&gt;</a>, +998 90 123 45 67

    • Pizza &lt;b&gt;&amp; × 2 — 60 000 сум
    • Choy × 1 — 5 000 сум

    Итого: <b>65 000 сум</b>
    Номер платежа CLICK: <code>2001</code>

    🏬 Покупатель заберёт сам
    "#);
    assert!(map_row(Language::Ru, &order.delivery).is_empty());
    let deeds: Vec<usize> = deed_rows(Language::Ru, &order).iter().map(Vec::len).collect();
    assert_eq!(deeds, [2], "accept and cancel");
}

#[test]
fn a_paid_order_that_was_cancelled_says_that_the_money_has_to_go_back() {
    let order = Fulfilment { stage: Stage::Cancelled, ..paid_order() };
    for language in Language::ALL {
        assert!(html(language, &order).contains("👉"));
    }
    assert_eq!(deed_rows(Language::En, &order).concat().len(), 1, "refunded");
}

#[test]
fn a_location_opens_a_map() {
    let row = map_row(Language::En, &paid_order().delivery);
    let [Button::Link { url, .. }] = row.as_slice() else { panic!("no link: {row:?}") };
    assert_eq!(url.as_str(), "https://maps.google.com/?q=41.3%2C69.2");
}

#[test]
fn a_huge_order_still_fits() {
    let order = Fulfilment { lines: vec![line(7, &"<".repeat(500), 2, 1); 100], ..paid_order() };
    for language in Language::ALL {
        let html = html(language, &order);
        assert!(html.encode_utf16().count() <= 4096 && html.contains("2001"), "{}", html.len());
    }
}

#[test]
fn a_history_says_the_day_where_it_changes() {
    let entry = |deed, by, at| TimelineEntry { at, deed, by };
    let order = Fulfilment {
        timeline: vec![
            entry(Deed::Placed, By::Shopper, datetime!(2026-11-22 07:00 UTC)),
            entry(Deed::Expired, By::Clock, datetime!(2026-11-22 07:30 UTC)),
            entry(Deed::Paid, By::Click, datetime!(2026-11-22 20:05 UTC)),
            entry(Deed::Accepted, By::Staff(user(1)), datetime!(2026-11-23 07:07 UTC)),
            entry(Deed::Delivered, By::Staff(user(1)), datetime!(2026-11-23 19:30 UTC)),
        ],
        ..paid_order()
    };
    let lines = short_history(Language::Uz, &order, &names());
    let times: Vec<&str> = lines.iter().map(|line| line.split(" \u{b7}").next().unwrap()).collect();
    assert_eq!(
        times,
        [
            "22.11.2026 12:30 muddati o'tdi",
            "23.11.2026 01:05 to'landi",
            "12:07 qabul qilindi",
            "24.11.2026 00:30 topshirildi",
        ]
    );
}
