//! A day that the ledger has compared: the shop store is compared with it, and the owners are told.

use time::macros::datetime;
use tolov_domain::{
    Day, DayCompared, OrderId, Tiyin,
    day::{ClickComparison, PaidOnDay, SCHEMA},
    ports::bus::Verdict,
};
use tolov_projector::BatchOutcome;

use crate::doubles::{World, paid};

const TO_OWNERS: &str = "payment.day_compared:2026-11-23/owners";

/// The day on which the events of the tests happen, with these orders as paid in the ledger.
fn compared(orders: &[(i64, i64)]) -> DayCompared {
    let day = Day::parse("2026-11-23").unwrap();
    let paid = orders.iter().map(|(order_id, amount)| PaidOnDay {
        order_id: OrderId::try_new(*order_id).unwrap(),
        amount_tiyin: Tiyin::try_new(*amount).unwrap(),
    });
    DayCompared {
        schema: SCHEMA.to_owned(),
        event_id: DayCompared::id_of(day),
        day,
        orders: u32::try_from(orders.len()).unwrap(),
        sum_tiyin: Tiyin::ZERO,
        paid: paid.collect(),
        click: Some(ClickComparison::default()),
        shop_differing: Vec::new(),
        missing_receipts: 0,
        occurred_at: datetime!(2026-11-23 22:00 UTC),
    }
}

fn deliver(world: &World, compared: &DayCompared) {
    world.deliver(&compared.event_id, compared.to_json());
}

fn told(world: &World) -> Option<Vec<i64>> {
    let state = world.state();
    let message = state.published.iter().find(|message| message.id.as_str() == TO_OWNERS)?;
    let told = DayCompared::from_json(&message.body).unwrap();
    assert_eq!(told.paid, [], "the bot needs no list");
    Some(told.shop_differing.iter().map(|order| order.get()).collect())
}

#[tokio::test]
async fn a_day_on_which_ledger_and_shop_agree_is_told_without_differences() {
    let world = World::new();
    let event = paid(1024);
    world.deliver_event(&event);
    deliver(&world, &compared(&[(1024, event.amount.get())]));
    let outcome = world.projector().project_once().await;
    assert_eq!(outcome, BatchOutcome::Settled { done: 2, retried: 0, parked: 0, returned: 0 });
    assert_eq!(told(&world), Some(Vec::new()));
}

#[tokio::test]
async fn orders_that_either_side_knows_alone_or_with_another_sum_are_named() {
    let world = World::new();
    let event = paid(1024);
    for order in [1024, 1025] {
        world.deliver_event(&paid(order));
    }
    // 1024 has another sum, 1026 is not in the shop, 1025 not in the ledger.
    deliver(&world, &compared(&[(1024, event.amount.get() + 1), (1026, 100)]));
    world.projector().project_once().await;
    assert_eq!(told(&world), Some(vec![1024, 1026, 1025]));
}

#[tokio::test]
async fn a_quiet_day_is_told_to_nobody() {
    let world = World::new();
    deliver(&world, &compared(&[]));
    world.projector().project_once().await;
    assert_eq!(told(&world), None);
    assert_eq!(world.state().verdicts.pop().unwrap().1, Verdict::Done);
}

#[tokio::test]
async fn a_day_waits_for_the_shop_store() {
    let world = World::new();
    world.state().store_away_calls = 2;
    deliver(&world, &compared(&[(1026, 100)]));
    world.projector().project_once().await;
    assert_eq!(told(&world), Some(vec![1026]));
}
