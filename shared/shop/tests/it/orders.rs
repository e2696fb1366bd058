//! The transitions of an order, and its document.

use proptest::prelude::*;
use serde_json::json;
use tolov_contract::memory::MemoryDocuments;
use tolov_domain::{
    ClickTransId, EventId, Outcome,
    payment::Anomaly,
    ports::documents::{Documents, Key},
};
use tolov_shop::{
    order::{
        self, Actor, Delivery, HISTORY_MAX, HistoryEntry, HistoryItem, ORDERS, OrderAction, OrderState,
        PaymentFacts, Progress, Sale, ShopOrder, Stage, Stock,
    },
    records,
};

use crate::shop::{NOON, TEA, awaiting, minutes, order_id, payment, pieces, user_id, waiting};

fn new_order() -> ShopOrder {
    waiting(1, &[pieces(TEA, 1)])
}

fn event_id() -> EventId {
    EventId::new("payment.completed:1")
}

fn paid() -> ShopOrder {
    let mut order = new_order();
    assert_eq!(order.pay(payment(), event_id()), Outcome::Applied);
    order
}

fn staff() -> Actor {
    Actor::Staff(user_id(1))
}

/// An order in each state that there is.
fn in_every_state() -> Vec<ShopOrder> {
    let sale = || Sale { payment: payment(), missing: vec![pieces(TEA, 1)] };
    let in_progress = |progress| OrderState::Paid { sale: sale(), progress };
    let states = [
        OrderState::Creating { cancel_requested_by: None },
        OrderState::Creating { cancel_requested_by: Some(Actor::Clock) },
        awaiting(),
        OrderState::AwaitingPayment { link: None, cancel_requested_by: Some(staff()) },
        in_progress(Progress::New),
        in_progress(Progress::Preparing),
        in_progress(Progress::Ready),
        in_progress(Progress::OnTheWay),
        in_progress(Progress::Delivered),
        OrderState::Expired,
        OrderState::Cancelled { by: Actor::Shopper, sale: None },
        OrderState::Cancelled { by: staff(), sale: Some(sale()) },
        OrderState::Refunded { sale: sale(), at: minutes(3), goods_left: false },
        OrderState::Refunded { sale: sale(), at: minutes(3), goods_left: true },
    ];
    states.into_iter().map(|state| ShopOrder { state, ..new_order() }).collect()
}

#[test]
fn an_order_is_fulfilled_step_by_step_and_each_step_is_in_the_history_once() {
    let mut order = paid();
    let steps = [OrderAction::Accepted, OrderAction::MadeReady, OrderAction::SentOff, OrderAction::Delivered];
    for action in steps {
        assert_eq!(order.apply(action, staff(), minutes(1)), Outcome::Applied, "{action:?}");
        let other = Actor::Staff(user_id(2));
        assert_eq!(order.apply(action, other, minutes(2)), Outcome::AlreadyApplied, "{action:?}");
    }
    let done: Vec<HistoryItem> = order.history.iter().map(|entry| entry.what).collect();
    let expected: Vec<HistoryItem> =
        [OrderAction::Paid].into_iter().chain(steps).map(HistoryItem::Action).collect();
    assert_eq!(done, expected);
    assert!(order.history.iter().skip(1).all(|entry| entry.by == staff()));
}

#[test]
fn staff_are_offered_exactly_what_can_be_done_now() {
    let mut order = paid();
    let mut offered = Vec::new();
    loop {
        let actions = order.staff_actions();
        let Some(next) = actions.first().copied() else { break };
        offered.push(actions);
        order.apply(next, staff(), NOON);
    }
    let expected: [&[OrderAction]; 5] = [
        &[OrderAction::Accepted, OrderAction::Cancelled],
        &[OrderAction::MadeReady, OrderAction::SentOff, OrderAction::Cancelled],
        &[OrderAction::SentOff, OrderAction::Delivered, OrderAction::Cancelled],
        &[OrderAction::Delivered, OrderAction::Cancelled],
        &[OrderAction::Refunded],
    ];
    assert_eq!(offered, expected);
    assert_eq!(order.stage(), Stage::Refunded);
}

#[test]
fn an_action_that_is_not_offered_is_refused_and_changes_nothing() {
    for order in in_every_state() {
        let offered = order.staff_actions();
        for action in OrderAction::OF_STAFF {
            let mut tried = order.clone();
            match tried.apply(action, staff(), NOON) {
                Outcome::Applied => assert!(offered.contains(&action), "{order:?} {action:?}"),
                Outcome::AlreadyApplied | Outcome::Refused(_) => {
                    assert!(!offered.contains(&action), "{order:?} {action:?}");
                    assert_eq!(tried, order);
                }
            }
        }
    }
}

#[test]
fn an_order_for_pickup_is_not_sent_off() {
    let mut order = paid();
    order.terms.as_mut().unwrap().delivery = Delivery::Pickup;
    order.apply(OrderAction::Accepted, staff(), NOON);
    order.apply(OrderAction::MadeReady, staff(), NOON);
    assert_eq!(order.staff_actions(), [OrderAction::Delivered, OrderAction::Cancelled]);
    assert_eq!(order.apply(OrderAction::SentOff, staff(), NOON), Outcome::Refused(Stage::Ready));
}

#[test]
fn money_is_honoured_in_every_state_and_once() {
    let other = PaymentFacts { click_trans_id: ClickTransId::try_new(777).unwrap(), ..payment() };
    for mut order in in_every_state() {
        let was_closed = matches!(order.stage(), Stage::Expired | Stage::Cancelled) && !order.is_paid();
        let expected = if order.is_paid() { Outcome::AlreadyApplied } else { Outcome::Applied };
        let before = order.clone();
        assert_eq!(order.pay(payment(), event_id()), expected, "{before:?}");
        assert_eq!(order.payment().unwrap().late, was_closed, "{before:?}");
        order.apply(OrderAction::Accepted, staff(), NOON);
        let once = order.clone();
        assert_eq!(order.pay(payment(), event_id()), Outcome::AlreadyApplied, "{before:?}");
        assert_eq!(order.pay(other, event_id()), Outcome::Refused(Anomaly::PaidTwice), "{before:?}");
        assert_eq!(order, once);
    }
}

#[test]
fn a_paid_order_does_not_expire_and_an_unpaid_one_is_not_refunded() {
    let expire = |order: &mut ShopOrder| order.apply(OrderAction::Expired, Actor::Clock, NOON);
    assert_eq!(expire(&mut paid()), Outcome::Refused(Stage::Paid));
    let mut order = new_order();
    order.apply(OrderAction::Cancelled, Actor::Shopper, NOON);
    assert_eq!(order.staff_actions(), []);
    assert_eq!(expire(&mut order), Outcome::Refused(Stage::Cancelled));
}

#[test]
fn whoever_asks_first_for_a_cancellation_is_named_by_it() {
    let mut order = new_order();
    assert!(order.request_cancel(Actor::Shopper) && order.request_cancel(staff()));
    assert_eq!(order.cancel_requested_by(), Some(Actor::Shopper));
    let mut changed_mind = order.clone();
    changed_mind.withdraw_cancel_request();
    assert_eq!(changed_mind, new_order());
    assert_eq!(order.close(OrderAction::Expired, Actor::Clock, NOON), Outcome::Applied);
    assert_eq!(order.state, OrderState::Cancelled { by: Actor::Shopper, sale: None });
    assert!(!order.request_cancel(staff()) && !paid().request_cancel(staff()));
}

#[test]
fn the_history_is_bounded_and_keeps_every_action() {
    let mut order = new_order();
    for attempt in 0..300 {
        let id = EventId::new(format!("payment.cancelled:1:{attempt}"));
        order.note(HistoryItem::PaymentCancelled, id, minutes(attempt));
    }
    order.pay(PaymentFacts { paid_at: minutes(400), ..payment() }, event_id());
    for attempt in 300..600 {
        let id = EventId::new(format!("payment.cancelled:1:{attempt}"));
        order.note(HistoryItem::PaymentCancelled, id, minutes(400 + attempt));
    }
    assert_eq!(order.history.len(), HISTORY_MAX);
    assert!(order.last(OrderAction::Paid).is_some());
    assert!(order.history.is_sorted_by_key(|entry| entry.at));
}

#[tokio::test]
async fn of_two_who_accept_an_order_one_is_first() {
    let documents = MemoryDocuments::default();
    records::insert(&documents, &paid()).await.unwrap();
    let accept = |staff| {
        let by = Actor::Staff(user_id(staff));
        order::apply(&documents, order_id(1), OrderAction::Accepted, by, NOON)
    };
    let (one, other) = tokio::join!(accept(1), accept(2));
    let mut outcomes = [one.unwrap().unwrap().1, other.unwrap().unwrap().1];
    outcomes.sort_by_key(|outcome| !outcome.is_applied());
    assert_eq!(outcomes, [Outcome::Applied, Outcome::AlreadyApplied]);
    let unknown = order::apply(&documents, order_id(2), OrderAction::Accepted, staff(), NOON).await;
    assert_eq!(unknown.unwrap(), None);
}

#[tokio::test]
async fn a_shoppers_orders_come_newest_first_in_pages() {
    let documents = MemoryDocuments::default();
    for number in [3, 1, 5, 4, 2] {
        records::insert(&documents, &waiting(number, &[pieces(TEA, 1)])).await.unwrap();
    }
    let stranger = ShopOrder { user_id: user_id(9), ..waiting(6, &[pieces(TEA, 1)]) };
    records::insert(&documents, &stranger).await.unwrap();
    for (skip, limit, expected) in
        [(0, 10, vec![5, 4, 3, 2, 1]), (1, 3, vec![4, 3, 2]), (3, 5, vec![2, 1]), (5, 1, vec![])]
    {
        let page = order::orders_of(&documents, user_id(5551), skip, limit).await.unwrap();
        assert_eq!(page.iter().map(|order| order.id.get()).collect::<Vec<_>>(), expected);
    }
}

#[tokio::test]
async fn an_order_of_every_state_is_stored_whole_and_found_by_its_stage() {
    let documents = MemoryDocuments::default();
    let orders: Vec<ShopOrder> = in_every_state()
        .into_iter()
        .zip(1..)
        .map(|(order, number)| ShopOrder { id: order_id(number), ..order })
        .collect();
    for order in &orders {
        records::insert(&documents, order).await.unwrap();
    }
    for order in &orders {
        assert_eq!(order::order(&documents, order.id).await.unwrap().as_ref(), Some(order));
    }
    for stage in Stage::ALL {
        let expected: Vec<&ShopOrder> = orders.iter().filter(|order| order.stage() == stage).collect();
        let found = order::orders_in(&documents, stage, 100).await.unwrap();
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{stage:?}");
        let count = documents.count(&order::query_in(stage, 1)).await.unwrap();
        assert_eq!(usize::try_from(count).unwrap(), expected.len(), "{stage:?}");
    }
    let paid = order::orders_paid_by(&documents, payment().click_paydoc_id, 100).await.unwrap();
    assert_eq!(paid.len(), orders.iter().filter(|order| order.is_paid()).count());
    let phone = crate::shop::phone();
    assert_eq!(documents.count(&order::query_with_phone(&phone, 1)).await.unwrap(), 14);
}

#[tokio::test]
async fn the_document_of_a_paid_order_is_flat_with_money_in_tiyin_and_times_in_milliseconds() {
    let documents = MemoryDocuments::default();
    records::insert(&documents, &paid()).await.unwrap();
    let stored = documents.get(ORDERS, &Key::Number(1)).await.unwrap().unwrap().body;
    let (noon, paid_at) = (1_795_435_200_000_i64, 1_795_435_260_000_i64);
    let history = json!([{
        "done_at": paid_at, "what": "paid", "by": "click", "event_id": "payment.completed:1",
    }]);
    let expected = json!({
        "schema": 1, "id": 1, "user_id": 5551,
        "lines": [{ "product_id": 7, "count": 1, "title": "Choy", "price": 1_500_000 }],
        "goods": 3_000_000, "discount": 300_000, "promo_code": "BAHOR", "delivery_price": 0,
        "total": 2_700_000,
        "delivery": { "address": { "text": "Navoiy 1", "landmark": null } },
        "phone": "+998901234567", "placed_at": noon, "changed_at": paid_at,
        "status": "paid", "progress": "new",
        "click_trans_id": 501, "click_paydoc_id": 2001, "paid_at": paid_at, "late": false,
        "stock": "held", "unsettled": "stock", "history": history,
    });
    assert_eq!(serde_json::Value::Object(stored), expected);
}

#[tokio::test]
async fn a_document_that_no_order_can_be_is_refused_with_the_field_and_left_out_of_lists() {
    for (change, told) in [
        (json!({ "click_paydoc_id": null }), "paid_at"),
        (json!({ "paid_at": null }), "paid_at"),
        (json!({ "progress": null }), "progress"),
        (json!({ "status": "expired" }), "click_paydoc_id"),
        (json!({ "delivery": null }), "goods"),
        (json!({ "status": "lost" }), "lost"),
        (json!({ "schema": 2 }), "upgrade"),
        (json!({ "schema": null }), "schema"),
    ] {
        let documents = MemoryDocuments::default();
        for number in [1, 2] {
            records::insert(&documents, &ShopOrder { id: order_id(number), ..paid() }).await.unwrap();
        }
        let mut stored = documents.get(ORDERS, &Key::Number(1)).await.unwrap().unwrap();
        stored.body.extend(change.as_object().unwrap().clone());
        documents.put(ORDERS, &stored.key, Some(stored.version), &stored.body).await.unwrap();
        let refusal = order::order(&documents, order_id(1)).await.unwrap_err().to_string();
        assert!(refusal.contains(told) && refusal.contains("document 1 in orders"), "{change}: {refusal}");
        let listed = order::orders_of(&documents, user_id(5551), 0, 10).await.unwrap();
        assert_eq!(listed.iter().map(|order| order.id.get()).collect::<Vec<_>>(), [2], "{change}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_actions_makes_a_paid_order_unpaid(
        actions in prop::collection::vec((0..12_usize, 0..14_usize), 1..20),
        start in 0..14_usize,
    ) {
        const ACTIONS: [OrderAction; 10] = [
            OrderAction::Placed, OrderAction::Registered, OrderAction::Paid, OrderAction::Accepted,
            OrderAction::MadeReady, OrderAction::SentOff, OrderAction::Delivered, OrderAction::Cancelled,
            OrderAction::Expired, OrderAction::Refunded,
        ];
        let mut order = in_every_state().swap_remove(start);
        for (action, _) in actions {
            let was_paid = order.is_paid();
            match ACTIONS.get(action) {
                Some(action) => drop(order.apply(*action, staff(), NOON)),
                None if action == 10 => drop(order.pay(payment(), event_id())),
                None => order.expire(EventId::new("order.expired:1"), NOON),
            }
            prop_assert!(order.is_paid() || !was_paid);
            let document = serde_json::to_value(&order).unwrap();
            prop_assert_eq!(serde_json::from_value::<ShopOrder>(document).unwrap(), order.clone());
            prop_assert!(order.is_paid() || !matches!(order.stock, Stock::Committed | Stock::Restocking));
        }
    }
}

#[test]
fn an_entry_of_the_history_is_read_back_as_it_was_written() {
    for what in [
        HistoryItem::Action(OrderAction::MadeReady),
        HistoryItem::PaymentCancelled,
        HistoryItem::PaymentQuestioned(Anomaly::OrderDiffers),
    ] {
        let entry = HistoryEntry { at: NOON, what, by: staff(), event_id: Some(event_id()) };
        let written = serde_json::to_value(&entry).unwrap();
        assert_eq!(serde_json::from_value::<HistoryEntry>(written).unwrap(), entry);
    }
}
