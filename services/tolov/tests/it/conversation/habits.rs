//! What shoppers do again and again.

use serde_json::Value;

use super::{person::Person, world::World};

/// Somebody whose Telegram speaks Uzbek, or another language, meets the bot.
pub(crate) async fn comes_in<'w>(world: &'w World, name: &str, language: &str) -> Person<'w> {
    let shopper = world.person(name, language).await;
    shopper.says("/start").await;
    shopper
}

/// Finds a product in the catalogue.
pub(crate) async fn opens(shopper: &Person<'_>, category: &str, product: &str) {
    shopper.says("/menu").await;
    shopper.taps_on("menu-catalogue").await;
    shopper.taps(category).await;
    shopper.taps(product).await;
}

/// Finds a product in the catalogue and puts one piece into the cart.
pub(crate) async fn takes(shopper: &Person<'_>, category: &str, product: &str) {
    opens(shopper, category, product).await;
    shopper.taps_on("card-add").await;
}

/// Types how many it shall be of what is on the card, of which `now` are in the cart.
pub(crate) async fn types_quantity(shopper: &Person<'_>, now: u32, wanted: u32) {
    shopper.taps(&format!("{now}\u{a0}")).await;
    shopper.says(&wanted.to_string()).await;
}

/// Orders what is in the cart for the first time, to be picked up.
pub(crate) async fn orders(shopper: &Person<'_>) {
    shopper.taps_on("menu-cart").await;
    checks_out(shopper).await;
}

/// Orders what is in the cart, with all as it was the last time.
pub(crate) async fn orders_again(shopper: &Person<'_>) {
    shopper.taps_on("menu-cart").await;
    shopper.taps_on("checkout-pay").await;
}

/// From the cart to the first order, to be picked up.
pub(crate) async fn checks_out(shopper: &Person<'_>) {
    shopper.taps_on("cart-check-out").await;
    shopper.taps_on("phone-share").await;
    shopper.taps_on("checkout-pay").await;
}

/// Buys one piece, to be picked up. Returns CLICK's record.
pub(crate) async fn buys(shopper: &Person<'_>, category: &str, product: &str) -> Value {
    takes(shopper, category, product).await;
    orders(shopper).await;
    let payment = shopper.pays().await;
    assert_eq!(payment["status"]["status"], "paid", "{payment}");
    shopper.sees_text("state-paid").await;
    payment
}
