//! From a cart to an order that can be paid, also when it breaks off on the way.

use tolov_domain::{Phone, Tiyin, order::OrderStatus, ports::shop::Orders};
use tolov_shop::{
    cart::{self, Quote},
    catalogue::Product,
    checkout::{self, Agreement, Placed},
    fulfilment::{By, Deed, Delivery, Fulfilment, Moved, Stage, StockState, fulfilment},
    profile,
    promo::{PromoCode, PromoRefusal, Use},
    records, settling,
    stock::{self, Short},
};

use crate::{
    embedded::Shop,
    shelf::{
        CODE, LARGE, NOON, SMALL, TEA, article_id, is_tidy, left, minutes, order, order_id, pieces, soum,
        user_id, uses,
    },
};

async fn agreed(shop: &Shop, user: i64, articles: &[(i64, u32)]) -> Agreement {
    let user_id = user_id(user);
    for (article, count) in articles {
        cart::set(&shop.store, user_id, pieces(*article, *count), NOON).await.unwrap();
    }
    let enter = |profile: &mut profile::Profile| profile.promo_code = Some(CODE.to_owned());
    profile::change(&shop.store, user_id, NOON, enter).await.unwrap();
    Agreement {
        user_id,
        quote: cart::quote(&shop.store, user_id, NOON).await.unwrap(),
        delivery: Delivery::Address { text: "Navoiy 1".to_owned(), landmark: None },
        delivery_price: soum(10_000),
        phone: Phone::parse("+998901234567").unwrap(),
        comment: None,
    }
}

async fn place(shop: &Shop, number: i64, agreed: &Agreement) -> Placed {
    checkout::place(&shop.store, order_id(number), agreed, NOON).await.unwrap()
}

fn placed(placed: Placed) -> Fulfilment {
    let order = match placed {
        Placed::Order(order) => Some(*order),
        Placed::Short(_) | Placed::Promo(_) | Placed::GivenUp => None,
    };
    order.unwrap()
}

#[tokio::test]
async fn a_cart_becomes_an_order_with_the_prices_of_that_moment() {
    let shop = Shop::open().await;
    let agreed = agreed(&shop, 1, &[(TEA, 2), (LARGE, 1)]).await;
    let order = placed(place(&shop, 1, &agreed).await);
    assert_eq!((order.goods, order.discount, order.total), (soum(120_000), soum(12_000), soum(118_000)));
    assert_eq!((order.stage, order.stock), (Stage::Placing, StockState::Held));
    assert_eq!((left(&shop.store, TEA).await, uses(&shop.store).await), (8, vec![1]));
    let shown = shop.store.order(order_id(1)).await.unwrap().unwrap();
    assert_eq!(
        (shown.status, shown.total, shown.lines),
        (OrderStatus::Pending, order.total, order.lines.clone())
    );

    let link = "https://my.click.uz/services/pay?service_id=1";
    for moved in [Moved::Now, Moved::Before] {
        let registered = checkout::registered(&shop.store, order_id(1), link, Some(minutes(60)), NOON)
            .await
            .unwrap()
            .unwrap();
        assert_eq!((registered.0.stage, registered.1), (Stage::Waiting, moved));
        assert_eq!(registered.0.payment_url.as_deref(), Some(link));
        assert_eq!(registered.0.pay_until_at, Some(minutes(60)));
    }
}

#[tokio::test]
async fn the_same_number_again_is_the_same_order_whatever_prices_have_become() {
    let shop = Shop::open().await;
    let agreed = agreed(&shop, 1, &[(TEA, 2)]).await;
    let first = placed(place(&shop, 1, &agreed).await);
    let double = |product: &mut Product| product.price = soum(30_000);
    records::change(&shop.store, TEA, double).await.unwrap();
    let other =
        Agreement { quote: cart::quote(&shop.store, user_id(1), NOON).await.unwrap(), ..agreed.clone() };
    assert_ne!(other.total(), first.total);
    for agreed in [&agreed, &other] {
        assert_eq!(placed(place(&shop, 1, agreed).await), first);
    }
    assert_eq!((left(&shop.store, TEA).await, uses(&shop.store).await), (8, vec![1]));
}

#[tokio::test]
async fn of_an_order_that_somebody_was_faster_with_nothing_is_left() {
    let shop = Shop::open().await;
    let agreed = agreed(&shop, 1, &[(TEA, 2), (SMALL, 4)]).await;
    stock::hold(&shop.store, order_id(99), &[pieces(SMALL, 3)]).await.unwrap();
    let short = vec![Short { article_id: article_id(SMALL), left: 2 }];
    assert_eq!(place(&shop, 1, &agreed).await, Placed::Short(short));
    assert_eq!((left(&shop.store, TEA).await, left(&shop.store, SMALL).await), (10, 2));
    assert_eq!(uses(&shop.store).await, Vec::<i64>::new());
    assert_eq!(fulfilment(&shop.store, order_id(1)).await.unwrap(), None);
    assert_eq!(shop.store.order(order_id(1)).await.unwrap(), None);
}

#[tokio::test]
async fn of_an_order_whose_promo_code_was_used_up_meanwhile_nothing_is_left() {
    let shop = Shop::open().await;
    let agreed = agreed(&shop, 1, &[(TEA, 2)]).await;
    let use_up = |code: &mut PromoCode| {
        code.uses_max = 1;
        code.keep(Use { order_id: order_id(99), user_id: user_id(2) });
    };
    records::change(&shop.store, CODE, use_up).await.unwrap();
    assert_eq!(place(&shop, 1, &agreed).await, Placed::Promo(PromoRefusal::UsedUp));
    assert!(is_tidy(&shop.store).await);
    assert_eq!(left(&shop.store, TEA).await, 10);
    assert_eq!(fulfilment(&shop.store, order_id(1)).await.unwrap(), None);
}

#[tokio::test]
async fn a_checkout_that_broke_off_is_taken_up_by_the_next_try() {
    for held in [false, true] {
        let shop = Shop::open().await;
        let agreed = agreed(&shop, 1, &[(TEA, 2), (SMALL, 1)]).await;
        let whole = placed(place(&shop, 1, &agreed).await);
        // As it was when the process died: put down, and perhaps part of it held.
        stock::give_back(&shop.store, order_id(1), &whole.articles()).await.unwrap();
        records::change(&shop.store, CODE, |code: &mut PromoCode| code.release(order_id(1))).await.unwrap();
        if held {
            stock::hold(&shop.store, order_id(1), &[pieces(TEA, 2)]).await.unwrap();
        }
        assert_eq!(placed(place(&shop, 1, &agreed).await), whole);
        assert_eq!((left(&shop.store, TEA).await, left(&shop.store, SMALL).await), (8, 4));
        assert_eq!(uses(&shop.store).await, [1]);
    }
}

#[tokio::test]
async fn an_order_that_was_cleared_away_is_not_taken_up_again() {
    let shop = Shop::open().await;
    let agreed = agreed(&shop, 1, &[(TEA, 2)]).await;
    placed(place(&shop, 1, &agreed).await);
    assert_eq!(settling::abandon_old(&shop.store, minutes(16)).await.unwrap(), 1);
    assert_eq!(place(&shop, 1, &agreed).await, Placed::GivenUp);
    assert_eq!(left(&shop.store, TEA).await, 10);
    assert_eq!(order(&shop.store, 1).await.timeline.last().unwrap().deed, Deed::Cancelled);
}

#[tokio::test]
async fn an_order_that_is_being_given_up_is_neither_placed_again_nor_registered() {
    let shop = Shop::open().await;
    let agreed = agreed(&shop, 1, &[(TEA, 2)]).await;
    placed(place(&shop, 1, &agreed).await);
    // The process that gives it up dies after it has said so, before anything is released.
    records::change(&shop.store, 1, |order: &mut Fulfilment| order.cancel_asked_by = Some(By::Clock))
        .await
        .unwrap();
    assert_eq!(place(&shop, 1, &agreed).await, Placed::GivenUp);
    let refused =
        checkout::registered(&shop.store, order_id(1), "https://x", None, NOON).await.unwrap().unwrap();
    assert_eq!((refused.1, refused.0.payment_url), (Moved::Refused(Stage::Placing), None));
    // Whoever clears away finds it, and nothing of it is held.
    assert_eq!(settling::abandon_old(&shop.store, minutes(16)).await.unwrap(), 1);
    assert_eq!(order(&shop.store, 1).await.stage, Stage::Cancelled);
    assert_eq!((left(&shop.store, TEA).await, uses(&shop.store).await.len()), (10, 0));
}

#[tokio::test]
async fn of_two_shoppers_who_want_the_last_pieces_at_once_one_gets_them() {
    let shop = Shop::open().await;
    let (one, other) = (agreed(&shop, 1, &[(SMALL, 3)]).await, agreed(&shop, 2, &[(SMALL, 3)]).await);
    let outcomes = tokio::join!(place(&shop, 1, &one), place(&shop, 2, &other));
    let won = [&outcomes.0, &outcomes.1].into_iter().filter(|outcome| matches!(outcome, Placed::Order(_)));
    assert_eq!(won.count(), 1, "{outcomes:?}");
    assert_eq!((left(&shop.store, SMALL).await, uses(&shop.store).await.len()), (2, 1));
}

#[test]
fn what_is_agreed_costs_goods_less_discount_plus_delivery() {
    let agreement = Agreement {
        user_id: user_id(1),
        quote: Quote { goods: soum(20_000), ..Quote::default() },
        delivery: Delivery::Pickup,
        delivery_price: Tiyin::ZERO,
        phone: Phone::parse("+998901234567").unwrap(),
        comment: None,
    };
    assert_eq!(agreement.total(), soum(20_000));
    assert_eq!(Agreement { delivery_price: soum(5_000), ..agreement }.total(), soum(25_000));
}
