//! How many taps a purchase takes, Telegram's own question before a contact is shared left out.

use super::{
    habits::takes,
    world::{Stores, World},
};

/// Bought for the first time, to be picked up: from START to CLICK's page.
const FIRST: u32 = 8;
/// The same, to be delivered: that it shall be, and where to.
const FIRST_DELIVERED: u32 = 10;
/// From a link to the product, such as one under a post or an advertisement.
const BY_LINK: u32 = 6;
/// Bought before, from the cart to CLICK's page, wherever it went.
const AGAIN: u32 = 2;

async fn buys_twice(world: &World, name: &str, language: &str, is_delivered: bool) {
    let shopper = world.person(name, language).await;
    shopper.says("/start").await;
    shopper.taps("Choy").await;
    shopper.taps("Qora choy").await;
    shopper.taps_on("card-add").await;
    shopper.taps_on("card-check-out").await;
    shopper.taps_on("phone-share").await;
    if is_delivered {
        shopper.taps_on("checkout-deliver-for").await;
        shopper.taps_on("checkout-share-location").await;
    }
    shopper.taps_on("checkout-pay").await;
    let payment = shopper.pays().await;
    assert_eq!(payment["status"]["status"], "paid", "{payment}");
    let first = if is_delivered { FIRST_DELIVERED } else { FIRST };
    assert_eq!(shopper.taps_taken(), first, "the first purchase in {language}");
    shopper.sees_text("state-paid").await;

    takes(&shopper, "Choy", "Qora choy").await;
    shopper.taps_on("menu-cart").await;
    shopper.taps_taken();
    shopper.taps_on("checkout-pay").await;
    let payment = shopper.pays().await;
    assert_eq!(payment["status"]["status"], "paid", "{payment}");
    assert_eq!(shopper.taps_taken(), AGAIN, "another purchase in {language}");
    shopper.sees_text("state-paid").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_purchase_takes_eight_taps_and_another_two_in_each_language() {
    let world = World::start(Stores::Files, |_settings| {}).await;
    for (name, language) in [("Dilnoza", "uz"), ("Сергей", "ru"), ("Emma", "en")] {
        buys_twice(&world, name, language, false).await;
    }
    world.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_purchase_that_is_delivered_takes_ten_taps_and_another_two_in_each_language() {
    let world = World::start(Stores::Files, |_settings| {}).await;
    for (name, language) in [("Zuhra", "uz"), ("Андрей", "ru"), ("Oliver", "en")] {
        buys_twice(&world, name, language, true).await;
    }
    world.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_purchase_from_a_link_to_a_product_takes_six_taps_in_each_language() {
    let world = World::start(Stores::Files, |_settings| {}).await;
    for (name, language) in [("Zuhra", "uz"), ("Андрей", "ru"), ("Oliver", "en")] {
        let shopper = world.person(name, language).await;
        shopper.says("/start product_21").await;
        shopper.taps_on("card-add").await;
        shopper.taps_on("card-check-out").await;
        shopper.taps_on("phone-share").await;
        shopper.taps_on("checkout-pay").await;
        let payment = shopper.pays().await;
        assert_eq!(payment["status"]["status"], "paid", "{payment}");
        assert_eq!(shopper.taps_taken(), BY_LINK, "in {language}");
        shopper.sees_text("state-paid").await;
    }
    world.ends().await;
}
