//! From a cart to an order that can be paid, also when it is interrupted.

use tolov_contract::memory::MemoryDocuments;
use tolov_domain::{Outcome, Tiyin, ports::documents::Documents};
use tolov_shop::{
    catalogue::{
        Product,
        stock::{self, Goods, Settlement, Short},
    },
    order::{
        Actor, Delivery, OrderAction, PaymentLink, ShopOrder, Stage, Stock, next_order_id, order as stored,
    },
    promo::{PromoCode, PromoRefusal, Use},
    records,
    shopper::{
        self,
        cart::{self, Quote},
        checkout::{self, Agreement, Placed},
    },
};

use crate::shop::{
    CODE, LARGE, NOON, SMALL, TEA, abandon_old, article_id, completed, expired, hold, is_tidy, left, minutes,
    open_shop, order, order_id, phone, pieces, settle, soum, user_id, uses, waiting,
};

async fn opened() -> MemoryDocuments {
    let shop = MemoryDocuments::default();
    open_shop(&shop).await;
    shop
}

async fn agreed(shop: &dyn Documents, user: i64, articles: &[(i64, u32)]) -> Agreement {
    let user_id = user_id(user);
    for (article, count) in articles {
        cart::set(shop, user_id, pieces(*article, *count)).await.unwrap();
    }
    shopper::change(shop, user_id, |shopper| shopper.promo_code = Some(CODE.to_owned())).await.unwrap();
    Agreement {
        user_id,
        quote: cart::quote(shop, user_id, NOON).await.unwrap(),
        delivery: Delivery::Address { text: "Navoiy 1".to_owned(), landmark: None },
        delivery_price: soum(10_000),
        phone: phone(),
        comment: None,
    }
}

async fn release(shop: &dyn Documents, order: &ShopOrder) {
    let goods = Goods::of(order.id, &order.products());
    stock::settle(shop, &goods, |_| Settlement::Release).await.unwrap();
}

async fn place(shop: &MemoryDocuments, number: i64, agreed: &Agreement) -> Placed {
    checkout::place(shop, order_id(number), agreed, NOON).await.unwrap()
}

fn placed(placed: Placed) -> ShopOrder {
    let order = match placed {
        Placed::Order(order) => Some(*order),
        Placed::Short(_) | Placed::Promo(_) | Placed::GivenUp => None,
    };
    order.unwrap()
}

#[tokio::test]
async fn a_cart_becomes_an_order_with_the_prices_of_that_moment() {
    let shop = opened().await;
    let agreed = agreed(&shop, 1, &[(TEA, 2), (LARGE, 1)]).await;
    let order = placed(place(&shop, 1, &agreed).await);
    let terms = order.terms.as_ref().unwrap();
    assert_eq!((terms.goods, terms.discount, order.total), (soum(120_000), soum(12_000), soum(118_000)));
    assert_eq!((order.stage(), order.stock), (Stage::Creating, Stock::Held));
    assert_eq!((left(&shop, TEA).await, uses(&shop).await), (8, vec![1]));
    assert_eq!(stored(&shop, order_id(1)).await.unwrap(), Some(order));

    let url = "https://my.click.uz/services/pay?service_id=1".to_owned();
    let link = PaymentLink { url, pay_until: Some(minutes(60)) };
    for outcome in [Outcome::Applied, Outcome::AlreadyApplied] {
        let registered = checkout::registered(&shop, order_id(1), &link, NOON).await.unwrap().unwrap();
        assert_eq!((registered.0.stage(), registered.1), (Stage::AwaitingPayment, outcome));
        assert_eq!(registered.0.link(), Some(&link));
    }
}

#[tokio::test]
async fn the_same_number_again_is_the_same_order_whatever_prices_are_now() {
    let shop = opened().await;
    let agreed = agreed(&shop, 1, &[(TEA, 2)]).await;
    let first = placed(place(&shop, 1, &agreed).await);
    let double = |product: &mut Product| product.price = soum(30_000);
    records::change(&shop, TEA, double).await.unwrap();
    let other = Agreement { quote: cart::quote(&shop, user_id(1), NOON).await.unwrap(), ..agreed.clone() };
    assert_ne!(other.total(), first.total);
    for agreed in [&agreed, &other] {
        assert_eq!(placed(place(&shop, 1, agreed).await), first);
    }
    assert_eq!((left(&shop, TEA).await, uses(&shop).await), (8, vec![1]));
}

#[tokio::test]
async fn nothing_is_left_of_an_order_whose_goods_others_have_bought() {
    let shop = opened().await;
    let agreed = agreed(&shop, 1, &[(TEA, 2), (SMALL, 4)]).await;
    hold(&shop, order_id(99), &[pieces(SMALL, 3)]).await;
    let short = vec![Short { article_id: article_id(SMALL), left: 2 }];
    assert_eq!(place(&shop, 1, &agreed).await, Placed::Short(short));
    assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (10, 2));
    assert_eq!(uses(&shop).await, Vec::<i64>::new());
    assert_eq!(stored(&shop, order_id(1)).await.unwrap(), None);
}

#[tokio::test]
async fn nothing_is_left_of_an_order_whose_promo_code_was_used_up_meanwhile() {
    let shop = opened().await;
    let agreed = agreed(&shop, 1, &[(TEA, 2)]).await;
    let use_up = |code: &mut PromoCode| {
        code.uses_max = 1;
        code.keep(Use { order_id: order_id(99), user_id: user_id(2) });
    };
    records::change(&shop, CODE, use_up).await.unwrap();
    assert_eq!(place(&shop, 1, &agreed).await, Placed::Promo(PromoRefusal::UsedUp));
    assert!(is_tidy(&shop).await);
    assert_eq!(left(&shop, TEA).await, 10);
    assert_eq!(stored(&shop, order_id(1)).await.unwrap(), None);
}

#[tokio::test]
async fn an_interrupted_checkout_is_continued_by_the_next_try() {
    for held in [false, true] {
        let shop = opened().await;
        let agreed = agreed(&shop, 1, &[(TEA, 2), (SMALL, 1)]).await;
        let whole = placed(place(&shop, 1, &agreed).await);
        // As it was when the process died: stored, and perhaps part of it held.
        release(&shop, &whole).await;
        records::change(&shop, CODE, |code: &mut PromoCode| code.release(order_id(1))).await.unwrap();
        if held {
            hold(&shop, order_id(1), &[pieces(TEA, 2)]).await;
        }
        assert_eq!(placed(place(&shop, 1, &agreed).await), whole);
        assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (8, 4));
        assert_eq!(uses(&shop).await, [1]);
    }
}

#[tokio::test]
async fn an_abandoned_order_is_not_continued() {
    let shop = opened().await;
    let agreed = agreed(&shop, 1, &[(TEA, 2)]).await;
    placed(place(&shop, 1, &agreed).await);
    assert_eq!(abandon_old(&shop, minutes(1), minutes(16)).await.unwrap(), 1);
    assert_eq!(place(&shop, 1, &agreed).await, Placed::GivenUp);
    assert_eq!(left(&shop, TEA).await, 10);
    assert!(order(&shop, 1).await.last(OrderAction::Cancelled).is_some());
}

#[tokio::test]
async fn an_order_that_is_being_given_up_is_neither_placed_again_nor_registered() {
    let shop = opened().await;
    let agreed = agreed(&shop, 1, &[(TEA, 2)]).await;
    placed(place(&shop, 1, &agreed).await);
    // The process that gives it up dies after it has said so, before anything is released.
    records::change(&shop, 1, |order: &mut ShopOrder| order.request_cancel(Actor::Clock)).await.unwrap();
    assert_eq!(place(&shop, 1, &agreed).await, Placed::GivenUp);
    let link = PaymentLink { url: "https://x".to_owned(), pay_until: None };
    let refused = checkout::registered(&shop, order_id(1), &link, NOON).await.unwrap().unwrap();
    assert_eq!((refused.1, refused.0.link()), (Outcome::Refused(Stage::Creating), None));
    // The next clearance finds it, and nothing of it is held.
    assert_eq!(abandon_old(&shop, minutes(1), minutes(16)).await.unwrap(), 1);
    assert_eq!(order(&shop, 1).await.stage(), Stage::Cancelled);
    assert_eq!((left(&shop, TEA).await, uses(&shop).await.len()), (10, 0));
}

#[tokio::test]
async fn of_two_shoppers_who_want_the_last_pieces_at_once_one_gets_them() {
    let shop = opened().await;
    let (one, other) = (agreed(&shop, 1, &[(SMALL, 3)]).await, agreed(&shop, 2, &[(SMALL, 3)]).await);
    let outcomes = tokio::join!(place(&shop, 1, &one), place(&shop, 2, &other));
    let won = [&outcomes.0, &outcomes.1].into_iter().filter(|outcome| matches!(outcome, Placed::Order(_)));
    assert_eq!(won.count(), 1, "{outcomes:?}");
    assert_eq!((left(&shop, SMALL).await, uses(&shop).await.len()), (2, 1));
}

#[test]
fn the_total_is_goods_less_discount_plus_delivery() {
    let agreement = Agreement {
        user_id: user_id(1),
        quote: Quote { goods: soum(20_000), ..Quote::default() },
        delivery: Delivery::Pickup,
        delivery_price: Tiyin::ZERO,
        phone: phone(),
        comment: None,
    };
    assert_eq!(agreement.total(), soum(20_000));
    assert_eq!(Agreement { delivery_price: soum(5_000), ..agreement }.total(), soum(25_000));
}

#[tokio::test]
async fn a_number_that_is_another_shoppers_order_is_given_up_and_nothing_of_that_order_changes() {
    let shop = opened().await;
    let theirs = placed(place(&shop, 1, &agreed(&shop, 2, &[(TEA, 2)]).await).await);
    let agreed = agreed(&shop, 1, &[(SMALL, 1)]).await;
    assert_eq!(place(&shop, 1, &agreed).await, Placed::GivenUp);
    assert_eq!(order(&shop, 1).await, theirs);
    assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (8, 5));
}

#[tokio::test]
async fn an_order_made_from_an_event_is_left_as_it_is_when_its_number_is_placed() {
    let shop = opened().await;
    let agreed = agreed(&shop, 1, &[(TEA, 2)]).await;
    let unknown = ShopOrder { user_id: user_id(1), ..waiting(1, &[pieces(TEA, 2)]) };
    settle(&shop, &[completed(&unknown, false)]).await;
    let made = order(&shop, 1).await;
    assert_eq!(place(&shop, 1, &agreed).await, Placed::GivenUp);
    assert_eq!(order(&shop, 1).await, made);
    assert_eq!((made.stage(), left(&shop, TEA).await), (Stage::Paid, 8));
}

#[tokio::test]
async fn order_numbers_are_unique_and_grow_under_parallel_callers() {
    let shop = opened().await;
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let shop = shop.clone();
        callers.spawn(async move {
            let mut numbers = Vec::new();
            for _ in 0..25 {
                numbers.push(next_order_id(&shop, None).await.unwrap().get());
            }
            numbers
        });
    }
    let mut all = Vec::new();
    while let Some(numbers) = callers.join_next().await {
        let numbers = numbers.unwrap();
        assert!(numbers.is_sorted(), "each caller sees them grow: {numbers:?}");
        all.extend(numbers);
    }
    all.sort_unstable();
    assert_eq!(all, (1001..=1200).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_number_that_is_used_elsewhere_is_never_given_out() {
    let shop = opened().await;
    let number = async |above| next_order_id(&shop, above).await.unwrap().get();
    assert_eq!(number(None).await, 1001);
    settle(&shop, &[completed(&waiting(1501, &[]), false), expired(&waiting(1001, &[]))]).await;
    assert!(number(None).await > 1501, "an event brought it");
    assert_eq!(number(Some(order_id(21_000))).await, 21_001, "the ledger has it");
    assert_eq!(number(Some(order_id(i64::MAX))).await, 21_002, "no counter is lifted to its end");
    settle(&shop, &[expired(&waiting(i64::MAX, &[])), expired(&waiting(30_000, &[]))]).await;
    assert_eq!(number(None).await, 30_002);
}

#[tokio::test]
async fn a_lost_counter_is_made_from_the_stored_orders() {
    let shop = opened().await;
    records::insert(&shop, &waiting(1734, &[])).await.unwrap();
    assert_eq!(next_order_id(&shop, None).await.unwrap().get(), 1735);
}
