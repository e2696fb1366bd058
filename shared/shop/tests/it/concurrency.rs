//! The same event in several processes, with staff and expiry in between, on a store whose answers get lost.

use futures_util::future::join_all;
use tolov_contract::memory::MemoryDocuments;
use tolov_domain::ports::{PortError, documents::Documents};
use tolov_shop::{
    order::{Actor, OrderAction, Stage, Stock},
    settling,
};

use crate::{
    interleaved::Interleaved,
    shop::{
        SMALL, TEA, completed, expired, is_tidy, left, minutes, open_shop, order, order_id, pieces, placed,
        shopper, user_id, uses, waiting,
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

async fn is_counted_once(shop: &MemoryDocuments) -> bool {
    let shopper = shopper(shop).await;
    shopper.order_count == 1 && shopper.cart.is_empty()
}

#[tokio::test]
async fn a_payment_in_several_processes_commits_the_goods_once() {
    for seed in 0..50 {
        for failing in [0, 5] {
            let shop = played(seed, failing, &[Action::Pay, Action::Pay]).await;
            assert_eq!(order(&shop, 1).await.stock, Stock::Committed);
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
                let order = order(&shop, 1).await;
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
            let order = order(&shop, 1).await;
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
            assert_eq!(order(&shop, 1).await.stock, Stock::Released, "seed {seed}");
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
            let order = order(&shop, 1).await;
            assert_eq!((order.stage(), order.stock), (Stage::Cancelled, Stock::Released), "seed {seed}");
            assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (10, 5), "seed {seed}");
            assert!(is_tidy(&shop).await && is_counted_once(&shop).await, "seed {seed}");
        }
    }
}
