//! How often the store is asked when a batch of purchases is settled.

use std::sync::Arc;

use futures_util::future::join_all;
use tolov_contract::{counting::CountingDocuments, memory::MemoryDocuments};
use tolov_domain::{Event, ports::documents::Documents};
use tolov_shop::{
    catalogue::SnapshotCache,
    order::{Delivery, PaymentLink, ShopOrder, Stock},
    records, settling,
    shopper::{
        self, cart,
        checkout::{self, Agreement, Placed},
    },
};

use crate::{
    interleaved::Interleaved,
    shop::{
        CODE, NOON, SMALL, TEA, article_id, code, completed, left, open_shop, order, order_id, phone, pieces,
        soum, tea, user_id,
    },
};

const BATCH: i64 = 64;

/// Tea is in every cart; one other product in each.
async fn stock_up(shop: &dyn Documents) {
    records::insert(shop, &tea(Some(1_000)).seal()).await.unwrap();
    for number in 1..=BATCH {
        let product = tolov_shop::catalogue::Product { id: article_id(1_000 + number), ..tea(Some(10)) };
        records::insert(shop, &product.seal()).await.unwrap();
    }
    records::insert(shop, &code()).await.unwrap();
}

/// Places an order as the bot does it, with a promo code, and registers it.
async fn place(shop: &dyn Documents, number: i64) -> ShopOrder {
    let shopper_id = user_id(5_000 + number);
    for article in [TEA, 1_000 + number] {
        cart::set(shop, shopper_id, pieces(article, 2)).await.unwrap();
    }
    shopper::change(shop, shopper_id, |shopper| shopper.promo_code = Some(CODE.to_owned())).await.unwrap();
    let agreement = Agreement {
        user_id: shopper_id,
        quote: cart::quote(shop, shopper_id, NOON).await.unwrap(),
        delivery: Delivery::Pickup,
        delivery_price: soum(0),
        phone: phone(),
        comment: None,
    };
    let placed = checkout::place(shop, order_id(number), &agreement, NOON).await.unwrap();
    assert!(matches!(placed, Placed::Order(_)), "{placed:?}");
    let link = PaymentLink { url: "https://my.click.uz".to_owned(), pay_until: None };
    checkout::registered(shop, order_id(number), &link, NOON).await.unwrap().unwrap().0
}

#[tokio::test]
async fn a_batch_of_placed_orders_costs_at_most_a_fifth_of_a_command_a_purchase() {
    let store = Arc::new(MemoryDocuments::default());
    stock_up(&*store).await;
    let mut events: Vec<Event> = Vec::new();
    for number in 1..=BATCH {
        events.push(completed(&place(&*store, number).await, false));
    }
    let counted = CountingDocuments::new(Arc::clone(&store));
    let settled = settling::settle(&counted, &events).await.unwrap();
    assert!(settled.iter().all(|settled| settled.announcement
        == tolov_domain::notification::Announcement::Event { stock_settled: true }));
    let calls = counted.calls();
    let purchases = u64::try_from(BATCH).unwrap();
    assert!(calls.total() * 5 <= purchases, "{calls}");
    assert_eq!((calls.total(), calls.writes()), (7, 4), "{calls}");

    for number in 1..=BATCH {
        assert_eq!(order(&*store, number).await.stock, Stock::Committed);
        let shopper = shopper::shopper(&*store, user_id(5_000 + number)).await.unwrap().unwrap();
        assert_eq!((shopper.order_count, shopper.cart), (1, Vec::new()));
    }
    assert_eq!(left(&*store, TEA).await, 1_000 - 128);

    counted.reset();
    settling::settle(&counted, &events).await.unwrap();
    let again = counted.calls();
    assert_eq!((again.of("get_many"), again.of("find"), again.writes()), (1, 1, 0), "a repetition: {again}");
}

#[tokio::test]
async fn a_batch_of_unknown_orders_costs_a_few_commands_whatever_its_size() {
    let store = Arc::new(MemoryDocuments::default());
    open_shop(&*store).await;
    let unknown = |number, article| crate::shop::waiting(number, &[pieces(article, 1)]);
    let known_to_nobody = |number| completed(&unknown(number, 900_000 + number), false);
    let events: Vec<Event> = (1..=BATCH)
        .map(
            |number| if number == 7 { completed(&unknown(7, SMALL), false) } else { known_to_nobody(number) },
        )
        .collect();
    let counted = CountingDocuments::new(Arc::clone(&store));
    settling::settle(&counted, &events).await.unwrap();
    let calls = counted.calls();
    assert!(calls.total() <= 16, "{calls}");
    for number in 1..=BATCH {
        let order = order(&*store, number).await;
        assert_eq!((order.stock, order.missing()), (Stock::Committed, &[][..]), "{number}");
    }
    assert_eq!(left(&*store, SMALL).await, 4);
}

#[tokio::test]
async fn one_more_of_an_article_costs_two_commands_and_returns_what_the_card_shows() {
    let store = Arc::new(MemoryDocuments::default());
    records::insert(&*store, &tea(Some(10)).seal()).await.unwrap();
    let shop = CountingDocuments::new(Arc::clone(&store));
    let id = user_id(5);
    cart::set(&*store, id, pieces(TEA, 1)).await.unwrap();
    let seen = records::read_versioned::<shopper::Shopper>(&*store, &id.get().into()).await.unwrap();
    let set = cart::set_on_card(&shop, id, seen.clone(), pieces(TEA, 2)).await.unwrap();
    assert_eq!(shop.calls().total(), 2, "{}", shop.calls());
    assert_eq!((set.change, set.shopper.cart), (cart::CartChange::Set(2), vec![pieces(TEA, 2)]));
    assert_eq!(set.product.unwrap().id, article_id(TEA));
    // The shopper was written since: it is read again.
    shop.reset();
    let set = cart::set_on_card(&shop, id, seen, pieces(TEA, 3)).await.unwrap();
    assert_eq!((shop.calls().total(), set.shopper.cart), (4, vec![pieces(TEA, 3)]));
}

#[tokio::test]
async fn a_crowd_after_a_start_reads_the_catalogue_once() {
    let store = MemoryDocuments::default();
    stock_up(&store).await;
    let documents = CountingDocuments::new(Arc::new(Interleaved::new(store, 7, 0)));
    let read = async |callers: usize| {
        documents.reset();
        let cache = SnapshotCache::default();
        for shown in join_all((0..callers).map(|_| cache.get(&documents, NOON))).await {
            assert_eq!(shown.unwrap().search("").len(), 65);
        }
        documents.calls().of("find")
    };
    assert_eq!(read(64).await, read(1).await);
}
