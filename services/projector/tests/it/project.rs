//! What a batch does when nothing fails.

use std::time::Duration;

use tolov_domain::{
    ClickPaydocId, ClickTransId, Event, EventId, EventKind,
    notification::{Notification, Recipient},
    payment::Anomaly,
    ports::bus::{Route, Verdict},
};
use tolov_kit::lifecycle::Stop;
use tolov_projector::BatchOutcome;
use tolov_shop::order::{Stage, Stock};

use crate::{
    doubles::{World, expired, paid},
    shop::{order_count, stage},
};

#[tokio::test]
async fn a_paid_order_is_stored_and_announced_to_shopper_and_staff() {
    let world = World::new();
    world.deliver_event(&paid(1024));
    let outcome = world.projector().project_once().await;
    assert_eq!(outcome, BatchOutcome::Settled { done: 1, retried: 0, parked: 0, returned: 0 });
    assert_eq!(stage(&world.documents, 1024).await, (Stage::Paid, Stock::Committed));
    let state = world.state();
    let told: Vec<_> = state.published.iter().map(|m| Notification::from_json(&m.body).unwrap()).collect();
    assert_eq!(told.iter().map(|n| n.recipient).collect::<Vec<_>>(), [Recipient::Shopper, Recipient::Staff]);
    assert!(state.published.iter().all(|message| message.route == Route::Notifications));
}

#[tokio::test]
async fn an_expiry_is_announced_to_the_shopper_and_a_questioned_payment_to_staff() {
    let world = World::new();
    let kind = EventKind::PaymentQuestioned {
        click_trans_id: ClickTransId::try_new(7).unwrap(),
        click_paydoc_id: ClickPaydocId::try_new(8).unwrap(),
        merchant_prepare_id: None,
        click_amount: None,
        anomaly: Anomaly::PaidTwice,
    };
    let questioned = Event { id: Event::id_of(paid(1025).order_id, &kind), kind, ..paid(1025) };
    world.deliver_event(&expired(1024));
    world.deliver_event(&questioned);
    world.projector().project_once().await;
    let expected = ["order.expired:1024/shopper", "payment.questioned:1025:trans-7:paid_twice/staff"];
    assert_eq!(world.published_ids().into_iter().collect::<Vec<_>>(), expected);
    assert!(world.state().verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Done));
}

#[tokio::test]
async fn duplicates_in_one_batch_and_across_batches_have_one_effect() {
    let world = World::new();
    let projector = world.projector();
    for _ in 0..3 {
        world.deliver_event(&paid(1024));
    }
    projector.project_once().await;
    world.deliver_event(&paid(1024));
    projector.project_once().await;
    assert_eq!(order_count(&world.documents).await, 1);
    assert_eq!(world.state().verdicts.len(), 4);
    assert_eq!(world.published_ids().len(), 2);
    assert!(world.is_idle());
}

#[tokio::test]
async fn an_unreadable_message_is_parked_with_the_reason_and_the_rest_of_its_batch_goes_on() {
    let world = World::new();
    let newer = String::from_utf8(paid(7).to_json()).unwrap().replace("completed/1", "completed/2");
    world.deliver(&EventId::new("poison"), b"not json".to_vec());
    world.deliver_event(&paid(1024));
    world.deliver(&EventId::new("newer"), newer.into_bytes());
    let outcome = world.projector().project_once().await;
    assert_eq!(outcome, BatchOutcome::Settled { done: 1, retried: 0, parked: 2, returned: 0 });
    let state = world.state();
    let reason = |id: &str| match state.verdicts.iter().find(|(event_id, _)| event_id.as_str() == id) {
        Some((_, Verdict::Park { reason })) => reason.clone(),
        other => panic!("{id} was not parked: {other:?}"),
    };
    assert!(reason("poison").contains("not an event"));
    assert!(reason("newer").contains("payment.completed/2"));
}

#[tokio::test]
async fn stop_ends_the_wait_for_the_next_batch() {
    let world = World::new();
    let stop = Stop::new();
    let running = tokio::spawn(world.projector().run(stop.clone()));
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(5), running).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn two_payments_of_one_order_in_one_batch_are_told_apart_though_their_events_share_an_id() {
    let world = World::new();
    let mut second = paid(1024);
    if let EventKind::PaymentCompleted { click_trans_id, click_paydoc_id, .. } = &mut second.kind {
        *click_trans_id = ClickTransId::try_new(777).unwrap();
        *click_paydoc_id = ClickPaydocId::try_new(778).unwrap();
    }
    for event in [&paid(1024), &second, &paid(1024)] {
        world.deliver_event(event);
    }
    let outcome = world.projector().project_once().await;
    assert_eq!(outcome, BatchOutcome::Settled { done: 3, retried: 0, parked: 0, returned: 0 });
    let expected = [
        "payment.completed:1024/shopper",
        "payment.completed:1024/staff",
        "payment.completed:1024:777:paid_twice/staff",
    ];
    assert_eq!(world.published_ids().into_iter().collect::<Vec<_>>(), expected);
    assert_eq!(order_count(&world.documents).await, 1);
}

#[tokio::test]
async fn one_payment_in_two_bodies_is_announced_once() {
    let world = World::new();
    // After a restore the ledger may tell of the same payment again, with another time.
    let again = Event { occurred_at: paid(1024).occurred_at + Duration::from_mins(5), ..paid(1024) };
    for event in [&paid(1024), &again] {
        world.deliver_event(event);
    }
    let outcome = world.projector().project_once().await;
    assert_eq!(outcome, BatchOutcome::Settled { done: 2, retried: 0, parked: 0, returned: 0 });
    assert_eq!(world.state().published.len(), 2);
}
