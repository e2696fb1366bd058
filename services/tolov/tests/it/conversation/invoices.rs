//! Orders paid by Telegram's own invoice, and what keeps the two ways to pay apart.

use serde_json::{Value, json};

use super::{
    habits::{comes_in, orders, takes},
    labels::label,
    person::Person,
    story,
    world::{PATIENCE, Settings, World},
};
use crate::shop_world::eventually;

/// As long as Telegram waits for an answer.
const TELEGRAM_WAITS_MS: u32 = 10_000;

fn with_provider_token(settings: &mut Settings) {
    settings.insert("CLICK_PROVIDER_TOKEN".to_owned(), "398062629:TEST:token-of-the-test".to_owned());
}

fn with_a_short_time(settings: &mut Settings) {
    with_provider_token(settings);
    settings.insert("ORDER_TTL".to_owned(), "6s".to_owned());
}

/// Orders, and has the invoice sent.
async fn gets_an_invoice(shopper: &Person<'_>) {
    takes(shopper, "Choy", "Qora choy").await;
    orders(shopper).await;
    shopper.taps_on("order-pay-in-telegram").await;
}

async fn pays_the_invoice(world: &World, shopper: &Person<'_>) -> Value {
    let checkout = world.post(&format!("telegram/shoppers/{}/pay_invoice", shopper.id), &json!({})).await;
    world.with_transcript(|transcript| transcript.checkout(&checkout));
    checkout
}

async fn is_refused(world: &World, shopper: &Person<'_>, why: &str) {
    let checkout = pays_the_invoice(world, shopper).await;
    assert_eq!(checkout["answer"]["error_message"], shopper.words(why), "{checkout}");
    assert!(checkout["paid"].is_null());
}

/// The bot is asked, and what it answered.
async fn checks_out(world: &World, shopper: &Person<'_>) -> Value {
    let asked = world.post(&format!("telegram/shoppers/{}/check_out", shopper.id), &json!({})).await;
    let id = asked["id"].as_str().unwrap();
    world.get(&format!("telegram/checkouts/{id}/answer?timeout_ms={TELEGRAM_WAITS_MS}")).await
}

async fn takes_the_money(world: &World, checkout: &Value) {
    let id = checkout["id"].as_str().unwrap();
    let paid = world.post(&format!("telegram/checkouts/{id}/take_money"), &json!({})).await;
    world.with_transcript(|transcript| transcript.checkout(&paid));
}

/// The order is paid like any other; the update that comes twice changes nothing; the link is of no use any more.
async fn an_invoice_is_paid(world: &World) {
    let dilnoza = comes_in(world, "Dilnoza", "uz").await;
    gets_an_invoice(&dilnoza).await;
    let link = dilnoza.pay_link().await;
    let checkout = pays_the_invoice(world, &dilnoza).await;
    assert!(checkout["paid"].is_object(), "{checkout}");
    dilnoza.sees_text("state-paid").await;
    world.staff_see("№").await;
    takes_the_money(world, &checkout).await;
    is_refused(world, &dilnoza, "invoice-paid-already").await;
    let payment = dilnoza.follows(&link).await;
    assert_eq!(payment["status"]["status"], "refused", "{payment}");
}

/// The invoice is being paid while the link is followed: CLICK is refused before any money.
async fn the_link_waits_for_the_invoice(world: &World) {
    let sergey = comes_in(world, "Сергей", "ru").await;
    gets_an_invoice(&sergey).await;
    let link = sergey.pay_link().await;
    let checkout = checks_out(world, &sergey).await;
    assert_eq!(checkout["answer"]["ok"], true, "{checkout}");
    let payment = sergey.follows(&link).await;
    assert_eq!(payment["status"]["status"], "refused", "{payment}");
    takes_the_money(world, &checkout).await;
    sergey.sees_text("state-paid").await;
}

/// The link is being paid while the invoice is: Telegram is refused in words. Money that Telegram takes all the same is a
/// question to staff.
async fn the_invoice_waits_for_the_link(world: &World) {
    let emma = comes_in(world, "Emma", "en").await;
    gets_an_invoice(&emma).await;
    world.post("click/faults", &json!({ "step": "complete", "effect": "late", "delay_ms": 4_000 })).await;
    let link = emma.pay_link().await;
    let refused = async {
        eventually("CLICK has asked for its Prepare", PATIENCE, || async {
            let payments = world.get("click/payments").await.to_string();
            payments.contains("merchant_prepare_id")
        })
        .await;
        let checkout = checks_out(world, &emma).await;
        assert_eq!(checkout["answer"]["error_message"], emma.words("invoice-being-paid"), "{checkout}");
        checkout
    };
    let (payment, checkout) = tokio::join!(emma.follows(&link), refused);
    assert_eq!(payment["status"]["status"], "paid", "{payment}");
    emma.sees_text("state-paid").await;
    takes_the_money(world, &checkout).await;
    world.staff_see(&label("uz", "todo-paid-twice")).await;
}

/// An old invoice is refused in words.
async fn an_invoice_of_an_expired_order_is_refused(world: &World) {
    let dilnoza = comes_in(world, "Dilnoza", "ru").await;
    gets_an_invoice(&dilnoza).await;
    dilnoza.sees_text("state-expired").await;
    is_refused(world, &dilnoza, "invoice-expired").await;
}

/// The bot dies between Telegram's message and the ledger, and the payment is recorded after its start.
async fn a_payment_outlives_the_bot(world: &World) {
    let dilnoza = comes_in(world, "Dilnoza", "uz").await;
    gets_an_invoice(&dilnoza).await;
    let checkout = checks_out(world, &dilnoza).await;
    world.kill_bot();
    takes_the_money(world, &checkout).await;
    takes_the_money(world, &checkout).await;
    world.start_bot().await;
    dilnoza.sees_text("state-paid").await;
    world.staff_see("№").await;
}

story!(invoice_paid, an_invoice_is_paid, with_provider_token);
story!(invoice_before_link, the_link_waits_for_the_invoice, with_provider_token);
story!(invoice_expired, an_invoice_of_an_expired_order_is_refused, with_a_short_time);
story!(invoice_over_a_restart, a_payment_outlives_the_bot, with_provider_token);

/// A bill in the CLICK app, paid there; the reconciler looks every half minute.
async fn a_bill_is_paid_in_the_app(world: &World) {
    let sergey = comes_in(world, "Сергей", "ru").await;
    takes(&sergey, "Choy", "Qora choy").await;
    orders(&sergey).await;
    sergey.taps_on("order-bill-to-phone").await;
    sergey.taps_on("order-bill-to-phone").await;
    let sent = sergey.words("bill-sent");
    eventually("the bill is in the app", PATIENCE * 3, || async { sergey.screen().await.contains(&sent) })
        .await;
    let bills = world.get("click/invoices").await;
    assert_eq!(bills.as_array().map(Vec::len), Some(1), "{bills}");
    let payment = world.post(&format!("click/invoices/{}/pay", bills[0]["invoice_id"]), &json!({})).await;
    assert_eq!(payment["status"]["status"], "paid", "{payment}");
    sergey.sees_text("state-paid").await;
}

/// A number without CLICK: the shopper is told to pay by the link.
async fn a_bill_that_click_refuses(world: &World) {
    let emma = comes_in(world, "Emma", "en").await;
    takes(&emma, "Choy", "Qora choy").await;
    orders(&emma).await;
    world
        .post("click/api_faults", &json!({ "call": "invoice", "effect": "refused", "error_code": -514 }))
        .await;
    emma.taps_on("order-bill-to-phone").await;
    let told = emma.words("bill-no-click-user");
    eventually("the shopper is told", PATIENCE * 3, || async { emma.screen().await.contains(&told) }).await;
    emma.pays().await;
    emma.sees_text("state-paid").await;
}

fn with_merchant_api(settings: &mut Settings) {
    settings.insert("CLICK_MERCHANT_USER_ID".to_owned(), "4321".to_owned());
}

mod bills {
    use super::*;
    use crate::conversation::world::Stores;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_bill_is_paid_in_the_app_on_files() {
        let world = World::start(Stores::Files, with_merchant_api).await;
        a_bill_is_paid_in_the_app(&world).await;
        world.ends().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_bill_that_click_refuses_on_files() {
        let world = World::start(Stores::Files, with_merchant_api).await;
        a_bill_that_click_refuses(&world).await;
        world.ends().await;
    }
}

mod two_ways {
    use super::*;
    use crate::conversation::world::Stores;

    #[tokio::test(flavor = "multi_thread")]
    async fn the_invoice_waits_for_the_link_on_files() {
        let world = World::start(Stores::Files, with_provider_token).await;
        the_invoice_waits_for_the_link(&world).await;
        world.ends().await;
    }

    /// While the webhook service is away nothing is paid, and what was paid before is kept until it is back.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_webhook_service_that_is_away_loses_no_payment() {
        let world = World::start(Stores::Servers, with_provider_token).await;
        let dilnoza = comes_in(&world, "Dilnoza", "uz").await;
        gets_an_invoice(&dilnoza).await;
        let checkout = checks_out(&world, &dilnoza).await;
        world.stop("webhook");
        is_refused(&world, &dilnoza, "invoice-later").await;
        takes_the_money(&world, &checkout).await;
        dilnoza.sees_text("invoice-payment-kept").await;
        world.start_again("webhook").await;
        dilnoza.sees_text("state-paid").await;
        world.ends().await;
    }
}
