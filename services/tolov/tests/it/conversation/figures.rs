//! What staff look up: figures, tables, an order that somebody asks about.

use super::{
    habits::{buys, comes_in, orders_again, takes},
    staff::owner_comes_in,
    story,
    world::World,
};

/// The picture of the sales, its weeks, and everything as tables.
async fn figures_and_tables(world: &World) {
    let dilnoza = comes_in(world, "Dilnoza", "uz").await;
    buys(&dilnoza, "Choy", "Qora choy").await;
    world.staff_see("№").await;
    let aziz = owner_comes_in(world).await;
    aziz.says("/admin").await;
    aziz.taps_on("panel-statistics").await;
    aziz.taps_on("statistics-weeks").await;
    aziz.taps_on("statistics-export").await;
    aziz.taps_on("panel-back").await;
    aziz.taps_on("panel-catalogue").await;
    aziz.taps_on("exchange-open").await;
    aziz.taps_on("exchange-export").await;
}

/// By the shopper's phone, which has two orders, and by the number that CLICK gave the payment.
async fn an_order_is_found(world: &World) {
    let dilnoza = comes_in(world, "Dilnoza", "uz").await;
    let payment = buys(&dilnoza, "Choy", "Qora choy").await;
    world.staff_see("№").await;
    takes(&dilnoza, "Sovg‘alar", "So‘zana").await;
    orders_again(&dilnoza).await;
    let aziz = owner_comes_in(world).await;
    aziz.says("/admin").await;
    aziz.taps_on("panel-orders").await;
    aziz.taps_on("staff-orders-find").await;
    aziz.says("777").await;
    aziz.says(&dilnoza.own_number()).await;
    aziz.taps("№1002").await;
    aziz.taps_on("staff-orders-back").await;
    aziz.taps_on("staff-orders-find").await;
    aziz.says(&payment["click_paydoc_id"].to_string()).await;
}

story!(figures, figures_and_tables, |_settings| {});
story!(order_found, an_order_is_found, |_settings| {});
