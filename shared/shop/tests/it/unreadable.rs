//! Documents that cannot be read: nobody else waits for them, and the money is told all the same.

use std::future::ready;

use tolov_contract::memory::MemoryDocuments;
use tolov_domain::{
    Event, OrderedProduct,
    notification::Announcement,
    ports::documents::{Collection, Documents, Key},
};
use tolov_shop::{
    catalogue::PRODUCTS,
    order::{ORDERS, ShopOrder, Stage, Stock},
    promo::PROMO_CODES,
    records, settling,
    shopper::{USERS, shopper},
};

use crate::shop::{
    CODE, SMALL, TEA, completed, expired, left, minutes, open_shop, order, order_id, pieces, place, settle,
    user_id, waiting,
};

const SETTLED: Announcement = Announcement::Event { stock_settled: true };
const NOT_SETTLED: Announcement = Announcement::Event { stock_settled: false };

/// Order 1 wants tea, order 2 a shirt; each is of a shopper of its own.
fn orders() -> [ShopOrder; 2] {
    let of = |number, article: OrderedProduct| ShopOrder {
        user_id: user_id(5550 + number),
        ..waiting(number, &[article])
    };
    [of(1, pieces(TEA, 2)), of(2, pieces(SMALL, 1))]
}

fn payments() -> [Event; 2] {
    orders().map(|order| completed(&order, false))
}

/// A body that this version cannot read.
async fn damage(shop: &MemoryDocuments, collection: Collection, key: impl Into<Key>) {
    let mut stored = shop.get(collection, &key.into()).await.unwrap().unwrap();
    stored.body.insert("schema".to_owned(), 99.into());
    shop.put(collection, &stored.key, Some(stored.version), &stored.body).await.unwrap();
}

async fn shop_with_damage(collection: Collection, key: impl Into<Key>) -> MemoryDocuments {
    let shop = MemoryDocuments::default();
    open_shop(&shop).await;
    for order in orders() {
        place(&shop, &order).await;
    }
    damage(&shop, collection, key).await;
    shop
}

async fn announced(shop: &MemoryDocuments) -> Vec<Announcement> {
    settle(shop, &payments()).await.into_iter().map(|settled| settled.announcement).collect()
}

#[tokio::test]
async fn an_unreadable_product_leaves_its_order_paid_and_says_that_its_stock_is_not_settled() {
    for (key, expected, stocks) in [
        (TEA, [NOT_SETTLED, SETTLED], [Stock::Held, Stock::Committed]),
        // An article of the shirt: its number does not name the product.
        (20, [SETTLED, NOT_SETTLED], [Stock::Committed, Stock::Held]),
    ] {
        let shop = shop_with_damage(PRODUCTS, key).await;
        for _ in 0..2 {
            assert_eq!(announced(&shop).await, expected);
            for (number, stock) in [1, 2].into_iter().zip(stocks) {
                let order = order(&shop, number).await;
                assert_eq!((order.stage(), order.stock), (Stage::Paid, stock), "{number}");
                let shopper = shopper(&shop, order.user_id).await.unwrap().unwrap();
                assert_eq!((shopper.order_count, shopper.cart), (1, Vec::new()), "{number}");
            }
        }
    }
}

#[tokio::test]
async fn an_unreadable_shopper_leaves_the_stock_settled_and_is_told_to_staff() {
    let shop = shop_with_damage(USERS, 5551).await;
    assert_eq!(announced(&shop).await, [NOT_SETTLED, SETTLED]);
    for number in [1, 2] {
        let order = order(&shop, number).await;
        assert_eq!((order.stage(), order.stock), (Stage::Paid, Stock::Committed), "{number}");
    }
    assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (8, 4));
}

#[tokio::test]
async fn an_unreadable_promo_code_matters_to_late_money_alone() {
    let shop = shop_with_damage(PROMO_CODES, CODE).await;
    assert_eq!(announced(&shop).await, [SETTLED, SETTLED]);
    let shop = shop_with_damage(PROMO_CODES, CODE).await;
    settle(&shop, &[expired(&orders()[0])]).await;
    assert_eq!(announced(&shop).await, [NOT_SETTLED, SETTLED]);
    assert_eq!(order(&shop, 1).await.stock, Stock::Committed);
    assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (8, 4));
}

#[tokio::test]
async fn an_unreadable_order_is_told_from_the_event_alone() {
    let shop = shop_with_damage(ORDERS, 1).await;
    let settled = settle(&shop, &payments()).await;
    assert_eq!(settled[0].announcement, NOT_SETTLED);
    assert_eq!((settled[0].stage, settled[0].lines[0].title.as_str()), (None, "Choy"));
    assert_eq!((settled[1].announcement, settled[1].stage), (SETTLED, Some(Stage::Paid)));
    assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (8, 4), "nothing moves for order 1");
    settle(&shop, &[expired(&orders()[0])]).await;
}

#[tokio::test]
async fn an_order_whose_product_cannot_be_read_is_not_closed_and_says_which_document_to_repair() {
    let shop = shop_with_damage(PRODUCTS, TEA).await;
    let close = settling::close(
        &shop,
        order_id(1),
        tolov_shop::order::OrderAction::Cancelled,
        tolov_shop::order::Actor::Shopper,
        minutes(2),
    );
    let refusal = close.await.unwrap_err();
    assert!(!refusal.is_unavailable() && refusal.to_string().contains("repair"), "{refusal}");
    assert_eq!(order(&shop, 1).await.stock, Stock::Held, "released once the product can be read again");
}

/// The document is repaired: its body is as it was.
async fn repair(shop: &MemoryDocuments, collection: Collection, key: impl Into<Key>) {
    let mut stored = shop.get(collection, &key.into()).await.unwrap().unwrap();
    stored.body.insert("schema".to_owned(), 1.into());
    shop.put(collection, &stored.key, Some(stored.version), &stored.body).await.unwrap();
}

#[tokio::test]
async fn an_order_that_was_left_unsettled_is_settled_once_its_product_can_be_read_again() {
    let shop = shop_with_damage(PRODUCTS, TEA).await;
    assert_eq!(announced(&shop).await, [NOT_SETTLED, SETTLED]);
    assert_eq!(settling::settle_left(&shop, 0, ready(())).await.unwrap(), (Vec::new(), 0), "not yet");
    repair(&shop, PRODUCTS, TEA).await;
    let (settled, skip) = settling::settle_left(&shop, 0, ready(())).await.unwrap();
    assert_eq!((settled.len(), settled[0].id, skip), (1, order_id(1), 0));
    assert_eq!(order(&shop, 1).await.stock, Stock::Committed);
    assert_eq!((left(&shop, TEA).await, left(&shop, SMALL).await), (8, 4), "sold once");
    assert_eq!(settling::settle_left(&shop, 0, ready(())).await.unwrap(), (Vec::new(), 0), "nothing is left");
}

#[tokio::test]
async fn many_orders_that_cannot_be_settled_do_not_hide_the_one_that_can() {
    let shop = MemoryDocuments::default();
    open_shop(&shop).await;
    // More than one round looks at.
    let orders: Vec<ShopOrder> = (1..=55)
        .map(|number| waiting(number, &[pieces(if number == 55 { SMALL } else { TEA }, 1)]))
        .collect();
    for order in &orders[..54] {
        records::insert(&shop, order).await.unwrap();
    }
    place(&shop, &orders[54]).await;
    for key in [TEA, 20] {
        damage(&shop, PRODUCTS, key).await;
    }
    let payments: Vec<Event> = orders.iter().map(|order| completed(order, false)).collect();
    settle(&shop, &payments).await;
    repair(&shop, PRODUCTS, 20).await;
    let (settled, skip) = settling::settle_left(&shop, 0, ready(())).await.unwrap();
    assert_eq!((settled.len(), skip), (0, 50));
    let (settled, skip) = settling::settle_left(&shop, skip, ready(())).await.unwrap();
    assert_eq!((settled.len(), settled[0].id, skip), (1, order_id(55), 0));
}
