//! An order that waits for its money, and money that goes back.

use super::{
    habits::{buys, comes_in, opens, orders, takes},
    staff::owner_comes_in,
    story,
    world::World,
};

/// The shopper asks for the payment before paying, and then cancels: the last piece can be had again.
async fn the_shopper_cancels(world: &World) {
    let dilnoza = comes_in(world, "Dilnoza", "uz").await;
    let karim = comes_in(world, "Karim", "uz").await;
    opens(&dilnoza, "Kiyim", "Adras").await;
    dilnoza.taps("L · ").await;
    dilnoza.taps_on("card-add").await;
    orders(&dilnoza).await;
    opens(&karim, "Kiyim", "Adras").await;
    karim.taps("L · ").await;
    let link = dilnoza.pay_link().await;
    dilnoza.taps_on("order-check").await;
    dilnoza.hears_text("check-not-yet");
    dilnoza.taps_on("order-cancel").await;
    dilnoza.taps_on("back").await;
    dilnoza.taps_on("order-cancel").await;
    dilnoza.taps_on("cancel-yes").await;
    dilnoza.hears_text("cancelled-now");
    let payment = dilnoza.follows(&link).await;
    assert_eq!(payment["status"]["status"], "refused", "{payment}");
    opens(&karim, "Kiyim", "Adras").await;
    karim.taps("L · ").await;
    karim.taps_on("card-add").await;
    dilnoza.says("/orders").await;
}

/// Staff cancel what is paid, and give the money back.
async fn staff_give_the_money_back(world: &World) {
    let aziz = owner_comes_in(world).await;
    let emma = comes_in(world, "Emma", "en").await;
    buys(&emma, "Choy", "Qora choy").await;
    world.staff_see("№").await;
    aziz.taps_in_channel("№", &aziz.words("action-cancel")).await;
    aziz.taps_in_channel("№", &aziz.words("action-sure-cancel")).await;
    emma.sees_text("told-cancelled-paid").await;
    aziz.taps_in_channel("№", &aziz.words("action-refund")).await;
    aziz.taps_in_channel("№", &aziz.words("action-sure-refund")).await;
    emma.sees_text("told-refunded").await;
    emma.says("/orders").await;
}

/// Two taps while the bot is away: the second is on a button that the first has made a thing of the past.
async fn a_button_of_the_past(world: &World) {
    let dilnoza = comes_in(world, "Dilnoza", "uz").await;
    takes(&dilnoza, "Choy", "Qora choy").await;
    dilnoza.taps_on("menu-cart").await;
    dilnoza.taps_on("cart-check-out").await;
    dilnoza.taps_on("phone-share").await;
    world.stop_bot();
    let leave = dilnoza.taps_unheard(&dilnoza.words("checkout-back-to-cart")).await;
    let deliver = dilnoza.taps_unheard(&dilnoza.words("checkout-deliver-for")).await;
    world.start_bot().await;
    dilnoza.is_done(dilnoza.id, leave).await;
    dilnoza.is_done(dilnoza.id, deliver).await;
    dilnoza.hears_text("stale-button");
}

story!(cancelled_by_the_shopper, the_shopper_cancels, |_settings| {});
story!(refunded, staff_give_the_money_back, |_settings| {});
story!(button_of_the_past, a_button_of_the_past, |_settings| {});
