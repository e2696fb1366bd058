//! A promo code from the question what it shall be called to the shopper who wants it twice.

use super::{
    habits::{checks_out, comes_in, takes},
    person::Person,
    staff::owner_comes_in,
    story,
    world::World,
};

async fn a_code_is_made_and_used(world: &World) {
    let aziz = owner_comes_in(world).await;
    is_made(&aziz).await;
    let dilnoza = comes_in(world, "Dilnoza", "uz").await;
    takes(&dilnoza, "Choy", "Qora choy").await;
    dilnoza.taps_on("menu-cart").await;
    dilnoza.taps_on("promo-enter").await;
    dilnoza.says("YOZ-2027").await;
    // It is kept, and works as soon as the cart is worth enough.
    takes(&dilnoza, "Sovg‘alar", "So‘zana").await;
    dilnoza.taps_on("menu-cart").await;
    checks_out(&dilnoza).await;
    dilnoza.pays().await;
    dilnoza.sees_text("state-paid").await;
    world.staff_see("№").await;
    takes(&dilnoza, "Sovg‘alar", "So‘zana").await;
    dilnoza.taps_on("menu-cart").await;
    dilnoza.taps_on("promo-enter").await;
    dilnoza.says("yoz-2027").await;

    aziz.says("/admin").await;
    aziz.taps_on("panel-promo").await;
    aziz.taps("YOZ-2027").await;
    aziz.taps_on("edit-promo-switch-off").await;
    let karim = comes_in(world, "Karim", "uz").await;
    takes(&karim, "Sovg‘alar", "So‘zana").await;
    karim.taps_on("menu-cart").await;
    karim.taps_on("promo-enter").await;
    karim.says("yoz-2027").await;
}

async fn is_made(aziz: &Person<'_>) {
    aziz.says("/admin").await;
    aziz.taps_on("panel-promo").await;
    aziz.taps_on("edit-promo-add").await;
    aziz.says("yozgi chegirma").await;
    aziz.says("yoz-2027").await;
    aziz.says("100%").await;
    aziz.says("15%").await;
    aziz.says("100 000").await;
    aziz.says("10").await;
    aziz.says("1").await;
    aziz.taps_on("edit-promo-choose-for-ever").await;
    aziz.taps_on("edit-promo-make").await;
}

story!(promo_code, a_code_is_made_and_used, |_settings| {});
