//! What shoppers do again and again.

use serde_json::Value;

use super::{person::Person, world::World};

/// Somebody who speaks Uzbek, or another language, meets the bot and gives the number.
pub(crate) async fn comes_in<'w>(world: &'w World, name: &str, language: &str) -> Person<'w> {
    let shopper = world.person(name, language).await;
    shopper.says("/start").await;
    shopper.taps_on("language-name").await;
    shopper.taps_on("phone-share").await;
    shopper
}

/// Finds a product in the catalogue and taps a button of its card.
pub(crate) async fn takes(shopper: &Person<'_>, category: &str, product: &str, button: &str) {
    shopper.says("/menu").await;
    shopper.taps_on("menu-catalogue").await;
    shopper.taps(category).await;
    shopper.taps(product).await;
    shopper.taps(button).await;
}

/// Orders what is in the cart, to be picked up.
pub(crate) async fn orders(shopper: &Person<'_>) {
    shopper.taps_on("menu-cart").await;
    checks_out(shopper).await;
}

/// From the cart to the order, to be picked up.
pub(crate) async fn checks_out(shopper: &Person<'_>) {
    shopper.taps_on("cart-check-out").await;
    shopper.taps_on("checkout-keep-phone").await;
    shopper.taps_on("checkout-pickup").await;
    shopper.taps_on("skip").await;
    shopper.taps_on("checkout-place").await;
}

/// Buys one piece, to be picked up. Returns CLICK's record.
pub(crate) async fn buys(shopper: &Person<'_>, category: &str, product: &str) -> Value {
    takes(shopper, category, product, "+1").await;
    orders(shopper).await;
    let payment = shopper.pays().await;
    assert_eq!(payment["status"]["status"], "paid", "{payment}");
    shopper.sees_text("state-paid").await;
    payment
}
