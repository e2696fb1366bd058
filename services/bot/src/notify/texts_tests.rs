use time::macros::datetime;
use tolov_domain::{
    EventId, OrderId, ProductId, Tiyin, UserId,
    notification::{PaymentNumbers, Recipient, SCHEMA},
};

use super::*;

fn line(title: &str, count: u32) -> OrderLine {
    let product_id = ProductId::try_new(7).unwrap();
    OrderLine { product_id, count, title: title.to_owned(), price: None, portion: None, fiscal: None }
}

fn told(number: i64, subject: Subject, lines: Vec<OrderLine>) -> Notification {
    Notification {
        schema: SCHEMA.to_owned(),
        notification_id: EventId::new(format!("payment.completed:{number}/staff")),
        recipient: Recipient::Staff,
        order_id: OrderId::try_new(number).unwrap(),
        user_id: UserId::try_new(5551).unwrap(),
        lines,
        total_tiyin: Tiyin::from_soum(30_000).unwrap(),
        subject,
        occurred_at: datetime!(2026-11-23 07:05:06 UTC),
    }
}

fn payment() -> ClickPaydocId {
    ClickPaydocId::try_new(2001).unwrap()
}

fn paid(number: i64, late: bool) -> Notification {
    let lines = vec![line("Pizza <b>&", 2), line("", 1)];
    told(number, Subject::OrderPaid { click_paydoc_id: payment(), late, stock_settled: true }, lines)
}

fn questioned(anomaly: Anomaly) -> Notification {
    let subject = Subject::PaymentQuestioned {
        merchant_prepare_id: None,
        click_paydoc_id: Some(payment()),
        click_trans_id: None,
        click_amount_tiyin: None,
        paid_by: None,
        anomaly,
    };
    told(1024, subject, Vec::new())
}

fn unplaced() -> UnplacedPayment {
    UnplacedPayment {
        schema: tolov_domain::unplaced::SCHEMA.to_owned(),
        event_id: UnplacedPayment::id_of("3647911201"),
        click_trans_id: "3647911201".to_owned(),
        click_paydoc_id: "2001".to_owned(),
        merchant_trans_id: "Заказ <7>".to_owned(),
        amount: "30000.50".to_owned(),
        answer: -5,
        occurred_at: datetime!(2026-11-23 07:05:06 UTC),
    }
}

/// A digest of notifications of orders.
fn digest_of_orders(language: Language, notifications: &[&Notification]) -> (String, usize) {
    let messages: Vec<_> =
        notifications.iter().map(|notification| StaffMessage::Order((*notification).clone())).collect();
    digest(language, &messages.iter().collect::<Vec<_>>())
}

#[test]
fn money_that_belongs_to_no_order_is_told_with_all_that_click_names_in_uzbek() {
    insta::assert_snapshot!(unplaced_post(Language::Uz, &unplaced()), @"
    ⚠️ <b>CLICK PUL QABUL QILDI, UNI BUYURTMAGA BIRIKTIRIB BO‘LMADI</b>

    CLICK tranzaksiyasi: <code>3647911201</code>
    CLICK to‘lov raqami: <code>2001</code>
    CLICK aytgan summa: <b>30000.50\u{a0}so‘m</b>
    CLICK aytgan buyurtma: <code>Заказ &lt;7&gt;</code>
    CLICKka javobimiz: <code>-5</code>, bunday buyurtma yo‘q
    Vaqt: 23.11.2026 12:05

    👉 To‘lovni CLICK kabinetida raqami bo‘yicha toping. So‘ng pulni o‘sha yerda qaytaring yoki to‘lovchini topib, buyurtmani qo‘lda rasmiylashtiring.
    ");
}

#[test]
fn money_that_belongs_to_no_order_is_told_with_all_that_click_names_in_russian() {
    insta::assert_snapshot!(unplaced_post(Language::Ru, &unplaced()), @"
    ⚠️ <b>CLICK ПРИНЯЛ ДЕНЬГИ, КОТОРЫЕ НЕ УДАЛОСЬ ОТНЕСТИ К ЗАКАЗУ</b>

    Транзакция CLICK: <code>3647911201</code>
    Номер платежа CLICK: <code>2001</code>
    Сумма по данным CLICK: <b>30000.50\u{a0}сум</b>
    Заказ по данным CLICK: <code>Заказ &lt;7&gt;</code>
    Наш ответ CLICK: <code>-5</code>, такого заказа нет
    Время: 23.11.2026 12:05

    👉 Найдите платёж в кабинете CLICK по его номеру. Затем верните там деньги или найдите плательщика и оформите заказ вручную.
    ");
}

#[test]
fn money_that_belongs_to_no_order_is_told_with_all_that_click_names_in_english() {
    insta::assert_snapshot!(unplaced_post(Language::En, &unplaced()), @"
    ⚠️ <b>CLICK TOOK MONEY THAT COULD NOT BE MATCHED TO AN ORDER</b>

    CLICK transaction: <code>3647911201</code>
    CLICK payment number: <code>2001</code>
    Amount that CLICK names: <b>30000.50\u{a0}UZS</b>
    Order that CLICK names: <code>Заказ &lt;7&gt;</code>
    Our answer to CLICK: <code>-5</code>, there is no such order
    Time: 23.11.2026 12:05

    👉 Find the payment in CLICK’s merchant cabinet by its number. Then refund the money there, or find the payer and place the order by hand.
    ");
}

#[test]
fn every_answer_to_money_that_belongs_to_no_order_is_explained_and_a_field_that_click_left_empty_is_a_dash() {
    for language in Language::ALL {
        let mut said = std::collections::BTreeSet::new();
        for answer in [-5, -6, -8, -3] {
            let payment = UnplacedPayment { answer, amount: String::new(), ..unplaced() };
            let post = unplaced_post(language, &payment);
            assert!(post.contains(&answer.to_string()) && post.contains("<b>-\u{a0}"), "{post}");
            assert!(said.insert(post), "{answer}");
        }
    }
}

#[test]
fn a_questioned_payment_is_told_with_transaction_and_the_amount_that_click_names() {
    let subject = Subject::PaymentQuestioned {
        merchant_prepare_id: None,
        click_paydoc_id: Some(payment()),
        click_trans_id: tolov_domain::ClickTransId::try_new(3_647_911_201).ok(),
        click_amount_tiyin: Tiyin::from_soum(29_999).ok(),
        paid_by: Some(PaymentNumbers {
            click_trans_id: tolov_domain::ClickTransId::try_new(3_647_911_200).unwrap(),
            click_paydoc_id: payment(),
        }),
        anomaly: Anomaly::AmountDiffers,
    };
    for language in Language::ALL {
        let post = staff_post(language, &told(1024, subject.clone(), Vec::new()));
        let named = ["3647911201", "3647911200", "2001", "29\u{a0}999", "30\u{a0}000"];
        assert!(named.iter().all(|text| post.contains(text)), "{post}");
    }
}

#[test]
fn a_digest_tells_of_money_that_belongs_to_no_order_as_a_post_of_its_own_would() {
    let messages = [StaffMessage::Order(paid(1, false)), StaffMessage::Unplaced(unplaced())];
    for language in Language::ALL {
        let (text, fitting) = digest(language, &messages.iter().collect::<Vec<_>>());
        assert!(fitting == 2 && text.ends_with(&unplaced_post(language, &unplaced())), "{text}");
    }
}

#[test]
fn a_paid_order_is_announced_in_uzbek() {
    insta::assert_snapshot!(shopper_paid(Language::Uz, &paid(1024, false), payment()), @r"
    ✅ <b>№1024 buyurtma to‘landi</b>

    • Pizza &lt;b&gt;&amp; × 2
    • №7 mahsulot × 1

    Jami: <b>30 000 so‘m</b>
    CLICK to‘lov raqami: <code>2001</code>

    Xaridingiz uchun rahmat!
    ");
}

#[test]
fn an_expired_order_is_announced_with_its_products() {
    let expired = told(1024, Subject::OrderExpired, vec![line("Pizza <b>&", 2)]);
    insta::assert_snapshot!(shopper_expired(Language::Uz, &expired), @r"
    ⌛ <b>№1024 buyurtma: to‘lov muddati o‘tdi</b>

    • Pizza &lt;b&gt;&amp; × 2

    Buyurtma uchun pul yechilmadi. Savatingiz joyida: istalgan payt qayta buyurtma berishingiz mumkin.
    ");
    insta::assert_snapshot!(shopper_expired(Language::Ru, &expired), @r"
    ⌛ <b>Время оплаты заказа №1024 истекло</b>

    • Pizza &lt;b&gt;&amp; × 2

    Деньги за заказ не списаны. Корзина на месте: оформить заказ снова можно в любое время.
    ");
    insta::assert_snapshot!(shopper_expired(Language::En, &expired), @r"
    ⌛ <b>Order #1024 has expired</b>

    • Pizza &lt;b&gt;&amp; × 2

    You were not charged for it. Your cart is still there: you can order again at any time.
    ");
}

#[test]
fn a_paid_order_is_announced_in_russian() {
    insta::assert_snapshot!(shopper_paid(Language::Ru, &paid(1024, false), payment()), @r"
    ✅ <b>Заказ №1024 оплачен</b>

    • Pizza &lt;b&gt;&amp; × 2
    • Товар №7 × 1

    Итого: <b>30 000 сум</b>
    Номер платежа CLICK: <code>2001</code>

    Спасибо за покупку!
    ");
}

#[test]
fn a_paid_order_is_announced_in_english() {
    insta::assert_snapshot!(shopper_paid(Language::En, &paid(1024, false), payment()), @r"
    ✅ <b>Order #1024 is paid</b>

    • Pizza &lt;b&gt;&amp; × 2
    • Product #7 × 1

    Total: <b>30 000 UZS</b>
    CLICK payment number: <code>2001</code>

    Thank you for your purchase!
    ");
}

#[test]
fn staff_see_who_bought_what_and_when() {
    insta::assert_snapshot!(staff_post(Language::Uz, &paid(1024, false)), @r#"
    🛒 <b>№1024 buyurtma to‘landi</b>
    Xaridor: <a href="tg://user?id=5551">5551</a>

    • Pizza &lt;b&gt;&amp; × 2
    • №7 mahsulot × 1

    Jami: <b>30 000 so‘m</b>
    CLICK to‘lov raqami: <code>2001</code>
    Vaqt: 23.11.2026 12:05
    "#);
}

#[test]
fn a_late_payment_is_marked_and_says_what_to_do() {
    insta::assert_snapshot!(staff_post(Language::En, &paid(1024, true)), @r#"
    ⚠️ <b>Order #1024 was paid LATE</b>
    Customer: <a href="tg://user?id=5551">5551</a>

    • Pizza &lt;b&gt;&amp; × 2
    • Product #7 × 1

    Total: <b>30 000 UZS</b>
    CLICK payment number: <code>2001</code>
    Time: 23.11.2026 12:05

    👉 The money came after the order had expired. Check whether the goods are still there: if so, fulfil the order; if not, refund the money in CLICK’s merchant cabinet and write to the customer.
    "#);
}

#[test]
fn every_anomaly_has_its_own_advice() {
    let mut said = std::collections::BTreeSet::new();
    for anomaly in Anomaly::ALL {
        let post = staff_post(Language::Ru, &questioned(anomaly));
        assert!(post.starts_with("⚠️ <b>Заказ №1024: ПРОВЕРЬТЕ ПЛАТЁЖ</b>"), "{post}");
        assert!(said.insert(post.split("👉").nth(1).unwrap().to_owned()), "{anomaly:?} repeats another one");
    }
}

#[test]
fn who_hears_of_a_payment_that_click_shows_is_told_of_the_button_that_accepts_it() {
    for language in Language::ALL {
        let post = staff_post(language, &questioned(Anomaly::ReportedPaid));
        let label = l!(language, "accept-payment");
        assert!(post.contains(label.trim_start_matches("✅ ")), "{post}");
    }
}

#[test]
fn stock_that_was_not_settled_is_named_below_the_payment() {
    let subject = Subject::OrderPaid { click_paydoc_id: payment(), late: false, stock_settled: false };
    for language in Language::ALL {
        let notification = told(1024, subject.clone(), vec![line("Pizza", 2)]);
        let post = staff_post(language, &notification);
        let to_do = t!(language, "todo-stock-not-settled");
        assert!(post.contains("1024") && post.ends_with(&format!("👉 {to_do}")), "{post}");
        let shopper = shopper_paid(language, &notification, payment());
        assert!(!shopper.contains(&to_do), "{shopper}");
    }
}

#[test]
fn a_digest_has_a_line_for_each_notification_and_marks_anomalies() {
    let (first, second) = (paid(1, false), questioned(Anomaly::PaidTwice));
    let (text, fitting) = digest_of_orders(Language::En, &[&first, &second]);
    assert_eq!(fitting, 2);
    insta::assert_snapshot!(text, @r"
    🛒 <b>2 notifications in one post</b>
    #1 · 30 000 UZS · CLICK 2001 · 12:05
        • Pizza &lt;b&gt;&amp; × 2
        • Product #7 × 1
    ⚠️ <b>#1024</b> · 30 000 UZS · CLICK 2001 · 12:05 · customer 5551
    👉 A second payment came for this order. Check CLICK’s merchant cabinet and refund the extra one.
    ");
}

#[test]
fn a_digest_takes_as_many_notifications_as_fit_and_says_how_many() {
    let many: Vec<_> = (1..=300).map(|number| paid(number, false)).collect();
    let many: Vec<_> = many.iter().collect();
    let (text, fitting) = digest_of_orders(Language::Uz, &many);
    assert!(units(&text) <= 4096 && units(&text) > 4000, "{}", units(&text));
    assert!(fitting > 90, "{fitting}");
    assert!(text.starts_with(&format!("🛒 <b>Bitta postda {fitting}\u{a0}ta xabar</b>\n№1 ·")));
    assert!(text.lines().last().unwrap().starts_with(&format!("№{fitting} ·")));
}

#[test]
fn a_huge_order_fits_and_says_how_many_lines_are_left_out() {
    let lines = vec![line(&"<".repeat(500), 1); 200];
    let huge =
        told(1, Subject::OrderPaid { click_paydoc_id: payment(), late: true, stock_settled: true }, lines);
    for language in Language::ALL {
        for text in [staff_post(language, &huge), shopper_paid(language, &huge, payment())] {
            assert!(units(&text) <= 4096, "{}", units(&text));
            assert!(text.contains('…') && text.contains("30\u{a0}000"));
        }
        let (text, fitting) = digest_of_orders(language, &[&huge, &huge]);
        assert!(units(&text) <= 4096);
        assert_eq!(fitting, 2);
    }
}
