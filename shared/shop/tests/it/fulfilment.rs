//! The way of an order from the cart to the door.

use tolov_contract::memory::MemoryDocuments;
use tolov_shop::{
    fulfilment::{self, By, Deed, Delivery, Fulfilment, Moved, Stage},
    records,
};

use crate::shelf::{NOON, TEA, minutes, order_id, pieces, user_id, waiting};

const STAFF_DEEDS: [Deed; 6] =
    [Deed::Accepted, Deed::MadeReady, Deed::SentOff, Deed::Delivered, Deed::Cancelled, Deed::Refunded];

fn order() -> Fulfilment {
    waiting(1, &[pieces(TEA, 1)])
}

fn paid() -> Fulfilment {
    let mut order = order();
    assert_eq!(order.advance(Deed::Paid, By::Click, NOON), Moved::Now);
    order.paid_at = Some(NOON);
    order
}

fn staff() -> By {
    By::Staff(user_id(1))
}

#[test]
fn an_order_goes_its_way_and_every_step_is_in_the_timeline_once() {
    let mut order = paid();
    for deed in [Deed::Accepted, Deed::MadeReady, Deed::SentOff, Deed::Delivered] {
        assert_eq!(order.advance(deed, staff(), minutes(1)), Moved::Now, "{deed:?}");
        assert_eq!(order.advance(deed, By::Staff(user_id(2)), minutes(2)), Moved::Before, "{deed:?}");
    }
    let deeds: Vec<Deed> = order.timeline.iter().map(|entry| entry.deed).collect();
    assert_eq!(deeds, [Deed::Paid, Deed::Accepted, Deed::MadeReady, Deed::SentOff, Deed::Delivered]);
    assert!(order.timeline.iter().skip(1).all(|entry| entry.by == staff()));
}

#[test]
fn staff_are_offered_what_can_be_done_now_and_nothing_else() {
    let mut order = paid();
    let mut offered = Vec::new();
    loop {
        let deeds = order.deeds();
        let Some(next) = deeds.first().copied() else { break };
        offered.push(deeds);
        order.advance(next, staff(), NOON);
    }
    let expected: [&[Deed]; 5] = [
        &[Deed::Accepted, Deed::Cancelled],
        &[Deed::MadeReady, Deed::SentOff, Deed::Cancelled],
        &[Deed::SentOff, Deed::Delivered, Deed::Cancelled],
        &[Deed::Delivered, Deed::Cancelled],
        &[Deed::Refunded],
    ];
    assert_eq!(offered, expected);
    assert_eq!(order.stage, Stage::Refunded);
}

#[test]
fn what_is_not_offered_is_refused_and_changes_nothing() {
    for stage in Stage::ALL {
        for paid_at in [None, Some(NOON)] {
            let order = Fulfilment { stage, paid_at, ..order() };
            let offered = order.deeds();
            for deed in STAFF_DEEDS {
                let mut tried = order.clone();
                match tried.advance(deed, staff(), NOON) {
                    Moved::Now => assert!(offered.contains(&deed), "{stage:?} {deed:?}"),
                    Moved::Before | Moved::Refused(_) => {
                        assert!(!offered.contains(&deed), "{stage:?} {deed:?}");
                        assert_eq!(tried, order);
                    }
                }
            }
        }
    }
}

#[test]
fn an_order_that_is_fetched_is_not_sent_off() {
    let mut order = Fulfilment { delivery: Delivery::Pickup, ..paid() };
    order.advance(Deed::Accepted, staff(), NOON);
    order.advance(Deed::MadeReady, staff(), NOON);
    assert_eq!(order.deeds(), [Deed::Delivered, Deed::Cancelled]);
    assert_eq!(order.advance(Deed::SentOff, staff(), NOON), Moved::Refused(Stage::Ready));
}

#[test]
fn money_is_honoured_wherever_an_order_stands_and_once() {
    for stage in Stage::ALL {
        let mut order = Fulfilment { stage, ..order() };
        let expected = if stage == Stage::Paid { Moved::Before } else { Moved::Now };
        assert_eq!(order.advance(Deed::Paid, By::Click, NOON), expected, "{stage:?}");
        order.paid_at = Some(NOON);
        order.advance(Deed::Accepted, staff(), NOON);
        assert_eq!(order.advance(Deed::Paid, By::Click, NOON), Moved::Before, "{stage:?}");
    }
}

#[test]
fn a_paid_order_does_not_expire_and_an_unpaid_one_is_not_refunded() {
    assert_eq!(paid().advance(Deed::Expired, By::Clock, NOON), Moved::Refused(Stage::Paid));
    let mut order = order();
    order.advance(Deed::Cancelled, By::Shopper, NOON);
    assert_eq!(order.deeds(), []);
    assert_eq!(order.advance(Deed::Expired, By::Clock, NOON), Moved::Refused(Stage::Cancelled));
}

#[tokio::test]
async fn of_two_who_accept_an_order_one_was_first() {
    let documents = MemoryDocuments::default();
    records::insert(&documents, &paid()).await.unwrap();
    let accept =
        |staff| fulfilment::advance(&documents, order_id(1), Deed::Accepted, By::Staff(user_id(staff)), NOON);
    let (one, other) = tokio::join!(accept(1), accept(2));
    let mut moved = [one.unwrap().unwrap().1, other.unwrap().unwrap().1];
    moved.sort_by_key(|moved| *moved != Moved::Now);
    assert_eq!(moved, [Moved::Now, Moved::Before]);
    let unknown = fulfilment::advance(&documents, order_id(2), Deed::Accepted, staff(), NOON).await;
    assert_eq!(unknown.unwrap(), None);
}

#[tokio::test]
async fn a_shoppers_orders_come_newest_first_in_pages() {
    let documents = MemoryDocuments::default();
    for number in 1..=5 {
        records::insert(&documents, &waiting(number, &[pieces(TEA, 1)])).await.unwrap();
    }
    let stranger = Fulfilment { user_id: user_id(9), ..waiting(6, &[pieces(TEA, 1)]) };
    records::insert(&documents, &stranger).await.unwrap();
    let page = fulfilment::fulfilments_of(&documents, user_id(5551), 1, 3).await.unwrap();
    assert_eq!(page.iter().map(|order| order.id.get()).collect::<Vec<_>>(), [4, 3, 2]);
}
