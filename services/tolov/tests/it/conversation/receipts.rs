//! A fiscal receipt from the order to the shopper, to the post, and where it is missing to the owners' morning message.

use serde_json::{Value, json};
use tolov_domain::Day;
use tolov_kit::clock::{Clock, SystemClock};
use tolov_webhook::ledger::{Ledger, UnverifiedLimits};

use super::{
    habits::{buys, comes_in},
    staff::{opens_product, owner_comes_in},
    world::{PATIENCE, Settings, Stores, World},
};
use crate::shop_world::{STAFF_CHANNEL, eventually};

fn with_receipts(settings: &mut Settings) {
    for (name, value) in [
        ("CLICK_MERCHANT_USER_ID", "4321"),
        ("CLICK_RECEIPTS", "on"),
        ("RECEIPT_SELLER", "123456789"),
        ("RECEIPT_MXIK", "00902001001000000"),
        ("RECEIPT_PACKAGE", "1500000"),
        ("RECEIPT_VAT", "12"),
    ] {
        settings.insert(name.to_owned(), value.to_owned());
    }
}

/// The shopper and the staff get the address; the owner gives the money back, and hears in the morning that the return has no
/// receipt.
async fn a_receipt_and_the_return_that_has_none(world: &World) {
    let dilnoza = comes_in(world, "Dilnoza", "ru").await;
    let payment = buys(&dilnoza, "Choy", "Qora choy").await;
    let url = format!("https://ofd.soliq.uz/check?t=SANDBOX&r={}", payment["click_paydoc_id"]);
    for (chat, words) in [(dilnoza.id, "ofd.soliq.uz"), (dilnoza.id, "Чек"), (STAFF_CHANNEL, "Chek")] {
        has_link(world, chat, words, &url).await;
    }
    let printed = world.get("click/receipts").await;
    assert_eq!(printed.as_array().unwrap().len(), 1, "{printed}");

    let order = payment["order_id"].as_str().unwrap();
    world.command("refund", &[order, "--yes"]);
    dilnoza.sees_text("told-rest-refunded").await;
    let aziz = owner_comes_in(world).await;
    a_day_is_compared(world).await;
    aziz.sees_text("day-receipts-missing").await;
    let listed = world.command("receipts", &[]);
    assert!(
        listed.contains("the return needs its receipt") && listed.contains("receipts missing: 1"),
        "{listed}"
    );
    world.command("receipts", &[order, "--by-hand", "check 17"]);
    assert_eq!(world.command("receipts", &[]), "receipts missing: 0\n");
}

/// The shop has no code for everything: the owner is warned, and gives the product its own.
async fn a_code_is_asked_for_and_printed(world: &World) {
    const CODE: &str = "01905001001000000";
    let aziz = owner_comes_in(world).await;
    opens_product(&aziz, "Novvot").await;
    aziz.taps_on("edit-field-fiscal").await;
    aziz.sees_text("receipt-data-missing").await;
    aziz.taps_on("edit-field-mxik").await;
    for wrong in ["0190500100100000", "MXIK 1905001001000000"] {
        aziz.says(wrong).await;
        aziz.sees_text("edit-ask-mxik").await;
    }
    aziz.says("01905 001 001 000000").await;
    aziz.sees(CODE).await;
    // A package belongs to its code: the shop's is another one's.
    aziz.sees_text("receipt-data-missing").await;
    aziz.taps_on("edit-field-package").await;
    aziz.says("1506113").await;
    assert!(
        !aziz.screen().await.contains(&aziz.words("receipt-data-missing")),
        "nothing is missing any more"
    );

    let dilnoza = comes_in(world, "Dilnoza", "ru").await;
    let payment = buys(&dilnoza, "Non va shirinliklar", "Novvot").await;
    dilnoza.sees("ofd.soliq.uz").await;
    let printed = world.get("click/receipts").await;
    let item = &printed[0]["items"]["items"][0];
    assert_eq!(
        (&printed[0]["payment_id"], &item["SPIC"]),
        (&payment["click_paydoc_id"], &json!(CODE)),
        "{printed}"
    );
}

/// Waits for a message with such words as a link.
async fn has_link(world: &World, chat: i64, words: &str, url: &str) {
    let shows = |message: &Value| {
        let is_link = message["entities"].to_string().contains(url);
        is_link && message["text"].as_str().is_some_and(|text| text.contains(words))
    };
    eventually("the receipt is shown", PATIENCE, || async {
        let messages = world.get(&format!("telegram/chats/{chat}/messages")).await;
        messages.as_array().unwrap().iter().any(shows)
    })
    .await;
}

/// As on the next morning, about the day before this one.
async fn a_day_is_compared(world: &World) {
    world.stop_bot();
    let now = SystemClock.now();
    let (ledger, writer) = Ledger::open(&world.ledger_path(), UnverifiedLimits::default()).await.unwrap();
    ledger.record_day(Day::of(now).plus(-1), None, now).await.unwrap();
    drop(ledger);
    writer.close().await;
    world.start_bot().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_and_the_return_that_has_none_on_files() {
    let world = World::start(Stores::Files, with_receipts).await;
    a_receipt_and_the_return_that_has_none(&world).await;
    world.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_asked_for_and_printed_on_files() {
    let world = World::start(Stores::Files, |settings| {
        with_receipts(settings);
        settings.remove("RECEIPT_MXIK");
    })
    .await;
    a_code_is_asked_for_and_printed(&world).await;
    world.ends().await;
}
