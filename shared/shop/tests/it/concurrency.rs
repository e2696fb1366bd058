//! The same event in several processes, with staff and expiry in between, on a store whose answers get lost.

use std::future::Future;

use futures_util::future::join_all;
use tolov_contract::memory::MemoryDocuments;
use tolov_domain::{
    Event,
    ports::{PortError, documents::Documents},
};
use tolov_shop::{
    catalogue::stock::HoldState,
    order::{self, Actor, OrderAction, ShopOrder, Stage, Stock},
    records, settling, shopper,
};

use crate::{
    interleaved::Interleaved,
    shop::{
        self, SMALL, TEA, code, completed, expired, is_tidy, left, minutes, open_shop, order_id, pieces,
        place, placed, set_aside, shirt, tea, user_id, uses, waiting,
    },
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Pay,
    /// By the ledger's event.
    Expire,
    /// By the bot, once the ledger has cancelled.
    Close,
    CancelPaid,
}

async fn try_once(shop: &dyn Documents, action: Action) -> Result<(), PortError> {
    let (id, articles) = (order_id(1), [pieces(TEA, 4), pieces(SMALL, 1)]);
    let order = waiting(1, &articles);
    match action {
        Action::Pay => settling::settle(shop, &[completed(&order, true)]).await.map(drop),
        Action::Expire => settling::settle(shop, &[expired(&order)]).await.map(drop),
        Action::Close => {
            settling::close(shop, id, OrderAction::Cancelled, Actor::Shopper, minutes(2)).await.map(drop)
        }
        Action::CancelPaid => {
            settling::cancel_paid(shop, id, Actor::Staff(user_id(1)), minutes(3)).await.map(drop)
        }
    }
}

/// As the projector and the bot do: what fails is done again.
async fn until_done(shop: &dyn Documents, action: Action) {
    while let Err(error) = try_once(shop, action).await {
        assert!(error.is_unavailable(), "{error}");
    }
}

/// Does all of it at once, twice each, and once more at the end, as a broker would deliver it again.
async fn played(seed: u64, failing: u64, actions: &[Action]) -> MemoryDocuments {
    let shop = MemoryDocuments::default();
    open_shop(&shop).await;
    placed(&shop, 1, &[pieces(TEA, 4), pieces(SMALL, 1)]).await;
    let interleaved = Interleaved::new(shop.clone(), seed, failing);
    join_all(actions.iter().chain(actions).map(|action| until_done(&interleaved, *action))).await;
    for action in actions {
        until_done(&interleaved, *action).await;
    }
    shop
}

async fn is_counted_once(documents: &MemoryDocuments) -> bool {
    let shopper = shop::shopper(documents).await;
    shopper.order_count == 1 && shopper.cart.is_empty()
}

#[tokio::test]
async fn a_payment_in_several_processes_commits_the_goods_once() {
    for seed in 0..50 {
        for failing in [0, 5] {
            let shop = played(seed, failing, &[Action::Pay, Action::Pay]).await;
            assert_eq!(shop::order(&shop, 1).await.stock, Stock::Committed);
            assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (6, 4), "seed {seed}");
            assert!(is_tidy(&shop).await && is_counted_once(&shop).await, "seed {seed}");
        }
    }
}

#[tokio::test]
async fn an_expiry_beside_late_payments_leaves_the_goods_with_the_payer() {
    for seed in 0..50 {
        for failing in [0, 5] {
            for end in [Action::Expire, Action::Close] {
                let shop = played(seed, failing, &[end, Action::Pay]).await;
                let order = shop::order(&shop, 1).await;
                assert_eq!(
                    (order.stage(), order.stock, order.missing()),
                    (Stage::Paid, Stock::Committed, &[][..])
                );
                assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (6, 4), "seed {seed}");
                assert_eq!(uses(&shop).await, [1], "seed {seed}");
                assert!(is_tidy(&shop).await && is_counted_once(&shop).await, "seed {seed}");
            }
        }
    }
}

#[tokio::test]
async fn a_cancellation_by_staff_beside_a_payment_and_an_expiry_restocks_everything() {
    for seed in 0..50 {
        for failing in [0, 5] {
            let shop = played(seed, failing, &[Action::Pay, Action::CancelPaid, Action::Expire]).await;
            let order = shop::order(&shop, 1).await;
            assert_eq!((order.stage(), order.stock), (Stage::Cancelled, Stock::Released), "seed {seed}");
            assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (10, 5), "seed {seed}");
            assert!(is_tidy(&shop).await && is_counted_once(&shop).await, "seed {seed}");
        }
    }
}

#[tokio::test]
async fn cancellations_by_staff_at_the_same_time_restock_once() {
    for seed in 0..50 {
        for failing in [0, 5] {
            let shop = played(seed, failing, &[Action::Pay]).await;
            let interleaved = Interleaved::new(shop.clone(), seed, failing);
            join_all((0..4).map(|_| until_done(&interleaved, Action::CancelPaid))).await;
            until_done(&interleaved, Action::Pay).await;
            assert_eq!(shop::order(&shop, 1).await.stock, Stock::Released, "seed {seed}");
            assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (10, 5), "seed {seed}");
            assert!(is_tidy(&shop).await, "seed {seed}");
        }
    }
}

#[tokio::test]
async fn money_that_is_interrupted_anywhere_before_staff_cancel_leaves_everything_in_stock() {
    for late in [true, false] {
        for seed in 0..200 {
            let shop = MemoryDocuments::default();
            open_shop(&shop).await;
            placed(&shop, 1, &[pieces(TEA, 4), pieces(SMALL, 1)]).await;
            if late {
                until_done(&shop, Action::Expire).await;
            }
            // A try that perhaps comes no further than to commit the goods.
            let broken = Interleaved::new(shop.clone(), seed, 30);
            let _ = try_once(&broken, Action::Pay).await;
            until_done(&shop, Action::CancelPaid).await;
            for action in [Action::Pay, Action::CancelPaid, Action::Expire] {
                until_done(&shop, action).await;
            }
            let order = shop::order(&shop, 1).await;
            assert_eq!((order.stage(), order.stock), (Stage::Cancelled, Stock::Released), "seed {seed}");
            assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (10, 5), "seed {seed}");
            assert!(is_tidy(&shop).await && is_counted_once(&shop).await, "seed {seed}");
        }
    }
}

/// Twelve orders of three shoppers want the same tea, two want a shirt too; three more orders are not known to the shop.
/// Events come in several batches to three projectors at once, while staff cancel some orders and the bot closes others.
#[tokio::test]
async fn batches_in_several_projectors_beside_staff_keep_every_piece_and_count_every_purchase() {
    for seed in 0..60 {
        for failing in [0, 3] {
            let shop = MemoryDocuments::default();
            records::insert(&shop, &tea(Some(100)).seal()).await.unwrap();
            records::insert(&shop, &shirt(5).seal()).await.unwrap();
            records::insert(&shop, &code()).await.unwrap();
            let orders: Vec<ShopOrder> = (1..=15).map(order_of_crowd).collect();
            for order in &orders[..12] {
                place(&shop, order).await;
            }
            let interleaved = Interleaved::new(shop.clone(), seed, failing);
            let store: &dyn Documents = &interleaved;
            let projectors = (0..3).map(|rotation| project(store, &orders, rotation));
            let staff = [3, 4, 13].map(|number| async move {
                let cancelled = || settling::cancel_paid(store, order_id(number), STAFF, minutes(3));
                retried(|| async { cancelled().await.map(drop) }).await;
            });
            let bot = [5, 6].map(|number| async move {
                let closed = || {
                    let action = OrderAction::Cancelled;
                    settling::close(store, order_id(number), action, Actor::Shopper, minutes(2))
                };
                retried(|| async { closed().await.map(drop) }).await;
            });
            tokio::join!(join_all(projectors), join_all(staff), join_all(bot));
            project(&shop, &orders, 0).await;
            for number in [3, 4, 13] {
                settling::cancel_paid(&shop, order_id(number), STAFF, minutes(3)).await.unwrap();
            }
            assert_crowd(&shop, seed).await;
        }
    }
}

const STAFF: Actor = Actor::Staff(match tolov_domain::UserId::try_new(1) {
    Ok(id) => id,
    Err(_) => panic!("1 is an id"),
});

fn order_of_crowd(number: i64) -> ShopOrder {
    let shirts = (number <= 2).then(|| pieces(SMALL, 1));
    let articles: Vec<_> = [pieces(TEA, 2)].into_iter().chain(shirts).collect();
    ShopOrder { user_id: user_id(5_000 + number % 3), ..waiting(number, &articles) }
}

/// 1 to 4 and 13 are paid, 5 and 7 expire and are paid late, 6, 8 and 14 expire, 9 to 12 wait, 15 is paid.
fn events_of_crowd(orders: &[ShopOrder]) -> Vec<Event> {
    let mut events = Vec::new();
    for (order, number) in orders.iter().zip(1..) {
        if [5, 6, 7, 8, 14].contains(&number) {
            events.push(expired(order));
        }
        if [1, 2, 3, 4, 5, 7, 13, 15].contains(&number) {
            events.push(completed(order, number == 5 || number == 7));
        }
    }
    events
}

async fn project(shop: &dyn Documents, orders: &[ShopOrder], rotation: usize) {
    let mut events = events_of_crowd(orders);
    events.rotate_left(rotation * 4);
    for batch in events.chunks(5) {
        retried(|| async { settling::settle(shop, batch).await.map(drop) }).await;
    }
}

async fn retried<F: Future<Output = Result<(), PortError>>>(mut call: impl FnMut() -> F) {
    while let Err(error) = call().await {
        assert!(error.is_unavailable(), "{error}");
    }
}

async fn assert_crowd(shop: &MemoryDocuments, seed: u64) {
    let mut ends = Vec::new();
    for number in 1..=15 {
        if let Some(order) = order::order(shop, order_id(number)).await.unwrap() {
            assert_eq!(order.missing(), [], "seed {seed}, order {number}");
            ends.push((number, order.stage(), order.stock));
        }
    }
    let expected: Vec<(i64, Stage, Stock)> = (1..=15)
        .map(|number| match number {
            3 | 4 | 13 => (number, Stage::Cancelled, Stock::Released),
            6 => (number, Stage::Cancelled, Stock::Released),
            8 => (number, Stage::Expired, Stock::Released),
            14 => (number, Stage::Expired, Stock::Unheld),
            9..=12 => (number, Stage::AwaitingPayment, Stock::Held),
            _ => (number, Stage::Paid, Stock::Committed),
        })
        .collect();
    // Whether the bot or the ledger's event ended order 6 first is open.
    ends.iter_mut().filter(|end| end.0 == 6).for_each(|end| end.1 = Stage::Cancelled);
    assert_eq!(ends, expected, "seed {seed}");
    // 1, 2, 5, 7 and 15 have their tea, 9 to 12 hold it.
    assert_eq!((left(shop, TEA).await, left(shop, SMALL).await), (100 - 18, 3), "seed {seed}");
    assert_eq!(set_aside(shop, TEA, HoldState::Held).await, 8, "seed {seed}");
    assert_eq!(set_aside(shop, TEA, HoldState::Sold).await, 0, "seed {seed}");
    assert_eq!(set_aside(shop, TEA, HoldState::Restocked).await, 0, "seed {seed}");
    let mut counts = 0;
    for number in 0..3 {
        counts += shopper::shopper(shop, user_id(5_000 + number)).await.unwrap().unwrap().order_count;
    }
    assert_eq!(counts, 8, "every payment counts once, seed {seed}");
    assert_eq!(uses(shop).await, [1, 2, 3, 4, 5, 7, 9, 10, 11, 12], "seed {seed}");
}
