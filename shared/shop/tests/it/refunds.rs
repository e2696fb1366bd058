//! Refunds: what the ledger's events, and staff by hand, do to order, stock and shopper.

use std::future::ready;

use tolov_contract::memory::MemoryDocuments;
use tolov_domain::{
    Event, EventKind, OrderedProduct, Outcome, RefundId, Tiyin, UserId,
    event::{Reversal, Undecided},
    notification::Announcement,
    refund::UndecidedState,
};
use tolov_shop::{
    order::{self, Actor, HistoryItem, OrderAction, ShopOrder, Stage, Stock},
    settling::{self, settle},
    shopper,
};

use crate::shop::{
    SMALL, TEA, completed, event, left, minutes, open_shop, order_id, pieces, placed, soum, user_id, waiting,
};

const NEWS: Announcement = Announcement::Event { stock_settled: true };

/// Order 1, of 4 teas and a small shirt, as it is when it is paid.
fn bought() -> ShopOrder {
    waiting(1, &[pieces(TEA, 4), pieces(SMALL, 1)])
}

fn staff() -> Actor {
    Actor::Staff(UserId::try_new(1).unwrap())
}

fn reversal(refund: i64, refunded: Tiyin, returned: &[OrderedProduct]) -> Reversal {
    let refund_id = RefundId::try_new(refund).unwrap();
    Reversal { refund_id, refunded, by_hand: false, returned: returned.to_vec() }
}

fn part(refund: i64, sum: i64, returned: &[OrderedProduct]) -> Event {
    let reversal = reversal(refund, soum(sum), returned);
    let refunded_total = reversal.refunded;
    event(&bought(), EventKind::PaymentPartlyReversed { reversal, refunded_total }, minutes(30))
}

fn rest(refund: i64, sum: i64, returned: &[OrderedProduct]) -> Event {
    event(&bought(), EventKind::PaymentReversed(reversal(refund, soum(sum), returned)), minutes(40))
}

async fn sold() -> MemoryDocuments {
    let shop = MemoryDocuments::default();
    open_shop(&shop).await;
    placed(&shop, 1, &[pieces(TEA, 4), pieces(SMALL, 1)]).await;
    apply(&shop, &completed(&bought(), false)).await;
    assert_eq!(stock(&shop).await, [6, 4]);
    shop
}

async fn apply(shop: &MemoryDocuments, event: &Event) -> Announcement {
    settle(shop, std::slice::from_ref(event)).await.unwrap().remove(0).announcement
}

/// Of the tea and of the small shirt.
async fn stock(shop: &MemoryDocuments) -> [u32; 2] {
    [left(shop, TEA).await, left(shop, SMALL).await]
}

async fn stored(shop: &MemoryDocuments) -> ShopOrder {
    order::order(shop, order_id(1)).await.unwrap().unwrap()
}

async fn order_count(shop: &MemoryDocuments) -> u32 {
    shopper::shopper(shop, user_id(5551)).await.unwrap().unwrap().order_count
}

#[tokio::test]
async fn a_part_that_goes_back_brings_its_goods_into_stock_once_and_leaves_the_order_in_work() {
    let shop = sold().await;
    for _ in 0..3 {
        assert_eq!(apply(&shop, &part(7, 5_000, &[pieces(TEA, 1)])).await, NEWS);
        assert_eq!(stock(&shop).await, [7, 4]);
    }
    let order = stored(&shop).await;
    assert_eq!((order.stage(), order.stock, order.is_unsettled()), (Stage::Paid, Stock::Committed, false));
    assert_eq!((order.refunded(), order.kept()), (soum(5_000), soum(22_000)));
    assert_eq!(order.history.last().unwrap().what, HistoryItem::PartlyRefunded);
    assert_eq!(order_count(&shop).await, 1);
    // Another refund of the same article.
    apply(&shop, &part(8, 5_000, &[pieces(TEA, 2)])).await;
    assert_eq!((stock(&shop).await, stored(&shop).await.kept()), ([9, 4], soum(17_000)));
    // The rest, of which nothing comes back.
    for _ in 0..2 {
        assert_eq!(apply(&shop, &rest(9, 17_000, &[])).await, NEWS);
        assert_eq!((stock(&shop).await, stored(&shop).await.stage()), ([9, 4], Stage::Refunded));
    }
    assert_eq!(order_count(&shop).await, 0);
}

#[tokio::test]
async fn a_whole_refund_ends_the_order_and_brings_back_what_is_returned() {
    let shop = sold().await;
    let event = rest(7, 27_000, &[pieces(TEA, 4), pieces(SMALL, 1)]);
    for _ in 0..3 {
        assert_eq!(apply(&shop, &event).await, NEWS);
        let order = stored(&shop).await;
        assert_eq!(
            (order.stage(), order.kept(), order.is_unsettled()),
            (Stage::Refunded, Tiyin::ZERO, false)
        );
        assert_eq!((stock(&shop).await, order_count(&shop).await), ([10, 5], 0));
        let refunded = order.last(OrderAction::Refunded).unwrap();
        assert_eq!((refunded.by, refunded.event_id.as_ref()), (Actor::Click, Some(&event.id)));
    }
    // The payment's event comes again.
    apply(&shop, &completed(&bought(), false)).await;
    assert_eq!((stock(&shop).await, order_count(&shop).await), ([10, 5], 0));
}

#[tokio::test]
async fn goods_come_back_once_whether_the_order_is_cancelled_before_or_after_a_refund() {
    let before = sold().await;
    let cancel = async |shop: &MemoryDocuments| {
        settling::cancel_paid(shop, order_id(1), staff(), minutes(35)).await.unwrap().unwrap()
    };
    cancel(&before).await;
    assert_eq!(stock(&before).await, [10, 5]);
    apply(&before, &rest(7, 27_000, &[pieces(TEA, 4), pieces(SMALL, 1)])).await;
    assert_eq!((stock(&before).await, stored(&before).await.stage()), ([10, 5], Stage::Refunded));

    let after = sold().await;
    apply(&after, &part(7, 5_000, &[pieces(TEA, 3)])).await;
    assert_eq!(stock(&after).await, [9, 4]);
    let (order, outcome) = cancel(&after).await;
    assert_eq!((outcome, order.stock, stock(&after).await), (Outcome::Applied, Stock::Released, [10, 5]));
}

#[tokio::test]
async fn goods_come_back_once_though_a_restored_ledger_tells_of_their_refund_under_another_number() {
    let shop = sold().await;
    apply(&shop, &part(7, 5_000, &[pieces(TEA, 3)])).await;
    assert_eq!(stock(&shop).await, [9, 4]);
    // The ledger was put back to a copy without refund 7, and somebody has recorded all of it anew.
    apply(&shop, &rest(8, 27_000, &[pieces(TEA, 4), pieces(SMALL, 1)])).await;
    assert_eq!(stock(&shop).await, [10, 5], "what was bought is in stock, and no more");
    let order = stored(&shop).await;
    assert_eq!((order.stage(), order.returned()), (Stage::Refunded, vec![pieces(TEA, 4), pieces(SMALL, 1)]));
    assert!(!order.is_unsettled());
}

#[tokio::test]
async fn what_staff_recorded_by_hand_is_the_same_fact_and_its_event_is_no_news() {
    let shop = sold().await;
    settling::cancel_paid(&shop, order_id(1), staff(), minutes(20)).await.unwrap();
    for expected in [Outcome::Applied, Outcome::AlreadyApplied] {
        let refunded = settling::refund_by_hand(&shop, order_id(1), staff(), minutes(21)).await.unwrap();
        let (order, outcome) = refunded.unwrap();
        assert_eq!((outcome, order.kept(), order_count(&shop).await), (expected, Tiyin::ZERO, 0));
    }
    for _ in 0..2 {
        assert_eq!(apply(&shop, &rest(7, 27_000, &[])).await, Announcement::Nothing);
    }
    let order = stored(&shop).await;
    assert_eq!((order.refunds.len(), order.refunds[0].amount), (1, soum(27_000)));
    assert_eq!(order.refunds[0].refund_id, RefundId::try_new(7).ok());
    assert_eq!((order.last(OrderAction::Refunded).unwrap().by, order_count(&shop).await), (staff(), 0));
}

#[tokio::test]
async fn a_refund_whose_event_overtakes_that_of_the_payment_counts_all_the_same() {
    let shop = MemoryDocuments::default();
    open_shop(&shop).await;
    placed(&shop, 1, &[pieces(TEA, 4), pieces(SMALL, 1)]).await;
    apply(&shop, &rest(7, 27_000, &[pieces(TEA, 4)])).await;
    assert_eq!((stored(&shop).await.stage(), stock(&shop).await), (Stage::AwaitingPayment, [6, 4]));
    apply(&shop, &completed(&bought(), false)).await;
    let order = stored(&shop).await;
    assert_eq!((order.stage(), order.is_unsettled()), (Stage::Refunded, false));
    assert_eq!((stock(&shop).await, order_count(&shop).await), ([10, 4], 0));
}

#[tokio::test]
async fn a_refund_that_waits_for_a_person_changes_only_the_history() {
    let shop = sold().await;
    let undecided = Undecided {
        refund_id: RefundId::try_new(7).unwrap(),
        refunded: soum(27_000),
        state: UndecidedState::Unknown,
        step: 3,
        why: None,
        click_code: None,
        click_note: None,
    };
    let event = event(&bought(), EventKind::RefundUndecided(undecided), minutes(30));
    assert_eq!(apply(&shop, &event).await, NEWS);
    let order = stored(&shop).await;
    assert_eq!((order.stage(), order.kept()), (Stage::Paid, soum(27_000)));
    assert_eq!(order.history.last().unwrap().what, HistoryItem::RefundUndecided);
}

#[tokio::test]
async fn goods_of_a_refund_that_are_not_in_stock_yet_are_found_and_put_there() {
    let shop = sold().await;
    // A process died after it had written the order.
    tolov_shop::records::change(&shop, 1_i64, |order: &mut ShopOrder| {
        order.refunds.push(tolov_shop::order::OrderRefund {
            refund_id: RefundId::try_new(7).ok(),
            amount: soum(5_000),
            by_hand: false,
            returned: vec![pieces(TEA, 2)],
            is_restocked: false,
            is_told: false,
            at: minutes(30),
        });
    })
    .await
    .unwrap();
    let (settled, _) = settling::settle_left(&shop, 0, ready(())).await.unwrap();
    assert_eq!(settled.len(), 1);
    assert_eq!(stock(&shop).await, [8, 4]);
    assert_eq!(settling::settle_left(&shop, 0, ready(())).await.unwrap().0, []);
}
