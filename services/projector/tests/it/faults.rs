//! What a batch does when something breaks at each of its steps.

use std::{sync::Arc, time::Duration};

use tolov_domain::{EventId, ports::bus::Verdict};
use tolov_kit::lifecycle::Stop;
use tolov_projector::BatchOutcome;
use tolov_shop::order::{Stage, Stock};

use crate::{
    doubles::{CrashAt, PublisherSays, World, paid},
    shop::{order_count, order_id, stage},
};

#[tokio::test]
async fn a_crash_between_any_two_steps_and_a_redelivery_give_one_effect() {
    // Three orders that the shop does not know, and their shopper: they are written twice, the shopper once.
    let writes = (1..=7).map(CrashAt::AfterWrites);
    let others = [CrashAt::BeforeStore, CrashAt::AfterPublish, CrashAt::AfterSettle];
    for crash_at in writes.chain(others) {
        let world = World::new();
        for number in [1, 2, 3] {
            world.deliver_event(&paid(number));
        }
        world.state().crash_at = Some(crash_at);
        let projector = world.projector();
        let first = tokio::spawn(async move { projector.project_once().await });
        world.crashed.notified().await;
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled(), "{crash_at:?}");

        world.state().crash_at = None;
        world.redeliver_unsettled();
        if !world.is_idle() {
            world.projector().project_once().await;
        }
        assert_eq!(order_count(&world.documents).await, 3, "{crash_at:?}");
        for number in [1, 2, 3] {
            let paid = stage(&world.documents, number).await;
            assert_eq!(paid, (Stage::Paid, Stock::Committed), "{crash_at:?}");
        }
        assert_eq!(world.published_ids().len(), 6, "{crash_at:?}");
        assert!(world.is_idle(), "{crash_at:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_held_while_the_store_is_away_and_continues_when_it_is_back() {
    let world = World::new();
    world.deliver_event(&paid(1024));
    world.state().store_away_calls = 4;
    let outcome = world.projector().project_once().await;
    assert_eq!(outcome, BatchOutcome::Settled { done: 1, retried: 0, parked: 0, returned: 0 });
    assert_eq!(stage(&world.documents, 1024).await, (Stage::Paid, Stock::Committed));
    assert_eq!(world.state().verdicts.len(), 1, "nothing was retried by the bus");
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_was_held_too_long_is_returned() {
    let world = World::new();
    world.deliver_event(&paid(1024));
    world.deliver(&EventId::new("poison"), b"{}".to_vec());
    world.state().store_away_calls = usize::MAX;
    let outcome = world.projector_that_holds(Duration::from_mins(5)).project_once().await;
    assert_eq!(outcome, BatchOutcome::Settled { done: 0, retried: 0, parked: 1, returned: 1 });
    let state = world.state();
    assert!(
        matches!(state.verdicts[0].1, Verdict::Park { .. }),
        "the unreadable message did not wait for the store"
    );
    assert!(matches!(state.verdicts[1].1, Verdict::Later { .. }));
}

#[tokio::test(start_paused = true)]
async fn stop_returns_a_batch_that_is_held() {
    let world = World::new();
    world.deliver_event(&paid(1024));
    world.state().store_away_calls = usize::MAX;
    let stop = Stop::new();
    let running = tokio::spawn(world.projector().run(stop.clone()));
    while world.state().store_calls == 0 {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    running.await.unwrap().unwrap();
    assert!(matches!(world.state().verdicts[..], [(_, Verdict::Later { .. })]));
}

#[tokio::test]
async fn one_event_that_the_store_refuses_does_not_stop_its_batch_mates() {
    let world = World::new();
    for number in [1, 2, 3] {
        world.deliver_event(&paid(number));
    }
    world.state().store_refuses = Some(order_id(2).get().into());
    let outcome = world.projector().project_once().await;
    assert_eq!(outcome, BatchOutcome::Settled { done: 2, retried: 1, parked: 0, returned: 0 });
    assert!(retried(&world, &paid(2).id));
    assert_eq!(order_count(&world.documents).await, 2);
    assert_eq!(world.published_ids().len(), 4);
}

#[tokio::test]
async fn an_unroutable_notification_retries_its_event_alone() {
    let world = World::new();
    world.deliver_event(&paid(1));
    world.deliver_event(&paid(2));
    world.state().unroutable.insert(EventId::new("payment.completed:2/staff"));
    let outcome = world.projector().project_once().await;
    assert_eq!(outcome, BatchOutcome::Settled { done: 1, retried: 1, parked: 0, returned: 0 });
    assert!(retried(&world, &paid(2).id));
}

#[tokio::test(start_paused = true)]
async fn a_publication_of_unknown_outcome_is_published_again_in_place() {
    let world = World::new();
    world.deliver_event(&paid(1));
    world.projector().project_once().await;
    let asked = std::mem::take(&mut *world.state()).store_calls;

    let world = World::new();
    world.deliver_event(&paid(1));
    world.state().publisher_says.extend([PublisherSays::Away, PublisherSays::UnknownButStored]);
    let outcome = world.projector().project_once().await;
    assert_eq!(outcome, BatchOutcome::Settled { done: 1, retried: 0, parked: 0, returned: 0 });
    let state = world.state();
    assert_eq!(state.published.len(), 4, "each notification twice");
    assert_eq!(state.store_calls, asked, "the store was not asked again");
    assert_eq!(state.published[..2], state.published[2..], "with the same ids and bodies");
}

#[tokio::test]
async fn the_batch_in_hand_is_finished_when_told_to_stop() {
    let world = World::new();
    world.deliver_event(&paid(1));
    let stop = Stop::new();
    let running = tokio::spawn(world.projector().run(stop.clone()));
    while world.state().verdicts.is_empty() {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    running.await.unwrap().unwrap();
    assert!(world.is_idle());
}

fn retried(world: &Arc<World>, id: &EventId) -> bool {
    let state = world.state();
    state.verdicts.iter().any(|(event_id, v)| event_id == id && matches!(v, Verdict::Retry { .. }))
}
