//! What a shopper can change of what the shop knows.

use super::{
    habits::{comes_in, takes},
    story,
    world::World,
};

/// Another language and another number; the next order is under that one.
async fn language_and_phone(world: &World) {
    let dilnoza = comes_in(world, "Dilnoza", "uz").await;
    dilnoza.taps_on("back-to-menu").await;
    dilnoza.taps_on("menu-profile").await;
    dilnoza.taps_on("profile-change-language").await;
    dilnoza.taps("Русский").await;
    dilnoza.reads_in("ru");
    dilnoza.taps_on("profile-change-phone").await;
    dilnoza.says("99 88").await;
    dilnoza.says("99 887-76-65").await;
    dilnoza.taps_on("profile-change-phone").await;
    dilnoza.says("+7 900 123-45-67").await;
    takes(&dilnoza, "Choy", "Qora choy").await;
    dilnoza.taps_on("menu-cart").await;
    dilnoza.taps_on("cart-check-out").await;
}

story!(language_and_number, language_and_phone, |_settings| {});
