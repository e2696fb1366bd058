//! A fiscal receipt from the order that is registered with its content, through the reconciler, to the simulated CLICK.

use reqwest::StatusCode;
use serde_json::{Value, json};
use time::Duration;
use tolov_sandbox::click::{ApiCallKind, ApiFault, ApiFaultEffect};

use crate::refunds::World;

async fn registered_with_receipt(world: &World, order_id: i64) {
    let order = json!({"order_id": order_id, "user_id": 5551, "total_amount": 30000, "payment_method": "click",
        "products": [{"product_id": 7, "count": 2}],
        "receipt": {"lines": [{"name": "Choy dona", "amount": 2000, "good_price": 1_600_000, "price": 3_200_000,
            "discount": 200_000, "vat": 321_429,
            "fiscal": {"mxik": "01234567890123456", "package_code": "1506113", "vat_percent": 12}}]}});
    assert_eq!(world.post("api/create_order", &order).await.0, StatusCode::CREATED);
}

async fn paid_with_receipt(world: &World, order_id: i64) {
    registered_with_receipt(world, order_id).await;
    assert!(world.sandbox.click().pay(&order_id.to_string(), "30000").await.unwrap().is_paid());
}

async fn receipt(world: &World) -> Value {
    world.get("receipts/1").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paid_order_gets_one_receipt_of_exactly_what_was_paid() {
    let world = World::start().await;
    paid_with_receipt(&world, 1).await;
    world.round_after(Duration::ZERO).await;
    assert_eq!(receipt(&world).await["state"], "submitted");
    world.round_after(Duration::MINUTE).await;
    let known = receipt(&world).await;
    assert_eq!(known["state"], "known", "{known}");
    let printed = world.sandbox.click().receipts();
    assert_eq!((printed.len(), known["url"].as_str()), (1, Some(printed[0].qr_code_url.as_str())));
    let items = printed[0].items.as_ref().unwrap();
    assert_eq!((items.received_card, items.items[0].amount), (3_000_000, 2_000));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_whose_answer_is_lost_or_refused_is_made_once_all_the_same() {
    let refused = ApiFaultEffect::Refused { error_code: -500, error_note: "нет".to_owned() };
    for effect in
        [ApiFaultEffect::LostAnswer, ApiFaultEffect::LostRequest, ApiFaultEffect::EmptyBody, refused]
    {
        let world = World::start().await;
        paid_with_receipt(&world, 1).await;
        let fault = ApiFault::once(ApiCallKind::FiscalSubmit, effect.clone());
        world.sandbox.click().inject_api(fault).unwrap();
        for _ in 0..10 {
            world.round_after(Duration::minutes(70)).await;
        }
        let known = receipt(&world).await;
        assert_eq!(known["state"], "known", "{effect:?}: {known}");
        assert_eq!(world.sandbox.click().receipts().len(), 1);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_missing_receipts_says_why_and_what_to_do_until_a_person_has_closed_it() {
    let world = World::start().await;
    registered_with_receipt(&world, 1).await;
    let in_telegram = json!({"payload": "order-1", "user_id": 5551, "amount_tiyin": 3_000_000, "currency": "UZS",
        "telegram_charge_id": "tg-1", "provider_charge_id": "4711"});
    assert_eq!(world.post("telegram-payments", &in_telegram).await.1["outcome"], "paid");
    world.round_after(Duration::ZERO).await;
    let told = async |arguments: &[&str]| {
        let output = world.run("receipts", arguments).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let list = told(&[]).await;
    for words in
        ["paid by Telegram’s invoice", "print it at your cash register", "--by-hand", "receipts missing: 1"]
    {
        assert!(list.contains(words), "{words} is not in {list}");
    }
    for (language, count, why) in [
        (
            "uz",
            "yetishmayotgan cheklar: 1",
            "1 buyurtma, 30\u{a0}000\u{a0}so‘m: chek yo‘q: Telegram hisobi orqali",
        ),
        ("ru", "не хватает чеков: 1", "заказ 1, 30\u{a0}000\u{a0}сум: чека нет: оплачено счётом Telegram"),
    ] {
        let list = told(&["--language", language]).await;
        assert!(list.contains(count) && list.contains(why), "{list}");
    }
    let unknown = world.run("receipts", &["7", "--language", "ru"]).await;
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("нет чека по заказу 7"), "{unknown:?}");
    assert!(told(&["1", "--by-hand", "check 17"]).await.contains("by hand (operator): check 17"));
    assert_eq!(told(&[]).await, "receipts missing: 0\n");
    let journal = std::fs::read_to_string(world.folder().join("operators.jsonl")).unwrap();
    assert!(journal.contains("\"receipts\"") && journal.contains("by-hand"), "{journal}");
    world.end().await;
}
