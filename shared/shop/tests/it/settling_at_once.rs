//! The same event in several processes, with staff and expiry in between, on a store whose answers get lost.

use futures_util::future::join_all;
use tolov_contract::memory::MemoryDocuments;
use tolov_domain::ports::{PortError, documents::Documents};
use tolov_shop::{
    fulfilment::{By, Deed, Stage, StockState},
    settling,
};

use crate::{
    jumbled::Jumbled,
    shelf::{
        SMALL, TEA, is_tidy, left, minutes, open_shop, order, order_id, paydoc_id, pieces, placed, user_id,
        uses,
    },
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deeds {
    Pay,
    Expire,
    CancelPaid,
}

async fn try_once(shop: &dyn Documents, deed: Deeds) -> Result<(), PortError> {
    let id = order_id(1);
    match deed {
        Deeds::Pay => settling::paid(shop, id, paydoc_id(), true, minutes(1)).await.map(drop),
        Deeds::Expire => settling::closed(shop, id, Deed::Expired, By::Clock, minutes(2)).await.map(drop),
        Deeds::CancelPaid => {
            settling::cancel_paid(shop, id, By::Staff(user_id(1)), minutes(3)).await.map(drop)
        }
    }
}

/// As the projector and the bot do: what fails is done again.
async fn until_done(shop: &dyn Documents, deed: Deeds) {
    while let Err(error) = try_once(shop, deed).await {
        assert!(error.is_unavailable(), "{error}");
    }
}

/// Does all of it at once, twice each, and once more at the end, as a broker would deliver it again.
async fn played(seed: u64, failing: u64, deeds: &[Deeds]) -> MemoryDocuments {
    let shop = MemoryDocuments::default();
    open_shop(&shop).await;
    placed(&shop, 1, &[pieces(TEA, 4), pieces(SMALL, 1)]).await;
    let jumbled = Jumbled::new(shop.clone(), seed, failing);
    join_all(deeds.iter().chain(deeds).map(|deed| until_done(&jumbled, *deed))).await;
    for deed in deeds {
        until_done(&jumbled, *deed).await;
    }
    shop
}

#[tokio::test]
async fn a_payment_in_several_processes_takes_the_goods_once() {
    for seed in 0..50 {
        for failing in [0, 5] {
            let shop = played(seed, failing, &[Deeds::Pay, Deeds::Pay]).await;
            assert_eq!(order(&shop, 1).await.stock, StockState::Taken);
            assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (6, 4), "seed {seed}");
            assert!(is_tidy(&shop).await, "seed {seed}");
        }
    }
}

#[tokio::test]
async fn an_expiry_beside_late_payments_leaves_the_goods_with_who_has_paid() {
    for seed in 0..50 {
        for failing in [0, 5] {
            let shop = played(seed, failing, &[Deeds::Expire, Deeds::Pay]).await;
            let order = order(&shop, 1).await;
            assert_eq!(
                (order.stage, order.stock, order.missing),
                (Stage::Paid, StockState::Taken, Vec::new())
            );
            assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (6, 4), "seed {seed}");
            assert_eq!(uses(&shop).await, [1], "seed {seed}");
            assert!(is_tidy(&shop).await, "seed {seed}");
        }
    }
}

#[tokio::test]
async fn staff_who_cancel_beside_a_payment_and_an_expiry_find_everything_on_the_shelf() {
    for seed in 0..50 {
        for failing in [0, 5] {
            let shop = played(seed, failing, &[Deeds::Pay, Deeds::CancelPaid, Deeds::Expire]).await;
            let order = order(&shop, 1).await;
            assert_eq!((order.stage, order.stock), (Stage::Cancelled, StockState::Returned), "seed {seed}");
            assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (10, 5), "seed {seed}");
            assert!(is_tidy(&shop).await, "seed {seed}");
        }
    }
}

#[tokio::test]
async fn staff_who_cancel_at_once_bring_the_goods_back_once() {
    for seed in 0..50 {
        for failing in [0, 5] {
            let shop = played(seed, failing, &[Deeds::Pay]).await;
            let jumbled = Jumbled::new(shop.clone(), seed, failing);
            join_all((0..4).map(|_| until_done(&jumbled, Deeds::CancelPaid))).await;
            until_done(&jumbled, Deeds::Pay).await;
            assert_eq!(order(&shop, 1).await.stock, StockState::Returned, "seed {seed}");
            assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (10, 5), "seed {seed}");
            assert!(is_tidy(&shop).await, "seed {seed}");
        }
    }
}

#[tokio::test]
async fn late_money_that_breaks_off_anywhere_before_staff_cancel_leaves_everything_on_the_shelf() {
    for seed in 0..200 {
        let shop = MemoryDocuments::default();
        open_shop(&shop).await;
        placed(&shop, 1, &[pieces(TEA, 4), pieces(SMALL, 1)]).await;
        until_done(&shop, Deeds::Expire).await;
        // A try that perhaps comes no further than to take the goods.
        let broken = Jumbled::new(shop.clone(), seed, 30);
        let _ = try_once(&broken, Deeds::Pay).await;
        until_done(&shop, Deeds::CancelPaid).await;
        for deed in [Deeds::Pay, Deeds::CancelPaid, Deeds::Expire] {
            until_done(&shop, deed).await;
        }
        let order = order(&shop, 1).await;
        assert_eq!((order.stage, order.stock), (Stage::Cancelled, StockState::Returned), "seed {seed}");
        assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (10, 5), "seed {seed}");
        assert!(is_tidy(&shop).await, "seed {seed}");
    }
}
