//! Stock: nothing appears, nothing vanishes, whoever does what how often.

use proptest::prelude::*;
use tolov_contract::memory::MemoryDocuments;
use tolov_domain::{OrderedProduct, ProductId};
use tolov_shop::{
    catalogue::{Product, product},
    records,
    stock::{self, HoldState, Short},
};

use crate::{
    jumbled::Jumbled,
    shelf::{
        LARGE, SMALL, TEA, article_id, is_tidy, left, open_shop, order_id, pieces, set_aside, shirt, tea,
    },
};

async fn fresh() -> MemoryDocuments {
    let documents = MemoryDocuments::default();
    open_shop(&documents).await;
    documents
}

/// All that the order has set aside is sold.
async fn take(shop: &MemoryDocuments, number: i64, articles: &[OrderedProduct]) -> Vec<ProductId> {
    let marks = stock::marks(shop, order_id(number), articles).await.unwrap();
    stock::take(shop, order_id(number), articles, &marks).await.unwrap()
}

#[tokio::test]
async fn a_mark_of_an_earlier_time_sells_and_brings_back_nothing() {
    let shop = fresh().await;
    let order = [pieces(TEA, 4)];
    let old = stock::hold(&shop, order_id(1), &order).await.unwrap().marks;
    stock::give_back(&shop, order_id(1), &order).await.unwrap();
    let new = stock::hold(&shop, order_id(1), &order).await.unwrap().marks;
    assert_eq!(stock::take(&shop, order_id(1), &order, &old).await.unwrap(), []);
    assert!(!stock::bring_back(&shop, order_id(1), &order, &old).await.unwrap());
    assert_eq!((left(&shop, TEA).await, set_aside(&shop, TEA, HoldState::Held).await), (6, 4));
    assert_eq!(stock::take(&shop, order_id(1), &order, &new).await.unwrap(), [article_id(TEA)]);
}

#[tokio::test]
async fn what_is_held_cannot_be_sold_to_others_and_is_held_once() {
    let shop = fresh().await;
    let order = [pieces(TEA, 4), pieces(SMALL, 5), pieces(LARGE, 900)];
    for _ in 0..3 {
        assert_eq!(stock::hold(&shop, order_id(1), &order).await.unwrap().short, []);
        assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (6, 0));
    }
    let short = stock::hold(&shop, order_id(2), &[pieces(SMALL, 1), pieces(TEA, 6)]).await.unwrap().short;
    assert_eq!(short, [Short { article_id: article_id(SMALL), left: 0 }]);
    assert_eq!(left(&shop, TEA).await, 0, "the rest stays held");
}

#[tokio::test]
async fn what_is_not_enough_is_not_held_in_part() {
    let shop = fresh().await;
    let short = stock::hold(&shop, order_id(1), &[pieces(TEA, 11)]).await.unwrap().short;
    assert_eq!(short, [Short { article_id: article_id(TEA), left: 10 }]);
    assert_eq!(left(&shop, TEA).await, 10);
    let short = stock::hold(&shop, order_id(1), &[pieces(99, 1)]).await.unwrap().short;
    assert_eq!(short, [Short { article_id: article_id(99), left: 0 }], "an article that is gone");
}

#[tokio::test]
async fn what_was_held_is_given_back_or_taken_once() {
    let shop = fresh().await;
    let order = [pieces(TEA, 4), pieces(SMALL, 2), pieces(LARGE, 3)];
    for number in [1, 2] {
        assert_eq!(stock::hold(&shop, order_id(number), &order).await.unwrap().short, []);
    }
    for _ in 0..3 {
        stock::give_back(&shop, order_id(1), &order).await.unwrap();
        let mut taken = take(&shop, 2, &order).await;
        taken.sort_unstable();
        assert_eq!(taken, [TEA, SMALL, LARGE].map(article_id));
        assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (6, 3));
        stock::give_back(&shop, order_id(2), &order).await.unwrap();
    }
    assert_eq!(take(&shop, 3, &order).await, [], "who holds nothing buys nothing");
    stock::forget(&shop, order_id(2), &order, false).await.unwrap();
    assert!(is_tidy(&shop).await);
}

#[tokio::test]
async fn what_a_cancelled_order_had_bought_comes_back_once() {
    let shop = fresh().await;
    let order = [pieces(TEA, 4), pieces(SMALL, 2)];
    stock::hold(&shop, order_id(1), &order).await.unwrap();
    take(&shop, 1, &order).await;
    stock::forget(&shop, order_id(1), &order, false).await.unwrap();
    for _ in 0..3 {
        let marks = stock::remember_sold(&shop, order_id(1), &order).await.unwrap();
        assert!(stock::bring_back(&shop, order_id(1), &order, &marks).await.unwrap());
        stock::forget(&shop, order_id(1), &order, false).await.unwrap();
        assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (10, 5));
    }
    stock::forget(&shop, order_id(1), &order, true).await.unwrap();
    assert!(is_tidy(&shop).await);
}

#[tokio::test]
async fn a_variant_that_is_gone_takes_nothing_back_and_stops_nothing() {
    let shop = fresh().await;
    let order = [pieces(SMALL, 2), pieces(TEA, 1)];
    stock::hold(&shop, order_id(1), &order).await.unwrap();
    let drop_small = |product: &mut Product| {
        product.variants.remove(0);
    };
    records::change(&shop, 20, drop_small).await.unwrap().unwrap();
    stock::give_back(&shop, order_id(1), &order).await.unwrap();
    assert_eq!(left(&shop, TEA).await, 10);
    assert!(is_tidy(&shop).await);
    assert!(product(&shop, article_id(20)).await.unwrap().is_some());
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Hold,
    Take,
    GiveBack,
    /// Only after the order's record says what became of its goods.
    Forget,
}

/// Order, step, article, count.
fn history() -> impl Strategy<Value = Vec<(i64, Step, i64, u32)>> {
    let step = prop_oneof![4 => Just(Step::Hold), 2 => Just(Step::Take), 2 => Just(Step::GiveBack), 1 => Just(Step::Forget)];
    prop::collection::vec((1..5i64, step, prop_oneof![Just(TEA), Just(SMALL), Just(LARGE)], 1..6u32), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn stock_with_what_is_set_aside_and_what_is_gone_is_always_the_same(history in history()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let shop = fresh().await;
            let mut gone = [(TEA, 0), (SMALL, 0)];
            for (number, step, article, count) in history {
                let (id, articles) = (order_id(number), [pieces(article, count)]);
                match step {
                    Step::Hold => drop(stock::hold(&shop, id, &articles).await.unwrap()),
                    Step::Take => drop(take(&shop, number, &articles).await),
                    Step::GiveBack => stock::give_back(&shop, id, &articles).await.unwrap(),
                    Step::Forget => {
                        let mut before = [0, 0];
                        for (before, (article, _)) in before.iter_mut().zip(gone) {
                            *before = set_aside(&shop, article, HoldState::Sold).await;
                        }
                        stock::forget(&shop, id, &articles, false).await.unwrap();
                        for (before, (article, gone)) in before.into_iter().zip(&mut gone) {
                            *gone += before - set_aside(&shop, *article, HoldState::Sold).await;
                        }
                    }
                }
                for ((article, gone), all) in gone.into_iter().zip([10, 5]) {
                    let aside = set_aside(&shop, article, HoldState::Held).await
                        + set_aside(&shop, article, HoldState::Sold).await;
                    assert_eq!(left(&shop, article).await + aside + gone, all, "{article}");
                }
            }
        });
    }
}

#[tokio::test]
async fn of_many_who_want_the_last_pieces_at_once_as_many_get_them_as_there_are() {
    for seed in 0..50 {
        let shop = fresh().await;
        let jumbled = Jumbled::new(shop.clone(), seed, 0);
        let wanting = (1..=20).map(|number| {
            let jumbled = &jumbled;
            async move { stock::hold(jumbled, order_id(number), &[pieces(TEA, 3)]).await.unwrap().short }
        });
        let short = futures_util::future::join_all(wanting).await;
        assert_eq!(short.iter().filter(|short| short.is_empty()).count(), 3, "seed {seed}");
        assert_eq!(left(&shop, TEA).await, 1);
        assert_eq!(set_aside(&shop, TEA, HoldState::Held).await, 9);
    }
}

#[test]
fn a_product_is_found_by_its_own_number_and_by_those_of_its_variants() {
    assert_eq!(shirt(5).seal().article_ids, [20, SMALL, LARGE].map(article_id));
    assert_eq!(tea(None).seal().article_ids, [article_id(TEA)]);
}
