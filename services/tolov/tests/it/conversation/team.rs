//! Who works in the shop, and what they may.

use super::{
    habits::{comes_in, takes},
    staff::{becomes_staff, owner_comes_in},
    story,
    world::World,
};

/// A courier is added by number, may not accept an order, and brings it to the shopper.
async fn a_courier_delivers(world: &World) {
    let rustam = comes_in(world, "Rustam", "uz").await;
    let aziz = owner_comes_in(world).await;
    aziz.says("/admin").await;
    aziz.taps_on("panel-staff").await;
    aziz.taps_on("member-add").await;
    aziz.says("Rustam").await;
    aziz.says(&rustam.id.to_string()).await;
    aziz.taps_on("role-courier").await;
    rustam.sees_text("member-welcome").await;
    rustam.taps_on("member-to-panel").await;
    rustam.taps_on("panel-orders").await;

    let dilnoza = comes_in(world, "Dilnoza", "uz").await;
    takes(&dilnoza, "Non va shirinliklar", "Qatlama patir").await;
    dilnoza.taps_on("menu-cart").await;
    dilnoza.taps_on("cart-check-out").await;
    dilnoza.taps_on("phone-share").await;
    dilnoza.taps_on("checkout-deliver-for").await;
    dilnoza.says("Yunusobod, 4-mavze, 12-uy").await;
    dilnoza.taps_on("checkout-pay").await;
    dilnoza.pays().await;
    dilnoza.sees_text("state-paid").await;

    world.staff_see("№").await;
    rustam.taps_in_channel("№", &rustam.words("action-accept")).await;
    rustam.hears_text("action-not-allowed");
    for (person, deed, told) in [
        (&aziz, "action-accept", "told-accepted"),
        (&aziz, "action-make-ready", "told-ready"),
        (&rustam, "action-send-off", "told-sent-off"),
        (&rustam, "action-deliver", "told-delivered"),
    ] {
        person.taps_in_channel("№", &person.words(deed)).await;
        dilnoza.sees_text(told).await;
    }
    aziz.says("/admin").await;
    aziz.taps_on("panel-journal").await;
    rustam.says("/admin").await;
}

/// Somebody who is no more of staff taps a button that is still there.
async fn a_member_leaves(world: &World) {
    let rustam = comes_in(world, "Rustam", "uz").await;
    let aziz = owner_comes_in(world).await;
    becomes_staff(&rustam, &aziz, "role-manager").await;
    rustam.taps_on("member-to-panel").await;
    aziz.taps_on("edit-remove").await;
    aziz.taps_on("edit-remove-surely").await;
    rustam.taps_on("panel-promo").await;
    rustam.hears_text("stale-button");
    rustam.says("/admin").await;
}

story!(courier, a_courier_delivers, |_settings| {});
story!(member_leaves, a_member_leaves, |_settings| {});
