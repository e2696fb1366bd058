//! Money that CLICK has taken and the ledger cannot place: staff hear of it, whatever the shop knows.

use time::macros::datetime;
use tolov_domain::{
    EventId, UnplacedPayment,
    ports::bus::{Route, Verdict},
    unplaced,
};
use tolov_projector::BatchOutcome;

use crate::doubles::{PublisherSays, World, paid};

fn unplaced(click_trans_id: &str, merchant_trans_id: &str) -> UnplacedPayment {
    UnplacedPayment {
        schema: unplaced::SCHEMA.to_owned(),
        event_id: UnplacedPayment::id_of(click_trans_id),
        click_trans_id: click_trans_id.to_owned(),
        click_paydoc_id: "2001".to_owned(),
        merchant_trans_id: merchant_trans_id.to_owned(),
        amount: "30000.50".to_owned(),
        answer: -5,
        occurred_at: datetime!(2026-11-23 07:05:06 UTC),
    }
}

fn deliver(world: &World, payment: &UnplacedPayment) {
    world.deliver(&payment.event_id, payment.to_json());
}

const TO_STAFF: &str = "payment.unplaced:777/staff";

#[tokio::test]
async fn an_unplaced_payment_is_told_to_staff_also_when_its_order_is_unknown() {
    for order in ["1024", "999", "Заказ-7", ""] {
        let world = World::new();
        deliver(&world, &unplaced("777", order));
        world.deliver_event(&paid(1024));
        let outcome = world.projector().project_once().await;
        assert_eq!(outcome, BatchOutcome::Settled { done: 2, retried: 0, parked: 0, returned: 0 });
        let state = world.state();
        let told = state.published.iter().find(|message| message.id.as_str() == TO_STAFF).unwrap();
        assert_eq!((&told.route, told.schema.as_str()), (&Route::Notifications, "payment.unplaced/1"));
        assert_eq!(UnplacedPayment::from_json(&told.body), Ok(unplaced("777", order)));
        assert_eq!(state.published.len(), 3, "shopper and staff hear of the paid order");
    }
}

#[tokio::test]
async fn a_repeated_unplaced_payment_has_the_same_notification_and_is_published_once_a_batch() {
    let world = World::new();
    let projector = world.projector();
    // The ledger was restored, and CLICK has repeated the callback: another body under the same id.
    let again = UnplacedPayment { answer: -6, ..unplaced("777", "3003") };
    for payment in [&unplaced("777", "3003"), &unplaced("777", "3003"), &again] {
        deliver(&world, payment);
    }
    let outcome = projector.project_once().await;
    assert_eq!(outcome, BatchOutcome::Settled { done: 3, retried: 0, parked: 0, returned: 0 });
    assert_eq!(world.state().published.len(), 1);
    deliver(&world, &again);
    projector.project_once().await;
    assert_eq!(
        world.published_ids().into_iter().collect::<Vec<_>>(),
        [TO_STAFF],
        "the bot knows it by its id"
    );
    assert!(world.is_idle());
}

#[tokio::test]
async fn an_unplaced_payment_waits_for_the_bus_and_takes_the_ladder_when_it_is_refused() {
    let world = World::new();
    world.state().publisher_says.extend([PublisherSays::Away, PublisherSays::UnknownButStored]);
    deliver(&world, &unplaced("777", "3003"));
    world.projector().project_once().await;
    assert_eq!(world.published_ids().into_iter().collect::<Vec<_>>(), [TO_STAFF]);
    assert_eq!(world.state().verdicts.pop().unwrap().1, Verdict::Done);
    world.state().unroutable.insert(EventId::new("payment.unplaced:778/staff"));
    deliver(&world, &unplaced("778", "3003"));
    world.projector().project_once().await;
    assert!(matches!(world.state().verdicts.pop().unwrap().1, Verdict::Retry { .. }));
}

#[tokio::test]
async fn an_unplaced_payment_is_told_while_the_store_is_away() {
    let world = World::new();
    world.state().store_away_calls = usize::MAX;
    deliver(&world, &unplaced("777", "3003"));
    let outcome = world.projector().project_once().await;
    assert_eq!(outcome, BatchOutcome::Settled { done: 1, retried: 0, parked: 0, returned: 0 });
    assert_eq!(world.published_ids().into_iter().collect::<Vec<_>>(), [TO_STAFF]);
}

#[tokio::test]
async fn an_unplaced_payment_of_a_newer_schema_is_parked() {
    let world = World::new();
    let newer = UnplacedPayment { schema: "payment.unplaced/2".to_owned(), ..unplaced("777", "3003") };
    deliver(&world, &newer);
    world.projector().project_once().await;
    let verdict = world.state().verdicts.pop().unwrap().1;
    assert!(
        matches!(&verdict, Verdict::Park { reason } if reason.contains("payment.unplaced/2")),
        "{verdict:?}"
    );
}
