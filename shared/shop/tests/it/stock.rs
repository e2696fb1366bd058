//! Stock: nothing appears and nothing vanishes, whoever does what how often.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tolov_contract::memory::MemoryDocuments;
use tolov_domain::{OrderedProduct, ProductId};
use tolov_shop::{
    catalogue::{
        Product, product,
        stock::{self, Goods, HoldState, Marks, Settlement, Short, Sold},
    },
    records,
};

use crate::{
    interleaved::Interleaved,
    shop::{
        LARGE, SMALL, TEA, article_id, hold, is_tidy, left, open_shop, order_id, pieces, set_aside, shirt,
        tea,
    },
};

const PRUNE: Settlement = Settlement::Prune { is_released: false };

async fn opened() -> MemoryDocuments {
    let documents = MemoryDocuments::default();
    open_shop(&documents).await;
    documents
}

async fn settle(shop: &MemoryDocuments, number: i64, articles: &[OrderedProduct], how: Settlement) {
    stock::settle(shop, &Goods::of(order_id(number), articles), |_| how).await.unwrap();
}

async fn commit_marked(
    shop: &MemoryDocuments,
    number: i64,
    articles: &[OrderedProduct],
    marks: Marks,
) -> Vec<ProductId> {
    let (id, goods) = (order_id(number), Goods::of(order_id(number), articles));
    let mut step = stock::commit_marked(shop, &goods, &BTreeMap::from([(id, marks)])).await.unwrap();
    step.of(id).into_iter().flatten().collect()
}

async fn mark_sold(shop: &MemoryDocuments, number: i64, articles: &[OrderedProduct], sold: Sold) -> Marks {
    let (id, goods) = (order_id(number), Goods::of(order_id(number), articles));
    let mut all = Marks::default();
    for marks in stock::mark_sold(shop, &goods, sold).await.unwrap().of(id) {
        all.extend(marks);
    }
    all
}

/// Whether all that is marked is restocked.
async fn restock(shop: &MemoryDocuments, number: i64, articles: &[OrderedProduct], marks: &Marks) -> bool {
    let (id, goods) = (order_id(number), Goods::of(order_id(number), articles));
    let mut step = stock::restock(shop, &goods, &BTreeMap::from([(id, marks.clone())])).await.unwrap();
    step.of(id).into_iter().sum::<usize>() == marks.count()
}

/// All that the order has set aside is sold.
async fn take(shop: &MemoryDocuments, number: i64, articles: &[OrderedProduct]) -> Vec<ProductId> {
    let marks = mark_sold(shop, number, articles, Sold::Known).await;
    commit_marked(shop, number, articles, marks).await
}

#[tokio::test]
async fn a_mark_of_an_earlier_hold_commits_and_restocks_nothing() {
    let shop = opened().await;
    let order = [pieces(TEA, 4)];
    let old = hold(&shop, order_id(1), &order).await.marks;
    settle(&shop, 1, &order, Settlement::Release).await;
    let new = hold(&shop, order_id(1), &order).await.marks;
    assert_eq!(commit_marked(&shop, 1, &order, old.clone()).await, []);
    assert!(!restock(&shop, 1, &order, &old).await);
    assert_eq!((left(&shop, TEA).await, set_aside(&shop, TEA, HoldState::Held).await), (6, 4));
    assert_eq!(commit_marked(&shop, 1, &order, new).await, [article_id(TEA)]);
}

#[tokio::test]
async fn held_goods_are_not_sold_to_others_and_held_once() {
    let shop = opened().await;
    let order = [pieces(TEA, 4), pieces(SMALL, 5), pieces(LARGE, 900)];
    for _ in 0..3 {
        assert_eq!(hold(&shop, order_id(1), &order).await.short, []);
        assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (6, 0));
    }
    let short = hold(&shop, order_id(2), &[pieces(SMALL, 1), pieces(TEA, 6)]).await.short;
    assert_eq!(short, [Short { article_id: article_id(SMALL), left: 0 }]);
    assert_eq!(left(&shop, TEA).await, 0, "the rest stays held");
}

#[tokio::test]
async fn an_article_that_is_short_is_not_held_in_part() {
    let shop = opened().await;
    let short = hold(&shop, order_id(1), &[pieces(TEA, 11)]).await.short;
    assert_eq!(short, [Short { article_id: article_id(TEA), left: 10 }]);
    assert_eq!(left(&shop, TEA).await, 10);
    let short = hold(&shop, order_id(1), &[pieces(99, 1)]).await.short;
    assert_eq!(short, [Short { article_id: article_id(99), left: 0 }], "an article that is gone");
}

#[tokio::test]
async fn held_goods_are_released_or_committed_once() {
    let shop = opened().await;
    let order = [pieces(TEA, 4), pieces(SMALL, 2), pieces(LARGE, 3)];
    for number in [1, 2] {
        assert_eq!(hold(&shop, order_id(number), &order).await.short, []);
    }
    for _ in 0..3 {
        settle(&shop, 1, &order, Settlement::Release).await;
        let mut taken = take(&shop, 2, &order).await;
        taken.sort_unstable();
        assert_eq!(taken, [TEA, SMALL, LARGE].map(article_id));
        assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (6, 3));
        settle(&shop, 2, &order, Settlement::Release).await;
    }
    assert_eq!(take(&shop, 3, &order).await, [], "an order that holds nothing buys nothing");
    settle(&shop, 2, &order, PRUNE).await;
    assert!(is_tidy(&shop).await);
}

#[tokio::test]
async fn what_a_cancelled_order_had_bought_is_restocked_once() {
    let shop = opened().await;
    let order = [pieces(TEA, 4), pieces(SMALL, 2)];
    hold(&shop, order_id(1), &order).await;
    take(&shop, 1, &order).await;
    settle(&shop, 1, &order, PRUNE).await;
    for _ in 0..3 {
        let marks = mark_sold(&shop, 1, &order, Sold::All).await;
        assert!(restock(&shop, 1, &order, &marks).await);
        settle(&shop, 1, &order, PRUNE).await;
        assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (10, 5));
    }
    settle(&shop, 1, &order, Settlement::Prune { is_released: true }).await;
    assert!(is_tidy(&shop).await);
}

#[tokio::test]
async fn a_variant_that_is_gone_takes_nothing_back_and_stops_nothing() {
    let shop = opened().await;
    let order = [pieces(SMALL, 2), pieces(TEA, 1)];
    hold(&shop, order_id(1), &order).await;
    let drop_small = |product: &mut Product| {
        product.variants.remove(0);
        *product = product.clone().seal();
    };
    records::change(&shop, 20, drop_small).await.unwrap().unwrap();
    settle(&shop, 1, &order, Settlement::Release).await;
    assert_eq!(left(&shop, TEA).await, 10);
    assert!(is_tidy(&shop).await);
    assert!(product(&shop, article_id(20)).await.unwrap().is_some());
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Hold,
    Take,
    Release,
    /// Only after the order's record says what became of its goods.
    Prune,
}

/// Order, step, article, count.
fn history() -> impl Strategy<Value = Vec<(i64, Step, i64, u32)>> {
    let step = prop_oneof![4 => Just(Step::Hold), 2 => Just(Step::Take), 2 => Just(Step::Release), 1 => Just(Step::Prune)];
    prop::collection::vec((1..5i64, step, prop_oneof![Just(TEA), Just(SMALL), Just(LARGE)], 1..6u32), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn stock_plus_what_is_set_aside_or_sold_is_constant(history in history()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let shop = opened().await;
            let mut gone = [(TEA, 0), (SMALL, 0)];
            for (number, step, article, count) in history {
                let (id, articles) = (order_id(number), [pieces(article, count)]);
                match step {
                    Step::Hold => drop(hold(&shop, id, &articles).await),
                    Step::Take => drop(take(&shop, number, &articles).await),
                    Step::Release => settle(&shop, number, &articles, Settlement::Release).await,
                    Step::Prune => {
                        let mut before = [0, 0];
                        for (before, (article, _)) in before.iter_mut().zip(gone) {
                            *before = set_aside(&shop, article, HoldState::Sold).await;
                        }
                        settle(&shop, number, &articles, PRUNE).await;
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
async fn concurrent_holds_of_the_last_pieces_succeed_as_often_as_there_is_stock() {
    for seed in 0..50 {
        let shop = opened().await;
        let interleaved = Interleaved::new(shop.clone(), seed, 0);
        let wanting = (1..=20).map(|number| {
            let interleaved = &interleaved;
            async move { hold(interleaved, order_id(number), &[pieces(TEA, 3)]).await.short }
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

#[tokio::test]
async fn one_step_settles_the_goods_of_many_orders_each_in_its_own_way() {
    let shop = opened().await;
    let mut goods = Goods::default();
    for number in 1..=4 {
        let articles = [pieces(TEA, 1), pieces(SMALL, 1)];
        hold(&shop, order_id(number), &articles).await;
        goods.add(order_id(number), &articles);
    }
    let how = |id| if id > order_id(2) { Settlement::Release } else { Settlement::Commit };
    for _ in 0..2 {
        stock::settle(&shop, &goods, how).await.unwrap();
        assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (8, 3));
        assert!(is_tidy(&shop).await);
    }
}

#[tokio::test]
async fn lines_of_the_same_article_are_held_together() {
    let shop = opened().await;
    hold(&shop, order_id(1), &[pieces(TEA, 3), pieces(TEA, 4)]).await;
    assert_eq!((left(&shop, TEA).await, set_aside(&shop, TEA, HoldState::Held).await), (3, 7));
}
