//! What an audit compares, and how it is mended.

use tolov_contract::memory::MemoryDocuments;
use tolov_domain::{
    Outcome, Tiyin,
    ports::{
        PortError,
        documents::{Documents, Key},
    },
};
use tolov_shop::{
    catalogue::{Product, stock::Short},
    order::{Actor, ORDERS, OrderAction, ShopOrder, Stock},
    records,
    settling::{self, Difference, Purchases},
    shopper::{self, Shopper},
};

use crate::shop::{
    TEA, completed, hold, is_tidy, left, minutes, open_shop, order, order_id, pieces, placed, settle,
    shopper, user_id, waiting,
};

fn order_1() -> ShopOrder {
    waiting(1, &[pieces(TEA, 4)])
}

async fn shop_with_a_sale() -> MemoryDocuments {
    let shop = MemoryDocuments::default();
    open_shop(&shop).await;
    placed(&shop, 1, &order_1().products()).await;
    settle(&shop, &[completed(&order_1(), false)]).await;
    shop
}

async fn change(shop: &MemoryDocuments, change: impl Fn(&mut ShopOrder)) -> ShopOrder {
    records::change(shop, 1, change).await.unwrap().unwrap().0
}

#[tokio::test]
async fn an_order_that_differs_from_its_payment_is_corrected_once() {
    let shop = shop_with_a_sale().await;
    let (paid, before) = (completed(&order_1(), false), order(&shop, 1).await);
    assert_eq!(settling::difference(&before, &paid), None);
    assert_eq!(settling::difference(&before, &completed(&order_1(), true)), None, "the shop knows better");
    assert_eq!(settling::difference(&order_1(), &paid), Some(Difference::NotPaid));
    let other = change(&shop, |order| order.user_id = user_id(9)).await;
    assert_eq!(settling::difference(&other, &paid), Some(Difference::User));
    let other = change(&shop, |order| {
        order.user_id = paid.user_id;
        order.total = Tiyin::ZERO;
    })
    .await;
    assert_eq!(settling::difference(&other, &paid), Some(Difference::Amount));
    for _ in 0..2 {
        settling::correct_order(&shop, &paid).await.unwrap();
        assert_eq!(order(&shop, 1).await, before);
    }
    assert_eq!((left(&shop, TEA).await, is_tidy(&shop).await), (6, true));
}

#[tokio::test]
async fn what_broke_off_is_settled_and_what_is_settled_is_left_alone() {
    let shop = MemoryDocuments::default();
    open_shop(&shop).await;
    placed(&shop, 1, &order_1().products()).await;
    assert!(!order(&shop, 1).await.is_unsettled(), "it waits for its payment");
    let closed = change(&shop, |order| {
        assert!(order.apply(OrderAction::Expired, Actor::Clock, minutes(1)).is_applied());
    })
    .await;
    assert!(closed.is_unsettled() && !settling::is_stray(Some(&closed)));
    for _ in 0..2 {
        assert!(settling::settle_again(&shop, &[order_id(1), order_id(77)]).await.unwrap().is_empty());
        assert_eq!((left(&shop, TEA).await, order(&shop, 1).await.stock), (10, Stock::Released));
    }
}

#[tokio::test]
async fn only_what_no_order_needs_is_released() {
    let shop = shop_with_a_sale().await;
    placed(&shop, 2, &[pieces(TEA, 1)]).await;
    for number in [1, 3] {
        hold(&shop, order_id(number), &[pieces(TEA, 1)]).await;
    }
    assert_eq!(left(&shop, TEA).await, 3);
    let release =
        async |number| settling::release_stray(&shop, order_id(number), &[pieces(TEA, 1)]).await.unwrap();
    assert_eq!((release(1).await, release(2).await, release(3).await), (true, false, true));
    assert_eq!(left(&shop, TEA).await, 5, "order 2 waits for its payment");
}

#[tokio::test]
async fn what_is_held_for_an_order_that_is_over_is_given_back_without_an_audit() {
    let shop = shop_with_a_sale().await;
    placed(&shop, 2, &[pieces(TEA, 1)]).await;
    for number in [1, 3] {
        hold(&shop, order_id(number), &[pieces(TEA, 1)]).await;
    }
    let (strays, last) = settling::release_strays(&shop, None).await.unwrap();
    assert_eq!(strays, [(order_id(1), pieces(TEA, 1))], "3 is unknown: that is for the audit");
    assert_eq!((left(&shop, TEA).await, last.is_some()), (4, true));
    assert_eq!(settling::release_strays(&shop, last).await.unwrap(), (Vec::new(), None));
}

#[tokio::test]
async fn an_order_that_somebody_is_settling_is_left_to_them() {
    let shop = MemoryDocuments::default();
    open_shop(&shop).await;
    for number in [1, 2] {
        placed(&shop, number, &[pieces(TEA, 1)]).await;
        let expire = |order: &mut ShopOrder| order.apply(OrderAction::Expired, Actor::Clock, minutes(1));
        records::change(&shop, number, expire).await.unwrap();
    }
    let other_settles = async {
        assert!(settling::settle_again(&shop, &[order_id(1)]).await.unwrap().is_empty());
    };
    let (settled, _) = settling::settle_left(&shop, 0, other_settles).await.unwrap();
    assert_eq!(settled.iter().map(|order| order.id).collect::<Vec<_>>(), [order_id(2)]);
    assert_eq!(left(&shop, TEA).await, 10);
}

#[tokio::test]
async fn paid_orders_are_counted_again_and_never_twice() {
    let shop = shop_with_a_sale().await;
    placed(&shop, 2, &[pieces(TEA, 1)]).await;
    let user = order_1().user_id;
    let shoppers = [shopper(&shop).await, Shopper::new(user_id(9))];
    let counts = settling::purchases(&shop, &shoppers).await.unwrap();
    let one = Purchases { count: 1, in_cart: Vec::new() };
    assert_eq!(counts, [(user, Some(one)), (user_id(9), Some(Purchases::default()))].into());
    assert_eq!(settling::correct_shopper(&shop, user).await, Ok(Outcome::AlreadyApplied));
    let forget = |shopper: &mut Shopper| (shopper.order_count, shopper.paid_orders) = (7, Vec::new());
    shopper::change(&shop, user, forget).await.unwrap();
    assert_eq!(settling::correct_shopper(&shop, user).await, Ok(Outcome::Applied));
    settle(&shop, &[completed(&order_1(), false)]).await;
    assert_eq!(shopper(&shop).await.order_count, 1);
    assert_eq!(settling::correct_shopper(&shop, user_id(9)).await, Ok(Outcome::AlreadyApplied));
}

#[tokio::test]
async fn whoever_has_an_order_that_cannot_be_read_is_neither_judged_nor_changed() {
    let shop = shop_with_a_sale().await;
    let user = order_1().user_id;
    // The cart has something of it again.
    shopper::change(&shop, user, |shopper| shopper.set_cart_line(pieces(TEA, 6))).await.unwrap();
    let before = shopper(&shop).await;
    let document = shop.get(ORDERS, &Key::Number(1)).await.unwrap().unwrap();
    let mut body = document.body;
    body.insert("schema".to_owned(), 99.into());
    shop.put(ORDERS, &document.key, Some(document.version), &body).await.unwrap();
    let shoppers = [before.clone(), Shopper::new(user_id(9))];
    let counts = settling::purchases(&shop, &shoppers).await.unwrap();
    assert_eq!(counts, [(user, None), (user_id(9), Some(Purchases::default()))].into());
    let refused = settling::correct_shopper(&shop, user).await;
    assert!(
        matches!(&refused, Err(PortError::Refused(why)) if why.contains("cannot be read")),
        "{refused:?}"
    );
    assert_eq!(shopper(&shop).await, before);
}

#[tokio::test]
async fn what_was_bought_and_never_taken_out_of_the_cart_is_once() {
    let shop = shop_with_a_sale().await;
    let user = order_1().user_id;
    let in_cart = async || {
        let purchases = settling::purchases(&shop, &[shopper(&shop).await]).await.unwrap();
        purchases[&user].clone().unwrap().in_cart
    };
    shopper::change(&shop, user, |shopper| shopper.set_cart_line(pieces(TEA, 6))).await.unwrap();
    assert_eq!(in_cart().await, [], "it was filled again after the purchase");
    assert_eq!(settling::correct_shopper(&shop, user).await, Ok(Outcome::AlreadyApplied));
    // As after a purchase whose shopper could not be read.
    let forget = |shopper: &mut Shopper| (shopper.order_count, shopper.paid_orders) = (0, Vec::new());
    shopper::change(&shop, user, forget).await.unwrap();
    assert_eq!(in_cart().await, [order_id(1)]);
    assert_eq!(settling::correct_shopper(&shop, user).await, Ok(Outcome::Applied));
    let mended = shopper(&shop).await;
    assert_eq!((&mended.cart[..], mended.order_count), (&[pieces(TEA, 2)][..], 1));
    assert_eq!(
        (in_cart().await, settling::correct_shopper(&shop, user).await),
        (vec![], Ok(Outcome::AlreadyApplied))
    );
    shopper::change(&shop, user, |shopper| shopper.cart.clear()).await.unwrap();
    shopper::change(&shop, user, forget).await.unwrap();
    assert_eq!(in_cart().await, [], "nothing of it is there");
}

#[tokio::test]
async fn what_is_not_held_for_a_waiting_order_is_held_again_as_far_as_it_is_there() {
    let shop = shop_with_a_sale().await;
    placed(&shop, 2, &[pieces(TEA, 2)]).await;
    let not_held = async || {
        let orders = [order(&shop, 1).await, order(&shop, 2).await];
        settling::not_held(&shop, &orders).await.unwrap()
    };
    let again = async || settling::hold_again(&shop, order_id(2)).await.unwrap();
    let drop_holds = async || {
        let change = |product: &mut Product| product.holds.clear();
        records::change(&shop, TEA, change).await.unwrap();
    };
    assert_eq!((not_held().await, again().await), (vec![], Outcome::AlreadyApplied));
    drop_holds().await;
    assert_eq!(not_held().await, [(order_id(2), pieces(TEA, 2))], "order 1 is paid");
    let before = left(&shop, TEA).await;
    assert_eq!((again().await, again().await), (Outcome::Applied, Outcome::AlreadyApplied));
    assert_eq!((left(&shop, TEA).await, not_held().await), (before - 2, vec![]));
    drop_holds().await;
    records::change(&shop, TEA, |product: &mut Product| product.stock = Some(1)).await.unwrap();
    let product_id = pieces(TEA, 2).product_id;
    assert_eq!(again().await, Outcome::Refused(vec![Short { article_id: product_id, left: 1 }]));
    records::remove::<Product>(&shop, TEA).await.unwrap();
    assert_eq!((not_held().await, again().await), (vec![], Outcome::AlreadyApplied), "nobody can hold it");
}
