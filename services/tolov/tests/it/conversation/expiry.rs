//! Orders that nobody pays in time.

use serde_json::json;

use super::{
    habits::{comes_in, orders, takes, types_quantity},
    story,
    world::{Settings, World},
};

/// The pay link is read from a message that goes when the time is over.
fn time_to_read_a_link(settings: &mut Settings) {
    settings.insert("ORDER_TTL".to_owned(), "8s".to_owned());
}

fn short_time(settings: &mut Settings) {
    settings.insert("ORDER_TTL".to_owned(), "4s".to_owned());
}

/// The time is over: the shopper is told, the pieces are on the shelf again, and CLICK takes no money for it.
async fn an_order_expires(world: &World) {
    let dilnoza = comes_in(world, "Dilnoza", "uz").await;
    takes(&dilnoza, "Sovg‘alar", "Rishton piyolalari").await;
    types_quantity(&dilnoza, 1, 10).await;
    orders(&dilnoza).await;
    let link = dilnoza.pay_link().await;
    dilnoza.sees_text("state-expired").await;
    let payment = dilnoza.follows(&link).await;
    assert_eq!(payment["status"]["status"], "refused", "{payment}");
    // Twelve there were: another shopper gets twelve.
    let karim = comes_in(world, "Karim", "uz").await;
    takes(&karim, "Sovg‘alar", "Rishton piyolalari").await;
    types_quantity(&karim, 1, 13).await;
    karim.sees_button("12\u{a0}").await;
}

async fn expires_in_russian(world: &World) {
    let sergey = comes_in(world, "Сергей", "ru").await;
    takes(&sergey, "Sovg‘alar", "So‘zana").await;
    orders(&sergey).await;
    sergey.sees_text("state-expired").await;
    sergey.says("/orders").await;
    sergey.taps("№").await;
    sergey.taps_on("order-again").await;
}

/// CLICK had asked before the time was over, and the money comes after it: the shop honours it, and staff are told.
async fn money_comes_late(world: &World) {
    let dilnoza = comes_in(world, "Dilnoza", "uz").await;
    takes(&dilnoza, "Sovg‘alar", "So‘zana").await;
    orders(&dilnoza).await;
    world.post("click/faults", &json!({ "step": "complete", "effect": "late", "delay_ms": 12_000 })).await;
    let link = dilnoza.pay_link().await;
    let (payment, ()) = tokio::join!(dilnoza.follows(&link), dilnoza.sees_text("state-expired"));
    assert_eq!(payment["status"]["status"], "paid", "{payment}");
    dilnoza.sees_text("state-paid").await;
    world.staff_see("№").await;
}

story!(order_expires, an_order_expires, time_to_read_a_link);
story!(late_money, money_comes_late, short_time);
story!(order_expires_in_russian, expires_in_russian, short_time);
