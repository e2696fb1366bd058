//! Money goes back: by hand where CLICK cannot, else through its Merchant API, and what becomes of it when that fails.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    habits::{comes_in, orders, takes},
    person::Person,
    staff::owner_comes_in,
    world::{Settings, Stores, World},
};
use crate::shop_world::{STAFF_CHANNEL, eventually};

/// The reconciler looks every other second, and asks about what is unknown a minute later.
const RECONCILED: Duration = Duration::from_mins(3);

/// Two products are bought. Returns CLICK's record.
async fn buys_two(shopper: &Person<'_>) -> Value {
    takes(shopper, "Choy", "Qora choy").await;
    takes(shopper, "Non va shirinliklar", "Novvot").await;
    orders(shopper).await;
    let payment = shopper.pays().await;
    assert_eq!(payment["status"]["status"], "paid", "{payment}");
    shopper.sees_text("state-paid").await;
    payment
}

async fn opens_refunds(aziz: &Person<'_>, payment: &Value) {
    aziz.says("/admin").await;
    aziz.taps_on("panel-orders").await;
    aziz.taps_on("staff-orders-find").await;
    aziz.says(payment["order_id"].as_str().unwrap()).await;
    aziz.taps_on("refund-open").await;
}

async fn gives_all_back(aziz: &Person<'_>, payment: &Value) {
    opens_refunds(aziz, payment).await;
    aziz.taps_on("refund-whole").await;
    aziz.taps_on("refund-sure").await;
}

async fn status(world: &World, payment: &Value) -> String {
    let id = payment["click_trans_id"].as_i64().unwrap();
    let now = world.get(&format!("click/payments/{id}")).await;
    now["status"]["status"].as_str().unwrap().to_owned()
}

async fn until_reversed(world: &World, payment: &Value) {
    eventually("CLICK gives the money back", RECONCILED, || async {
        status(world, payment).await == "reversed"
    })
    .await;
}

/// Of a shop without the Merchant API: one of two goods goes back, and the owner says how.
async fn a_part_goes_back_by_hand(world: &World) {
    let dilnoza = comes_in(world, "Dilnoza", "ru").await;
    let payment = buys_two(&dilnoza).await;
    let aziz = owner_comes_in(world).await;
    opens_refunds(&aziz, &payment).await;
    aziz.taps_on("refund-part").await;
    aziz.taps("Novvot").await;
    aziz.taps_on("refund-continue").await;
    aziz.taps_on("refund-sure").await;
    aziz.taps_on("refund-by-hand").await;
    aziz.says("4711").await;
    dilnoza.sees_text("told-part-refunded").await;
    assert_eq!(status(world, &payment).await, "paid", "nothing was sent to CLICK");
    opens_refunds(&aziz, &payment).await;
    aziz.sees_text("refund-state-done-by-hand").await;
}

/// The same from the command line, which does nothing unless somebody is sure.
async fn an_operator_gives_an_order_back(world: &World) {
    let dilnoza = comes_in(world, "Dilnoza", "ru").await;
    let payment = buys_two(&dilnoza).await;
    let order = payment["order_id"].as_str().unwrap();
    let asked = world.command("refund", &[order]);
    assert!(asked.contains("by hand") && asked.contains("nothing was done"), "{asked}");
    assert!(!world.operators_journal().contains(order), "nobody has decided");
    let requested = world.command("refund", &[order, "--yes"]);
    assert!(requested.contains("then --by-hand"), "{requested}");
    let given = world.command("refund", &[order, "--by-hand", "4711", "--yes"]);
    assert!(given.contains("given back by hand: 4711"), "{given}");
    dilnoza.sees_text("told-rest-refunded").await;
    let journal = world.operators_journal();
    assert_eq!(journal.lines().filter(|line| line.contains(order)).count(), 2, "{journal}");
    let shown = world.command("refund", &[order, "--show"]);
    assert!(shown.contains("nothing is left to give back"), "{shown}");
}

async fn a_whole_order_goes_back_through_click(world: &World) {
    let dilnoza = comes_in(world, "Dilnoza", "ru").await;
    let payment = buys_two(&dilnoza).await;
    let aziz = owner_comes_in(world).await;
    gives_all_back(&aziz, &payment).await;
    until_reversed(world, &payment).await;
    dilnoza.sees_text("told-rest-refunded").await;
    opens_refunds(&aziz, &payment).await;
    aziz.sees_text("refund-nothing-left").await;
    assert_eq!(reversals(world).await, 1);
}

async fn a_refusal_of_click_is_given_back_by_hand(world: &World) {
    let dilnoza = comes_in(world, "Dilnoza", "ru").await;
    let payment = buys_two(&dilnoza).await;
    world.post("click/api_faults", &json!({ "call": "reversal", "effect": "refused" })).await;
    let aziz = owner_comes_in(world).await;
    gives_all_back(&aziz, &payment).await;
    let title = aziz.words("refund-post-title");
    eventually("staff hear of the refusal", RECONCILED, || async {
        world.get(&format!("telegram/chats/{STAFF_CHANNEL}/messages")).await.to_string().contains(&title)
    })
    .await;
    opens_refunds(&aziz, &payment).await;
    aziz.sees_text("refund-state-refused").await;
    aziz.taps_on("refund-by-hand").await;
    aziz.taps_on("refund-no-document").await;
    dilnoza.sees_text("told-rest-refunded").await;
    assert_eq!((status(world, &payment).await.as_str(), reversals(world).await), ("paid", 1));
}

/// CLICK reverses the payment and its answer is lost: it is asked for, and nothing is sent a second time.
async fn a_lost_answer_is_asked_for_until_it_is_known(world: &World) {
    let dilnoza = comes_in(world, "Dilnoza", "ru").await;
    let payment = buys_two(&dilnoza).await;
    world.post("click/api_faults", &json!({ "call": "reversal", "effect": "lost_answer" })).await;
    let aziz = owner_comes_in(world).await;
    gives_all_back(&aziz, &payment).await;
    until_reversed(world, &payment).await;
    opens_refunds(&aziz, &payment).await;
    let told = dilnoza.words("told-rest-refunded");
    eventually("the shopper hears of it", RECONCILED, || async {
        world.get(&format!("telegram/chats/{}/messages", dilnoza.id)).await.to_string().contains(&told)
    })
    .await;
    assert_eq!(reversals(world).await, 1);
}

/// How often CLICK was asked to reverse something.
async fn reversals(world: &World) -> usize {
    let calls = world.get("click/api_calls").await;
    calls.as_array().unwrap().iter().filter(|call| call["method"] == "DELETE").count()
}

fn with_merchant_api(settings: &mut Settings) {
    settings.insert("CLICK_MERCHANT_USER_ID".to_owned(), "4321".to_owned());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_goes_back_by_hand_on_files() {
    let world = World::start(Stores::Files, |_settings| {}).await;
    a_part_goes_back_by_hand(&world).await;
    world.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_goes_back_by_hand_on_rabbitmq_and_mongodb() {
    let world = World::start(Stores::Servers, |_settings| {}).await;
    a_part_goes_back_by_hand(&world).await;
    world.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_gives_an_order_back_on_files() {
    let world = World::start(Stores::Files, |_settings| {}).await;
    an_operator_gives_an_order_back(&world).await;
    world.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_order_goes_back_through_click_on_files() {
    let world = World::start(Stores::Files, with_merchant_api).await;
    a_whole_order_goes_back_through_click(&world).await;
    world.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_click_is_given_back_by_hand_on_files() {
    let world = World::start(Stores::Files, with_merchant_api).await;
    a_refusal_of_click_is_given_back_by_hand(&world).await;
    world.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_asked_for_until_it_is_known_on_files() {
    let world = World::start(Stores::Files, with_merchant_api).await;
    a_lost_answer_is_asked_for_until_it_is_known(&world).await;
    world.ends().await;
}
