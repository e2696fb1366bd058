//! What a shopper notices of a bot that dies, of double taps, of a Telegram that fails: nothing, or little.

use serde_json::json;

use super::{
    habits::{comes_in, orders, takes},
    person::Person,
    staff::owner_comes_in,
    story,
    world::World,
};

/// The bot is killed in the middle of a checkout, and goes on where it was.
async fn checkout_over_a_restart(world: &World) {
    let dilnoza = comes_in(world, "Dilnoza", "uz").await;
    takes(&dilnoza, "Choy", "Qora choy").await;
    dilnoza.taps_on("menu-cart").await;
    dilnoza.taps_on("cart-check-out").await;
    dilnoza.taps_on("phone-share").await;
    dilnoza.taps_on("checkout-deliver-for").await;
    world.kill_bot();
    dilnoza.says_unheard("Yunusobod, 4-mavze, 12-uy").await;
    world.start_bot().await;
    dilnoza.is_answered().await;
    dilnoza.taps_on("checkout-change-landmark").await;
    world.stop_bot();
    world.start_bot().await;
    dilnoza.says("Dorixona yonida").await;
    dilnoza.taps_on("checkout-pay").await;
    dilnoza.pay_link().await;
}

/// A tap that came twice, and an old message on another device, do one thing.
async fn double_taps_and_two_devices(world: &World) {
    let dilnoza = comes_in(world, "Dilnoza", "uz").await;
    takes(&dilnoza, "Choy", "Qora choy").await;
    // One more, on the phone and on the computer: both show one in the cart, both mean two.
    taps_twice(&dilnoza, "+1").await;
    dilnoza.taps_on("menu-cart").await;
    dilnoza.taps_on("cart-check-out").await;
    dilnoza.taps_on("phone-share").await;
    taps_twice(&dilnoza, &dilnoza.words("checkout-pay")).await;
    dilnoza.says("/orders").await;
    let screen = dilnoza.screen().await;
    assert_eq!(screen.matches("№").count(), 2, "one order: its message and its line in the list: {screen}");
}

async fn taps_twice(shopper: &Person<'_>, button: &str) {
    let taps = [shopper.taps_unheard(button).await, shopper.taps_unheard(button).await];
    for tap in taps {
        shopper.is_done(shopper.id, tap).await;
    }
}

/// A shopper blocks the bot while the order is on its way, and comes back: staff notice nothing of it.
async fn blocked_for_a_while(world: &World) {
    let aziz = owner_comes_in(world).await;
    let dilnoza = comes_in(world, "Dilnoza", "uz").await;
    takes(&dilnoza, "Choy", "Qora choy").await;
    orders(&dilnoza).await;
    dilnoza.pays().await;
    dilnoza.sees_text("state-paid").await;
    world.meanwhile("Dilnoza blocks the bot");
    dilnoza.blocks_the_bot().await;
    world.staff_see("№").await;
    aziz.taps_in_channel("№", &aziz.words("action-accept")).await;
    aziz.taps_in_channel("№", &aziz.words("action-make-ready")).await;
    world.meanwhile("Dilnoza lets the bot in again");
    dilnoza.lets_the_bot_in_again().await;
    dilnoza.says("/orders").await;
    dilnoza.taps("№").await;
}

/// Telegram fails in every way it knows; the shopper gets there.
async fn telegram_fails(world: &World) {
    let dilnoza = comes_in(world, "Dilnoza", "uz").await;
    let fault = |method: &str, effect: serde_json::Value| {
        let mut fault = effect;
        fault["method"] = json!(method);
        fault["chat_id"] = json!(dilnoza.id);
        fault
    };
    dilnoza.says("/menu").await;
    world.meanwhile("Telegram asks the bot to wait a second");
    world
        .inject(fault("editMessageText", json!({ "effect": "too_many_requests", "retry_after_s": 1 })))
        .await;
    dilnoza.taps_on("menu-catalogue").await;
    world.meanwhile("Telegram does not find the message to edit");
    let gone = json!({ "effect": "refusal", "error_code": 400, "description": "Bad Request: message to edit not found" });
    world.inject(fault("editMessageText", gone)).await;
    dilnoza.taps("Choy").await;
    dilnoza.sees_button("Qora choy").await;
    world.meanwhile("Telegram edits, and its answer is lost");
    world.inject(fault("editMessageText", json!({ "effect": "lost_answer" }))).await;
    dilnoza.taps("Qora choy").await;
    dilnoza.sees("Qora choy").await;
    dilnoza.taps_on("card-add").await;
    orders(&dilnoza).await;
    dilnoza.pay_link().await;
}

/// A shopper who floods the bot waits; another one does not.
async fn a_flood(world: &World) {
    let dilnoza = comes_in(world, "Dilnoza", "uz").await;
    let flood = world.person("Toshqin", "uz").await;
    flood.floods(60).await;
    let begun = std::time::Instant::now();
    dilnoza.says_and_sees("/menu", "menu-catalogue").await;
    assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
}

story!(restart_in_checkout, checkout_over_a_restart, |_settings| {});
story!(double_taps, double_taps_and_two_devices, |_settings| {});
story!(faults_of_telegram, telegram_fails, |_settings| {});
story!(flood, a_flood, |_settings| {});
story!(blocked, blocked_for_a_while, |_settings| {});
