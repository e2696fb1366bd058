//! What events and staff do to an order, one after the other.

use tolov_contract::memory::MemoryDocuments;
use tolov_domain::{Event, EventKind, OrderId, Tiyin};
use tolov_shop::{
    fulfilment::{By, Deed, Fulfilment, Moved, Stage, StockState},
    records, settling, stock,
};

use crate::shelf::{
    CODE, NOON, SMALL, TEA, is_tidy, left, minutes, open_shop, order, order_id, paydoc_id, pieces, placed,
    user_id, uses, waiting,
};

/// A shop with order 1: four of the tea and one small shirt.
async fn shop_with_an_order() -> MemoryDocuments {
    let shop = MemoryDocuments::default();
    open_shop(&shop).await;
    placed(&shop, 1, &[pieces(TEA, 4), pieces(SMALL, 1)]).await;
    shop
}

async fn pay(shop: &MemoryDocuments, late: bool) -> Fulfilment {
    settling::paid(shop, order_id(1), paydoc_id(), late, minutes(1)).await.unwrap().unwrap()
}

async fn close(shop: &MemoryDocuments) -> Moved {
    let closed = settling::closed(shop, order_id(1), Deed::Expired, By::Clock, minutes(2)).await.unwrap();
    closed.unwrap().1
}

async fn cancel(shop: &MemoryDocuments) -> Moved {
    let by = By::Staff(user_id(1));
    settling::cancel_paid(shop, order_id(1), by, minutes(3)).await.unwrap().unwrap().1
}

#[tokio::test]
async fn a_payment_leaves_its_facts_with_the_order_once() {
    let shop = shop_with_an_order().await;
    let first = pay(&shop, false).await;
    assert_eq!((first.stage, first.stock, first.late), (Stage::Paid, StockState::Taken, false));
    assert_eq!((first.paid_at, first.click_paydoc_id), (Some(minutes(1)), Some(2001)));
    let again = settling::paid(&shop, order_id(1), paydoc_id(), true, minutes(9)).await.unwrap().unwrap();
    assert_eq!(again, first);
    assert_eq!(
        first.timeline.iter().map(|entry| (entry.deed, entry.by)).collect::<Vec<_>>(),
        [(Deed::Paid, By::Click)]
    );
    assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (6, 4));
    assert!(is_tidy(&shop).await);
}

#[tokio::test]
async fn an_order_that_is_over_gives_back_what_it_held_once() {
    let shop = shop_with_an_order().await;
    assert_eq!(close(&shop).await, Moved::Now);
    assert_eq!(close(&shop).await, Moved::Before);
    assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (10, 5));
    assert_eq!(uses(&shop).await, Vec::<i64>::new());
    assert!(is_tidy(&shop).await);
}

#[tokio::test]
async fn who_asked_for_the_cancellation_is_in_the_timeline_when_the_ledger_says_that_it_is_over() {
    let shop = shop_with_an_order().await;
    let ask = |order: &mut Fulfilment| order.cancel_asked_by = Some(By::Shopper);
    records::change(&shop, 1, ask).await.unwrap();
    assert_eq!(close(&shop).await, Moved::Now);
    let order = order(&shop, 1).await;
    assert_eq!(order.stage, Stage::Cancelled);
    let last = order.timeline.last().unwrap();
    assert_eq!((last.deed, last.by), (Deed::Cancelled, By::Shopper));
}

#[tokio::test]
async fn a_paid_order_does_not_expire() {
    let shop = shop_with_an_order().await;
    pay(&shop, false).await;
    assert_eq!(close(&shop).await, Moved::Refused(Stage::Paid));
    assert_eq!(left(&shop, TEA).await, 6);
    assert_eq!(uses(&shop).await, [1]);
}

#[tokio::test]
async fn an_expiry_that_broke_off_before_it_was_written_down_costs_nothing_when_late_money_comes() {
    let shop = shop_with_an_order().await;
    records::change(&shop, 1, |order: &mut Fulfilment| order.advance(Deed::Expired, By::Clock, NOON))
        .await
        .unwrap();
    stock::give_back(&shop, order_id(1), &waiting(1, &[pieces(TEA, 4), pieces(SMALL, 1)]).articles())
        .await
        .unwrap();
    assert_eq!((order(&shop, 1).await.stock, left(&shop, TEA).await), (StockState::Held, 10));
    let order = pay(&shop, true).await;
    assert_eq!((order.stock, order.missing.len()), (StockState::Taken, 0));
    assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (6, 4));
}

#[tokio::test]
async fn late_money_takes_what_is_there_and_says_what_is_not() {
    let shop = shop_with_an_order().await;
    close(&shop).await;
    stock::hold(&shop, order_id(2), &[pieces(TEA, 7)]).await.unwrap();
    for _ in 0..2 {
        let order = pay(&shop, true).await;
        assert_eq!((order.late, order.missing), (true, vec![pieces(TEA, 4)]));
        assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (3, 4));
        assert_eq!(uses(&shop).await, [1]);
    }
    assert_eq!(cancel(&shop).await, Moved::Now);
    assert_eq!(
        (left(&shop, TEA).await, left(&shop, SMALL).await),
        (3, 5),
        "what was missing does not come back"
    );
}

#[tokio::test]
async fn a_paid_order_that_staff_cancel_puts_its_goods_on_the_shelf_once() {
    let shop = shop_with_an_order().await;
    assert_eq!(cancel(&shop).await, Moved::Refused(Stage::Waiting), "not this way while it is not paid");
    assert_eq!(left(&shop, TEA).await, 6);
    pay(&shop, false).await;
    assert_eq!(cancel(&shop).await, Moved::Now);
    for _ in 0..2 {
        assert_eq!(cancel(&shop).await, Moved::Before);
        pay(&shop, false).await;
        let order = order(&shop, 1).await;
        assert_eq!((order.stage, order.stock), (Stage::Cancelled, StockState::Returned));
        assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (10, 5));
    }
    assert!(is_tidy(&shop).await);
}

#[tokio::test]
async fn a_cancellation_that_broke_off_is_brought_to_its_end_by_whoever_comes_next() {
    for by_staff in [true, false] {
        let shop = shop_with_an_order().await;
        pay(&shop, false).await;
        let broke_off = |order: &mut Fulfilment| {
            order.advance(Deed::Cancelled, By::Staff(user_id(1)), NOON);
            order.stock = StockState::Returning;
        };
        records::change(&shop, 1, broke_off).await.unwrap();
        if by_staff {
            assert_eq!(cancel(&shop).await, Moved::Before);
        } else {
            pay(&shop, false).await;
        }
        assert_eq!(order(&shop, 1).await.stock, StockState::Returned);
        assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (10, 5));
        assert!(is_tidy(&shop).await);
    }
}

#[tokio::test]
async fn an_order_that_staff_cancel_before_its_goods_were_taken_gives_them_back() {
    let shop = shop_with_an_order().await;
    let paid = |order: &mut Fulfilment| {
        order.advance(Deed::Paid, By::Click, NOON);
        order.paid_at = Some(NOON);
    };
    records::change(&shop, 1, paid).await.unwrap();
    assert_eq!(cancel(&shop).await, Moved::Now);
    assert_eq!(order(&shop, 1).await.stock, StockState::Returned);
    assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (10, 5));
    assert!(is_tidy(&shop).await);
}

fn event(order_id: OrderId, kind: EventKind) -> Event {
    Event {
        id: Event::id_of(order_id, &kind),
        order_id,
        user_id: user_id(5551),
        products: Vec::new(),
        amount: Tiyin::ZERO,
        occurred_at: minutes(1),
        kind,
    }
}

#[tokio::test]
async fn an_expiry_is_news_where_the_clock_ended_an_order_and_where_the_shop_does_not_know_it() {
    let shop = shop_with_an_order().await;
    placed(&shop, 2, &[pieces(TEA, 1)]).await;
    let ask = |order: &mut Fulfilment| order.cancel_asked_by = Some(By::Shopper);
    records::change(&shop, 2, ask).await.unwrap();
    let events = [1, 2, 3].map(|number| event(order_id(number), EventKind::OrderExpired));
    for _ in 0..2 {
        let settled = settling::apply(&shop, &events).await.unwrap();
        assert_eq!(
            events.iter().map(|event| settled.is_news(event)).collect::<Vec<_>>(),
            [true, false, true]
        );
    }
}

#[tokio::test]
async fn an_order_whose_making_broke_off_is_cleared_away_after_its_time_and_not_before() {
    let shop = shop_with_an_order().await;
    records::change(&shop, 1, |order: &mut Fulfilment| order.stage = Stage::Placing).await.unwrap();
    assert_eq!(settling::abandon_old(&shop, NOON + settling::PLACING_LIMIT).await.unwrap(), 0);
    assert_eq!(settling::abandon_old(&shop, minutes(16)).await.unwrap(), 1);
    assert_eq!(settling::abandon_old(&shop, minutes(16)).await.unwrap(), 0);
    assert_eq!(order(&shop, 1).await.stage, Stage::Cancelled);
    assert_eq!((left(&shop, TEA).await, uses(&shop).await.len()), (10, 0), "{CODE}");
}
