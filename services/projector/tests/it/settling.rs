//! What events do to placed orders, stock and promo codes, and who is notified.

use std::{sync::Arc, time::Duration};

use tolov_domain::{
    Event, EventKind, OrderedProduct, ProductId,
    notification::{Notification, Subject},
    ports::{
        bus::Verdict,
        documents::{Documents, Key},
    },
};
use tolov_projector::BatchOutcome;
use tolov_shop::{
    catalogue::PRODUCTS,
    order::{ORDERS, Stage, Stock},
};

use crate::{
    doubles::{CrashAt, World, expired, paid},
    shop::{PRODUCT, order, order_count, others_buy, placed, request_cancel, stage, stock, stocked},
};

fn paid_late(number: i64) -> Event {
    let mut event = paid(number);
    if let EventKind::PaymentCompleted { late, .. } = &mut event.kind {
        *late = true;
    }
    event
}

async fn projected(world: &Arc<World>, events: &[Event]) {
    for event in events {
        world.deliver_event(event);
    }
    let outcome = world.projector().project_once().await;
    let all = BatchOutcome::Settled { done: events.len(), retried: 0, parked: 0, returned: 0 };
    assert_eq!(outcome, all);
}

#[tokio::test]
async fn a_paid_order_commits_its_stock_once_however_often_the_event_comes() {
    let world = World::new();
    stocked(&world.documents, 10).await;
    placed(&world.documents, 1).await;
    assert_eq!(stock(&world.documents).await, (8, 1, vec![1]));
    for _ in 0..3 {
        projected(&world, &[paid(1), paid(1)]).await;
        assert_eq!(stage(&world.documents, 1).await, (Stage::Paid, Stock::Committed));
        assert!(!order(&world.documents, 1).await.payment().unwrap().late);
        assert_eq!(stock(&world.documents).await, (8, 0, vec![1]));
    }
    assert_eq!(world.published_ids().len(), 2);
}

#[tokio::test]
async fn an_expired_order_releases_stock_and_promo_code_and_the_shopper_is_told() {
    let world = World::new();
    stocked(&world.documents, 10).await;
    placed(&world.documents, 1).await;
    for _ in 0..3 {
        projected(&world, &[expired(1)]).await;
        assert_eq!(stage(&world.documents, 1).await, (Stage::Expired, Stock::Released));
        assert_eq!(stock(&world.documents).await, (10, 0, Vec::new()));
    }
    assert_eq!(world.published_ids().into_iter().collect::<Vec<_>>(), ["order.expired:1/shopper"]);
}

#[tokio::test]
async fn a_shopper_who_cancelled_is_not_told_that_the_order_expired() {
    let world = World::new();
    stocked(&world.documents, 10).await;
    placed(&world.documents, 1).await;
    request_cancel(&world.documents, 1).await;
    for _ in 0..2 {
        projected(&world, &[expired(1)]).await;
        assert_eq!(stage(&world.documents, 1).await, (Stage::Cancelled, Stock::Released));
    }
    assert_eq!(stock(&world.documents).await, (10, 0, Vec::new()));
    assert_eq!(world.published_ids().len(), 0);
}

#[tokio::test]
async fn late_money_takes_the_goods_again_and_counts_the_promo_code() {
    let world = World::new();
    stocked(&world.documents, 10).await;
    placed(&world.documents, 1).await;
    projected(&world, &[expired(1)]).await;
    for _ in 0..2 {
        projected(&world, &[paid_late(1)]).await;
        assert_eq!(stage(&world.documents, 1).await, (Stage::Paid, Stock::Committed));
        let order = order(&world.documents, 1).await;
        assert_eq!((order.payment().unwrap().late, order.missing()), (true, &[][..]));
        assert_eq!(stock(&world.documents).await, (8, 0, vec![1]));
    }
}

#[tokio::test]
async fn late_money_for_goods_that_others_have_bought_marks_what_is_missing() {
    let world = World::new();
    stocked(&world.documents, 3).await;
    placed(&world.documents, 1).await;
    projected(&world, &[expired(1)]).await;
    others_buy(&world.documents, 2).await;
    for _ in 0..2 {
        projected(&world, &[paid_late(1)]).await;
        assert_eq!(stage(&world.documents, 1).await, (Stage::Paid, Stock::Committed));
        let order = order(&world.documents, 1).await;
        assert_eq!(
            order.missing(),
            [OrderedProduct { product_id: ProductId::try_new(7).unwrap(), count: 2 }]
        );
        assert_eq!(stock(&world.documents).await, (1, 0, vec![1]), "half of what was ordered is not taken");
    }
}

#[tokio::test]
async fn an_expiry_that_comes_after_late_money_changes_nothing_and_is_not_told() {
    let world = World::new();
    stocked(&world.documents, 10).await;
    placed(&world.documents, 1).await;
    projected(&world, &[paid_late(1)]).await;
    projected(&world, &[expired(1)]).await;
    assert_eq!(stage(&world.documents, 1).await, (Stage::Paid, Stock::Committed));
    assert_eq!(stock(&world.documents).await, (8, 0, vec![1]));
    assert!(!world.published_ids().contains("order.expired:1/shopper"));
}

#[tokio::test(start_paused = true)]
async fn nobody_is_told_while_the_store_is_away_and_the_batch_is_held() {
    let world = World::new();
    stocked(&world.documents, 10).await;
    placed(&world.documents, 1).await;
    world.deliver_event(&paid(1));
    world.state().store_away_calls = 4;
    let outcome = world.projector().project_once().await;
    assert_eq!(outcome, BatchOutcome::Settled { done: 1, retried: 0, parked: 0, returned: 0 });
    assert_eq!(world.state().verdicts.len(), 1, "nothing was retried by the bus");
    assert_eq!(stock(&world.documents).await, (8, 0, vec![1]));

    world.deliver_event(&expired(2));
    world.state().store_away_calls = usize::MAX;
    let outcome = world.projector_that_holds(Duration::from_mins(5)).project_once().await;
    assert_eq!(outcome, BatchOutcome::Settled { done: 0, retried: 0, parked: 0, returned: 1 });
    assert!(!world.published_ids().contains("order.expired:2/shopper"));
}

/// Whether the stock was settled, as each notification of a payment says.
fn said_settled(world: &World) -> Vec<(i64, bool)> {
    let mut said = Vec::new();
    for message in &world.state().published {
        let told = Notification::from_json(&message.body).unwrap();
        if let Subject::OrderPaid { stock_settled, .. } = told.subject {
            said.push((told.order_id.get(), stock_settled));
        }
    }
    said.sort_unstable();
    said
}

#[tokio::test]
async fn a_product_that_cannot_be_read_keeps_nobody_from_hearing_that_the_money_came_in() {
    let world = World::new();
    stocked(&world.documents, 10).await;
    placed(&world.documents, 1).await;
    world.documents.damage(PRODUCTS, &Key::Number(PRODUCT));
    projected(&world, &[paid(1)]).await;
    assert_eq!(stage(&world.documents, 1).await, (Stage::Paid, Stock::Held));
    assert_eq!(said_settled(&world), [(1, false), (1, false)]);
    assert_eq!(order_count(&world.documents).await, 1);
}

#[tokio::test]
async fn an_order_that_cannot_be_read_is_told_from_its_event_and_the_rest_of_the_batch_is_settled() {
    let world = World::new();
    stocked(&world.documents, 10).await;
    for number in [1, 2, 3] {
        placed(&world.documents, number).await;
    }
    world.documents.damage(ORDERS, &Key::Number(2));
    projected(&world, &[1, 2, 3].map(paid)).await;
    assert!(world.state().verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Done));
    let [settled, open] = [true, false];
    let said = [(1, settled), (1, settled), (2, open), (2, open), (3, settled), (3, settled)];
    assert_eq!(said_settled(&world), said);
    assert_eq!(stock(&world.documents).await, (4, 1, vec![1, 2, 3]), "order 2 still holds its pieces");
    assert!(world.documents.get(ORDERS, &Key::Number(2)).await.is_err());
}

#[tokio::test]
async fn a_batch_of_unknown_orders_costs_a_few_calls_whatever_its_size() {
    let world = World::new();
    projected(&world, &(1..=100).map(paid).collect::<Vec<_>>()).await;
    assert!(world.state().store_calls <= 12, "{}", world.state().store_calls);
}

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

/// Settles what is in the queue; if the process dies meanwhile its batch is delivered again, at once or after others.
async fn projected_over_a_crash(world: &Arc<World>, comes_again_at_once: bool) {
    let projector = world.projector();
    let mut running = tokio::spawn(async move { projector.project_once().await });
    tokio::select! {
        ended = &mut running => { ended.unwrap(); }
        () = world.crashed.notified() => running.abort(),
    }
    world.state().crash_at = None;
    if comes_again_at_once {
        settled_to_the_end(world).await;
    }
}

async fn settled_to_the_end(world: &Arc<World>) {
    world.redeliver_unsettled();
    if !world.is_idle() {
        world.projector().project_once().await;
    }
}

/// 1 expires and is paid late, 2 expires, 3 is paid, 4 is cancelled by the shopper; each event comes up to three times,
/// in any order, and processes die after any of their writes.
#[tokio::test]
async fn any_order_any_repetition_and_any_crash_end_in_the_same_state() {
    for seed in 0..300 {
        let mut dice = Dice(seed);
        let world = World::new();
        stocked(&world.documents, 10).await;
        for number in 1..=4 {
            placed(&world.documents, number).await;
        }
        request_cancel(&world.documents, 4).await;
        let mut events = Vec::new();
        for event in [expired(1), paid_late(1), expired(2), paid(3), expired(4)] {
            let times = 1 + dice.below(3);
            for _ in 0..times {
                events.insert(dice.below(events.len() + 1), event.clone());
            }
        }
        while !events.is_empty() {
            let size = 1 + dice.below(events.len());
            for event in events.drain(..size) {
                world.deliver_event(&event);
            }
            let crash_at = world.state().writes + 1 + dice.below(8);
            world.state().crash_at = Some(CrashAt::AfterWrites(crash_at));
            let comes_again_at_once = dice.below(2) == 0;
            projected_over_a_crash(&world, comes_again_at_once).await;
        }
        settled_to_the_end(&world).await;
        assert!(world.is_idle());
        let mut ends = Vec::new();
        for number in 1..=4 {
            let order = order(&world.documents, number).await;
            assert_eq!(order.missing(), [], "seed {seed}");
            ends.push((order.stage(), order.stock));
        }
        let expected = [
            (Stage::Paid, Stock::Committed),
            (Stage::Expired, Stock::Released),
            (Stage::Paid, Stock::Committed),
            (Stage::Cancelled, Stock::Released),
        ];
        assert_eq!(ends, expected, "seed {seed}");
        assert_eq!(stock(&world.documents).await, (6, 0, vec![1, 3]), "seed {seed}");
        assert_eq!(order_count(&world.documents).await, 2, "seed {seed}");
    }
}
