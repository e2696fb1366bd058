//! What events and staff do to an order, one after the other.

use std::time::Duration;

use tolov_contract::memory::MemoryDocuments;
use tolov_domain::{Outcome, notification::Announcement};
use tolov_shop::{
    catalogue::{
        Product,
        stock::{self, Goods, Settlement},
    },
    order::{Actor, HistoryItem, OrderAction, OrderState, ShopOrder, Stage, Stock},
    records,
    settling::{self, MetInCreation},
};

use crate::shop::{
    CODE, NOON, SMALL, TEA, abandon_old, completed, expired, hold, is_tidy, left, minutes, open_shop, order,
    order_id, payment, pieces, placed, settle, shopper, user_id, uses, waiting,
};

fn order_1() -> ShopOrder {
    waiting(1, &[pieces(TEA, 4), pieces(SMALL, 1)])
}

/// A shop with order 1: four of the tea and one small shirt.
async fn shop_with_an_order() -> MemoryDocuments {
    let shop = MemoryDocuments::default();
    open_shop(&shop).await;
    placed(&shop, 1, &order_1().products()).await;
    shop
}

async fn pay(shop: &MemoryDocuments, late: bool) -> ShopOrder {
    let settled = settle(shop, &[completed(&order_1(), late)]).await;
    assert_eq!(settled[0].announcement, Announcement::Event { stock_settled: true });
    order(shop, 1).await
}

async fn close(shop: &MemoryDocuments) -> Outcome<Stage> {
    let closed = settling::close(shop, order_id(1), OrderAction::Expired, Actor::Clock, minutes(2)).await;
    closed.unwrap().unwrap().1
}

async fn cancel(shop: &MemoryDocuments) -> Outcome<Stage> {
    let by = Actor::Staff(user_id(1));
    settling::cancel_paid(shop, order_id(1), by, minutes(3)).await.unwrap().unwrap().1
}

async fn request_cancel(shop: &MemoryDocuments, number: i64) {
    let request = |order: &mut ShopOrder| order.request_cancel(Actor::Shopper);
    assert!(records::change(shop, number, request).await.unwrap().unwrap().1);
}

#[tokio::test]
async fn pieces_that_are_set_aside_are_not_missing_when_their_variant_was_removed() {
    let shop = shop_with_an_order().await;
    let drop_small = |product: &mut Product| {
        product.variants.remove(0);
        *product = product.clone().seal();
    };
    records::change(&shop, 20, drop_small).await.unwrap().unwrap();
    let paid = pay(&shop, false).await;
    assert_eq!((paid.stock, paid.missing()), (Stock::Committed, &[][..]));
    assert!(is_tidy(&shop).await);
}

#[tokio::test]
async fn a_payment_leaves_its_facts_with_the_order_once() {
    let shop = shop_with_an_order().await;
    let first = pay(&shop, false).await;
    assert_eq!((first.stage(), first.stock), (Stage::Paid, Stock::Committed));
    assert_eq!(first.payment(), Some(&payment()));
    assert_eq!(pay(&shop, true).await, first);
    assert_eq!(
        first.history.iter().map(|entry| (entry.what, entry.by)).collect::<Vec<_>>(),
        [(HistoryItem::Action(OrderAction::Paid), Actor::Click)]
    );
    assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (6, 4));
    assert!(is_tidy(&shop).await);
    let shopper = shopper(&shop).await;
    assert_eq!((shopper.order_count, shopper.cart), (1, Vec::new()));
}

#[tokio::test]
async fn a_closed_order_releases_what_it_held_once() {
    for by_event in [false, true] {
        let shop = shop_with_an_order().await;
        for outcome in [Outcome::Applied, Outcome::AlreadyApplied] {
            if by_event {
                settle(&shop, &[expired(&order_1())]).await;
            } else {
                assert_eq!(close(&shop).await, outcome);
            }
        }
        assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (10, 5));
        assert_eq!(uses(&shop).await, Vec::<i64>::new());
        assert!(is_tidy(&shop).await);
        let shopper = shopper(&shop).await;
        assert_eq!((shopper.order_count, shopper.cart.len()), (0, 2), "nothing was bought");
    }
}

#[tokio::test]
async fn whoever_asked_for_the_cancellation_is_in_the_history_once_the_ledger_has_ended_the_order() {
    let shop = shop_with_an_order().await;
    request_cancel(&shop, 1).await;
    assert_eq!(close(&shop).await, Outcome::Applied);
    settle(&shop, &[expired(&order_1())]).await;
    let order = order(&shop, 1).await;
    assert_eq!(order.state, OrderState::Cancelled { by: Actor::Shopper, sale: None });
    let [entry] = order.history.as_slice() else { panic!("{:?}", order.history) };
    assert_eq!((entry.what, entry.by), (HistoryItem::Action(OrderAction::Cancelled), Actor::Shopper));
    assert_eq!(entry.event_id, Some(expired(&order).id));
}

#[tokio::test]
async fn a_paid_order_does_not_expire() {
    let shop = shop_with_an_order().await;
    pay(&shop, false).await;
    assert_eq!(close(&shop).await, Outcome::Refused(Stage::Paid));
    let settled = settle(&shop, &[expired(&order_1())]).await;
    assert_eq!(settled[0].announcement, Announcement::Nothing);
    assert_eq!(left(&shop, TEA).await, 6);
    assert_eq!(uses(&shop).await, [1]);
}

#[tokio::test]
async fn an_expiry_that_was_interrupted_costs_nothing_when_late_money_comes() {
    let shop = shop_with_an_order().await;
    let expire = |order: &mut ShopOrder| order.apply(OrderAction::Expired, Actor::Clock, NOON);
    records::change(&shop, 1, expire).await.unwrap();
    let goods = Goods::of(order_id(1), &order_1().products());
    stock::settle(&shop, &goods, |_| Settlement::Release).await.unwrap();
    assert_eq!((order(&shop, 1).await.stock, left(&shop, TEA).await), (Stock::Held, 10));
    let order = pay(&shop, true).await;
    assert_eq!((order.stock, order.missing().len()), (Stock::Committed, 0));
    assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (6, 4));
    assert!(is_tidy(&shop).await);
}

#[tokio::test]
async fn late_money_takes_what_is_there_and_says_what_is_missing() {
    let shop = shop_with_an_order().await;
    close(&shop).await;
    hold(&shop, order_id(2), &[pieces(TEA, 7)]).await;
    for _ in 0..2 {
        let order = pay(&shop, true).await;
        assert!(order.payment().unwrap().late);
        assert_eq!(order.missing(), [pieces(TEA, 4)]);
        assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (3, 4));
        assert_eq!(uses(&shop).await, [1]);
    }
    assert_eq!(cancel(&shop).await, Outcome::Applied);
    assert_eq!(
        (left(&shop, TEA).await, left(&shop, SMALL).await),
        (3, 5),
        "what was missing does not come back"
    );
}

#[tokio::test]
async fn money_that_the_ledger_calls_late_commits_what_the_order_still_holds() {
    let shop = shop_with_an_order().await;
    let order = pay(&shop, true).await;
    assert_eq!((order.stock, order.missing().len()), (Stock::Committed, 0));
    assert!(order.payment().unwrap().late);
    assert_eq!((left(&shop, TEA).await, uses(&shop).await), (6, vec![1]));
    assert!(is_tidy(&shop).await);
}

#[tokio::test]
async fn a_paid_order_that_staff_cancel_is_restocked_once() {
    let shop = shop_with_an_order().await;
    let refused = Outcome::Refused(Stage::AwaitingPayment);
    assert_eq!(cancel(&shop).await, refused, "an unpaid one is closed otherwise");
    assert_eq!(left(&shop, TEA).await, 6);
    pay(&shop, false).await;
    assert_eq!(cancel(&shop).await, Outcome::Applied);
    for _ in 0..2 {
        assert_eq!(cancel(&shop).await, Outcome::AlreadyApplied);
        pay(&shop, false).await;
        let order = order(&shop, 1).await;
        assert_eq!((order.stage(), order.stock), (Stage::Cancelled, Stock::Released));
        assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (10, 5));
    }
    assert!(is_tidy(&shop).await);
    assert_eq!(shopper(&shop).await.order_count, 1, "it was paid");
}

#[tokio::test]
async fn a_refund_after_delivery_restocks_nothing() {
    let shop = shop_with_an_order().await;
    pay(&shop, false).await;
    let deliver = |order: &mut ShopOrder| {
        let actions =
            [OrderAction::Accepted, OrderAction::SentOff, OrderAction::Delivered, OrderAction::Refunded];
        actions.map(|action| order.apply(action, Actor::Staff(user_id(1)), minutes(4)))
    };
    let outcomes = records::change(&shop, 1, deliver).await.unwrap().unwrap().1;
    assert!(outcomes.iter().all(Outcome::is_applied), "{outcomes:?}");
    pay(&shop, false).await;
    let order = order(&shop, 1).await;
    assert_eq!((order.stage(), order.stock), (Stage::Refunded, Stock::Committed));
    assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (6, 4));
}

#[tokio::test]
async fn an_interrupted_cancellation_is_finished_by_whoever_comes_next() {
    for by_staff in [true, false] {
        let shop = shop_with_an_order().await;
        pay(&shop, false).await;
        let cancelled = |order: &mut ShopOrder| {
            order.apply(OrderAction::Cancelled, Actor::Staff(user_id(1)), NOON);
        };
        records::change(&shop, 1, cancelled).await.unwrap();
        assert_eq!(order(&shop, 1).await.stock, Stock::Restocking);
        if by_staff {
            assert_eq!(cancel(&shop).await, Outcome::AlreadyApplied);
        } else {
            pay(&shop, false).await;
        }
        assert_eq!(order(&shop, 1).await.stock, Stock::Released);
        assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (10, 5));
        assert!(is_tidy(&shop).await);
    }
}

#[tokio::test]
async fn an_order_that_staff_cancel_before_its_goods_were_committed_releases_them() {
    for committed in [false, true] {
        let shop = shop_with_an_order().await;
        let pay = |order: &mut ShopOrder| order.pay(payment(), completed(&order_1(), false).id);
        records::change(&shop, 1, pay).await.unwrap();
        if committed {
            // The projector died before it could write so into the order.
            let goods = Goods::of(order_id(1), &[pieces(TEA, 4)]);
            stock::settle(&shop, &goods, |_| Settlement::Commit).await.unwrap();
        }
        assert_eq!(cancel(&shop).await, Outcome::Applied);
        assert_eq!(order(&shop, 1).await.stock, Stock::Released);
        assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (10, 5));
        assert!(is_tidy(&shop).await);
    }
}

#[tokio::test]
async fn an_expiry_is_news_where_the_time_limit_ended_an_order_and_where_the_shop_does_not_know_it() {
    let shop = shop_with_an_order().await;
    placed(&shop, 2, &[pieces(TEA, 1)]).await;
    request_cancel(&shop, 2).await;
    let events = [1, 2, 3].map(|number| expired(&waiting(number, &[])));
    let news = Announcement::Event { stock_settled: true };
    for _ in 0..2 {
        let settled = settle(&shop, &events).await;
        assert_eq!(
            settled.iter().map(|settled| settled.announcement).collect::<Vec<_>>(),
            [news, Announcement::Nothing, news]
        );
    }
}

#[tokio::test]
async fn an_order_whose_creation_was_interrupted_is_abandoned_after_its_time_and_not_before() {
    let shop = shop_with_an_order().await;
    let creating = |order: &mut ShopOrder| order.state = OrderState::Creating { cancel_requested_by: None };
    records::change(&shop, 1, creating).await.unwrap();
    assert_eq!(abandon_old(&shop, NOON, minutes(15)).await.unwrap(), 0);
    assert_eq!(abandon_old(&shop, minutes(1), minutes(16)).await.unwrap(), 1);
    assert_eq!(abandon_old(&shop, minutes(1), minutes(16)).await.unwrap(), 0);
    assert_eq!(order(&shop, 1).await.stage(), Stage::Cancelled);
    assert_eq!((left(&shop, TEA).await, uses(&shop).await.len()), (10, 0), "{CODE}");
}

#[tokio::test]
async fn an_order_in_creation_that_is_dated_ahead_is_abandoned_when_its_time_has_passed() {
    let shop = shop_with_an_order().await;
    let creating = |order: &mut ShopOrder| order.state = OrderState::Creating { cancel_requested_by: None };
    records::change(&shop, 1, creating).await.unwrap();
    // The clock was a year ahead when it was placed, and was set right.
    let now = NOON - time::Duration::days(365);
    let (before, mut met) = (Some(now - settling::CREATING_LIMIT), MetInCreation::default());
    for (passed_mins, expected) in [(100, 0), (115, 0), (116, 1), (132, 0)] {
        let passed = Duration::from_mins(passed_mins);
        let abandoned = settling::abandon_old(&shop, &mut met, before, passed, now).await.unwrap();
        assert_eq!(abandoned, expected, "{passed_mins}");
    }
    assert_eq!(order(&shop, 1).await.stage(), Stage::Cancelled);
    assert_eq!(left(&shop, TEA).await, 10);
}

#[tokio::test]
async fn an_order_in_creation_that_the_ledger_has_ended_is_cancelled_and_nobody_is_told() {
    let shop = shop_with_an_order().await;
    let creating = |order: &mut ShopOrder| order.state = OrderState::Creating { cancel_requested_by: None };
    records::change(&shop, 1, creating).await.unwrap();
    let settled = settle(&shop, &[expired(&order_1())]).await;
    assert_eq!(settled[0].announcement, Announcement::Nothing);
    let order = order(&shop, 1).await;
    assert_eq!((order.stage(), order.stock), (Stage::Cancelled, Stock::Released));
    assert_eq!((left(&shop, TEA).await, uses(&shop).await.len()), (10, 0));
}

#[tokio::test]
async fn money_for_an_order_that_was_being_given_up_is_honoured() {
    let shop = shop_with_an_order().await;
    let given_up = |order: &mut ShopOrder| {
        order.state = OrderState::Creating { cancel_requested_by: Some(Actor::Clock) };
    };
    records::change(&shop, 1, given_up).await.unwrap();
    let goods = Goods::of(order_id(1), &[pieces(TEA, 4)]);
    stock::settle(&shop, &goods, |_| Settlement::Release).await.unwrap();
    let order = pay(&shop, false).await;
    assert_eq!((order.stage(), order.stock, order.missing()), (Stage::Paid, Stock::Committed, &[][..]));
    assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await, uses(&shop).await), (6, 4, vec![1]));
    assert!(is_tidy(&shop).await);
}

#[tokio::test]
async fn whichever_event_settles_an_order_whose_payment_was_interrupted_its_purchase_is_recorded() {
    let shop = shop_with_an_order().await;
    let pay = |order: &mut ShopOrder| order.pay(payment(), completed(&order_1(), false).id);
    records::change(&shop, 1, pay).await.unwrap();
    settle(&shop, &[expired(&order_1())]).await;
    assert_eq!(order(&shop, 1).await.stock, Stock::Committed);
    settle(&shop, &[completed(&order_1(), false)]).await;
    let shopper = shopper(&shop).await;
    assert_eq!((shopper.order_count, shopper.cart), (1, Vec::new()));
}
