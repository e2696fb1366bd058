use time::macros::datetime;
use tolov_domain::{
    ClickPaydocId, ClickTransId, OrderedProduct, Phone, ProductId, UserId, order::OrderLine, time::Timestamp,
};
use tolov_shop::order::{OrderState, PaymentFacts, Progress, Sale};

use super::*;

use crate::{
    conversation::screen::Button,
    staff::{
        orders::order_text::{action_rows, map_row, order_html, short_history, warnings},
        people::names::Names,
    },
};

fn user(id: i64) -> UserId {
    UserId::try_new(id).unwrap()
}

fn line(id: i64, title: &str, count: u32, price: i64) -> OrderLine {
    let price = Some(Tiyin::from_soum(price).unwrap());
    OrderLine {
        product_id: ProductId::try_new(id).unwrap(),
        count,
        title: title.to_owned(),
        price,
        portion: None,
        fiscal: None,
    }
}

fn entry(action: OrderAction, by: Actor, at: Timestamp) -> HistoryEntry {
    HistoryEntry::of_action(action, by, at)
}

fn terms() -> Terms {
    let soum = |soum| Tiyin::from_soum(soum).unwrap();
    Terms {
        goods: soum(65_000),
        discount: soum(5_000),
        promo_code: Some("YOZ".to_owned()),
        delivery_price: soum(10_000),
        delivery: Delivery::Location {
            latitude: "41.3".to_owned(),
            longitude: "69.2".to_owned(),
            landmark: Some("Maktab <12>".to_owned()),
        },
        phone: Phone::parse("+998901234567").unwrap(),
        comment: Some("Qo'ng'iroq qilmang".to_owned()),
    }
}

fn sale(late: bool, missing: Vec<OrderedProduct>) -> Sale {
    let payment = PaymentFacts {
        click_trans_id: ClickTransId::try_new(1001).unwrap(),
        click_paydoc_id: ClickPaydocId::try_new(2001).unwrap(),
        paid_at: datetime!(2026-11-23 07:05 UTC),
        late,
    };
    Sale { payment, missing }
}

fn late_sale() -> Sale {
    sale(true, vec![OrderedProduct { product_id: ProductId::try_new(8).unwrap(), count: 1 }])
}

fn paid_order() -> ShopOrder {
    ShopOrder {
        id: OrderId::try_new(1024).unwrap(),
        user_id: user(5551),
        lines: vec![line(7, "Pizza <b>&", 2, 30_000), line(8, "Choy", 1, 5_000)],
        total: Tiyin::from_soum(70_000).unwrap(),
        placed_at: datetime!(2026-11-23 07:00 UTC),
        terms: Some(terms()),
        state: OrderState::Paid { sale: late_sale(), progress: Progress::Preparing },
        stock: Stock::Committed,
        refunds: Vec::new(),
        receipt_url: None,
        history: vec![
            entry(OrderAction::Placed, Actor::Shopper, datetime!(2026-11-23 07:00 UTC)),
            entry(OrderAction::Paid, Actor::Click, datetime!(2026-11-23 07:05 UTC)),
            entry(OrderAction::Accepted, Actor::Staff(user(1)), datetime!(2026-11-23 07:07 UTC)),
        ],
    }
}

fn names() -> Names {
    [(user(5551), "Ali <Valiyev>".to_owned()), (user(1), "Aziza".to_owned())].into_iter().collect()
}

fn html(language: Language, order: &ShopOrder) -> String {
    let history = short_history(language, order, &names());
    order_html(language, order, &names(), &warnings(language, order, true), &history)
}

#[test]
fn what_is_sold_by_weight_is_shown_and_missing_as_a_weight() {
    let portion = tolov_domain::order::Portion::parse("0,5 kg");
    let lines = vec![OrderLine { portion, ..line(8, "Olma", 3, 12_000) }];
    let order = ShopOrder { lines, ..paid_order() };
    let html = html(Language::Uz, &order);
    assert!(html.contains("Olma · 1,5\u{a0}kg — 36\u{a0}000\u{a0}so‘m"), "{html}");
    assert!(html.contains("Olma, kerak: 0,5\u{a0}kg"), "{html}");
}

#[test]
fn staff_see_everything_about_an_order() {
    insta::assert_snapshot!(html(Language::Uz, &paid_order()), @r#"
    🛒 <b>№1024 buyurtma</b> · Yig‘ilmoqda
    👤 <a href="tg://user?id=5551">Ali &lt;Valiyev&gt;</a>, +998 90 123 45 67

    • Pizza &lt;b&gt;&amp; × 2 — 60 000 so‘m
    • Choy × 1 — 5 000 so‘m

    Mahsulotlar: 65 000 so‘m
    Chegirma (YOZ): −5 000 so‘m
    Yetkazib berish: 10 000 so‘m
    Jami: <b>70 000 so‘m</b>
    CLICK to‘lov raqami: <code>2001</code>

    📍 Xaritadagi joy
    🏠 Maktab &lt;12&gt;
    💬 Qo'ng'iroq qilmang

    ⚠️ <b>To‘lov buyurtma yopilgandan keyin keldi.</b> Mahsulot borligini tekshiring.
    ⚠️ <b>Omborda yetishmaydi:</b> Choy, kerak: 1 dona

    23.11.2026 12:05 to‘landi
    12:07 qabul qilindi · <a href="tg://user?id=1">Aziza</a>
    "#);
}

#[test]
fn empty_fields_of_an_order_are_left_out() {
    let order = ShopOrder {
        total: Tiyin::from_soum(65_000).unwrap(),
        terms: Some(Terms {
            discount: Tiyin::ZERO,
            promo_code: None,
            delivery_price: Tiyin::ZERO,
            delivery: Delivery::Pickup,
            comment: None,
            ..terms()
        }),
        state: OrderState::Paid { sale: sale(false, Vec::new()), progress: Progress::New },
        history: Vec::new(),
        ..paid_order()
    };
    insta::assert_snapshot!(html(Language::Ru, &order), @r#"
    🛒 <b>Заказ №1024</b> · Оплачен
    👤 <a href="tg://user?id=5551">Ali &lt;Valiyev&gt;</a>, +998 90 123 45 67

    • Pizza &lt;b&gt;&amp; × 2 — 60 000 сум
    • Choy × 1 — 5 000 сум

    Итого: <b>65 000 сум</b>
    Номер платежа CLICK: <code>2001</code>

    🏬 Покупатель заберёт сам
    "#);
    assert!(map_row(Language::Ru, &order).is_empty());
    let actions: Vec<usize> = action_rows(Language::Ru, &order).iter().map(Vec::len).collect();
    assert_eq!(actions, [2], "accept and cancel");
}

#[test]
fn a_cancelled_paid_order_demands_a_refund() {
    let order = ShopOrder {
        state: OrderState::Cancelled { by: Actor::Staff(user(1)), sale: Some(late_sale()) },
        stock: Stock::Released,
        ..paid_order()
    };
    for language in Language::ALL {
        assert!(html(language, &order).contains("👉"));
    }
    assert_eq!(action_rows(Language::En, &order).concat().len(), 2, "refunded, and give back");
}

#[test]
fn a_location_opens_a_map() {
    let row = map_row(Language::En, &paid_order());
    let [Button::Link { url, .. }] = row.as_slice() else { panic!("no link: {row:?}") };
    assert_eq!(url.as_str(), "https://maps.google.com/?q=41.3%2C69.2");
}

#[test]
fn a_huge_order_fits() {
    let order = ShopOrder { lines: vec![line(7, &"<".repeat(500), 2, 1); 100], ..paid_order() };
    for language in Language::ALL {
        let html = html(language, &order);
        assert!(html.encode_utf16().count() <= 4096 && html.contains("2001"), "{}", html.len());
    }
}

#[test]
fn a_history_names_the_day_where_it_changes() {
    let order = ShopOrder {
        history: vec![
            entry(OrderAction::Placed, Actor::Shopper, datetime!(2026-11-22 07:00 UTC)),
            entry(OrderAction::Expired, Actor::Clock, datetime!(2026-11-22 07:30 UTC)),
            entry(OrderAction::Paid, Actor::Click, datetime!(2026-11-22 20:05 UTC)),
            entry(OrderAction::Accepted, Actor::Staff(user(1)), datetime!(2026-11-23 07:07 UTC)),
            entry(OrderAction::Delivered, Actor::Staff(user(1)), datetime!(2026-11-23 19:30 UTC)),
        ],
        ..paid_order()
    };
    let lines = short_history(Language::Uz, &order, &names());
    let times: Vec<&str> = lines.iter().map(|line| line.split(" \u{b7}").next().unwrap()).collect();
    assert_eq!(
        times,
        [
            "22.11.2026 12:30 to‘lov muddati o‘tdi",
            "23.11.2026 01:05 to‘landi",
            "12:07 qabul qilindi",
            "24.11.2026 00:30 yetkazildi",
        ]
    );
}

#[test]
fn an_order_made_from_its_event_is_shown_with_what_is_known_of_it() {
    let order = ShopOrder {
        terms: None,
        state: OrderState::Paid { sale: sale(false, Vec::new()), progress: Progress::New },
        history: vec![entry(OrderAction::Paid, Actor::Click, datetime!(2026-11-23 07:05 UTC))],
        ..paid_order()
    };
    insta::assert_snapshot!(html(Language::En, &order), @r#"
    🛒 <b>Order #1024</b> · Paid
    👤 <a href="tg://user?id=5551">Ali &lt;Valiyev&gt;</a>

    • Pizza &lt;b&gt;&amp; × 2 — 60 000 UZS
    • Choy × 1 — 5 000 UZS

    Total: <b>70 000 UZS</b>
    CLICK payment number: <code>2001</code>

    23.11.2026 12:05 paid
    "#);
}

#[test]
fn a_paid_order_says_that_its_stock_could_not_be_settled() {
    let settled = ShopOrder {
        state: OrderState::Paid { sale: sale(false, Vec::new()), progress: Progress::New },
        ..paid_order()
    };
    let unsettled = ShopOrder { stock: Stock::Held, ..settled.clone() };
    for language in Language::ALL {
        assert!(warnings(language, &settled, true).is_empty());
        for warned in [warnings(language, &settled, false), warnings(language, &unsettled, true)] {
            assert_eq!(warned, [format!("⚠️ {}", t!(language, "todo-stock-not-settled"))]);
        }
    }
}

#[test]
fn what_is_picked_up_is_handed_over_and_the_rest_is_delivered() {
    let delivered = |delivery| ShopOrder {
        terms: Some(Terms { delivery, ..terms() }),
        state: OrderState::Paid { sale: sale(false, Vec::new()), progress: Progress::Delivered },
        history: vec![entry(OrderAction::Delivered, Actor::Click, datetime!(2026-11-23 07:05 UTC))],
        ..paid_order()
    };
    let address = Delivery::Address { text: "Chilonzor 5".to_owned(), landmark: None };
    for (delivery, stage, done) in [(Delivery::Pickup, "Выдан", "выдан"), (address, "Доставлен", "доставлен")]
    {
        let order = delivered(delivery);
        let html = html(Language::Ru, &order);
        assert!(html.contains(stage) && html.ends_with(done), "{html}");
        let buttons = action_rows(Language::Ru, &order).concat();
        assert!(buttons.is_empty(), "money of a delivered order is given back from its card: {buttons:?}");
    }
}

#[test]
fn a_name_from_right_to_left_reorders_nothing_beside_it() {
    let names: Names = [(user(5551), "محمد".to_owned())].into_iter().collect();
    let html = order_html(Language::En, &paid_order(), &names, &[], &[]);
    assert!(html.contains(">\u{2068}محمد\u{2069}</a>, +998"), "{html}");
}
