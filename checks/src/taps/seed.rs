//! A large shop: products, shoppers and a year of orders.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Result, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use time::Duration;
use tolov_domain::{
    ClickPaydocId, ClickTransId, Language, OrderId, OrderedProduct, Phone, ProductId, Tiyin, UserId,
    order::OrderLine,
    ports::{ShopStore, documents::Key},
    time::Timestamp,
};
use tolov_shop::{
    catalogue::{self, Category, Product},
    order::{
        Actor, Delivery, HistoryEntry, OrderAction, OrderState, PaymentFacts, Progress, Sale, ShopOrder,
        Stock, Terms,
    },
    records::{self, Record},
    shopper::Shopper,
};

pub(super) const CATEGORIES: i64 = 100;
pub(super) const FIRST_SHOPPER: i64 = 5_000_000;
const CHUNK: i64 = 1_000;
const CHUNKS_AT_ONCE: usize = 2;
/// The orders are spread over so many days.
const DAYS: i64 = 365;
const WORDS: [&str; 12] = [
    "choy",
    "qahva",
    "ko‘ylak",
    "piyola",
    "lagan",
    "kitob",
    "daftar",
    "sovg‘a",
    "asal",
    "murabbo",
    "atlas",
    "gilam",
];

/// How large the shop is.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    pub products: i64,
    pub shoppers: i64,
    pub orders: i64,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { products: 20_000, shoppers: 100_000, orders: 1_000_000 }
    }
}

pub(super) async fn fill(shop: &Arc<dyn ShopStore>, sizes: Sizes, now: Timestamp) -> Result<()> {
    for id in 1..=CATEGORIES {
        let category =
            Category { id, title: format!("Bo‘lim {id}"), photo: None, position: id, hidden: false };
        records::insert(shop.as_ref(), &category).await?;
    }
    write(shop, sizes.products, |number| Ok(product(number)?.seal())).await?;
    write(shop, sizes.shoppers, |number| shopper(number, sizes, now)).await?;
    write(shop, sizes.orders, |number| order(number, sizes, now)).await?;
    catalogue::mark_changed(shop.as_ref()).await?;
    Ok(())
}

/// Writes the records 1 to `count`, which are not there yet.
async fn write<R: Record>(
    shop: &Arc<dyn ShopStore>,
    count: i64,
    record: impl Fn(i64) -> Result<R> + Sync,
) -> Result<()> {
    let record = &record;
    let chunks = (0..(count + CHUNK - 1) / CHUNK).map(|chunk| async move {
        let numbers = chunk * CHUNK + 1..=count.min((chunk + 1) * CHUNK);
        let records: Vec<R> = numbers.map(record).collect::<Result<_>>()?;
        let records: BTreeMap<Key, R> = records.into_iter().map(|record| (record.key(), record)).collect();
        let keys = records.keys().cloned().collect();
        let new = |key: &Key, _: Option<&R>, _| Some((records.get(key)?.clone(), ()));
        let failed = records::change_many(shop.as_ref(), keys, new).await?.failed;
        ensure!(failed.is_empty(), "not written: {failed:?}");
        Ok(())
    });
    stream::iter(chunks).buffer_unordered(CHUNKS_AT_ONCE).try_collect::<Vec<()>>().await.map(drop)
}

fn product(number: i64) -> Result<Product> {
    let word = |step: i64| WORDS[usize::try_from(number / step).unwrap_or_default() % WORDS.len()];
    Ok(Product {
        title: format!("{} {} {number}", word(1), word(12)),
        description: "Tabiiy, yangi hosil. ".repeat(10),
        price: Tiyin::from_soum(10_000 + number)?,
        stock: Some(1_000),
        ..Product::new(ProductId::try_new(number)?, 1 + number % CATEGORIES)
    })
}

pub(super) fn shopper_of(number: i64) -> Result<UserId> {
    Ok(UserId::try_new(FIRST_SHOPPER + number)?)
}

fn shopper(number: i64, sizes: Sizes, now: Timestamp) -> Result<Shopper> {
    let article = |step: i64| -> Result<OrderedProduct> {
        Ok(OrderedProduct { product_id: ProductId::try_new(1 + (number * step) % sizes.products)?, count: 2 })
    };
    Ok(Shopper {
        name: format!("Shopper {number}"),
        registered_at: Some(now - Duration::days(30)),
        language: Some(Language::Uz),
        phone: Phone::parse("+998901234567").ok(),
        cart: vec![article(7)?, article(13)?, article(31)?],
        ..Shopper::new(shopper_of(number)?)
    })
}

fn order(number: i64, sizes: Sizes, now: Timestamp) -> Result<ShopOrder> {
    let Sizes { products, shoppers, orders: of } = sizes;
    let placed_at = now - Duration::seconds(DAYS * 24 * 3_600 / of.max(1) * (of - number) + 60);
    let paid_at = placed_at + Duration::minutes(3);
    let lines: Vec<OrderLine> = [number % products, number * 7 % products]
        .into_iter()
        .map(|article| {
            let title = product(article + 1)?.title;
            let (product_id, price) = (ProductId::try_new(article + 1)?, Some(Tiyin::from_soum(15_000)?));
            Ok(OrderLine { product_id, count: 1, title, price, portion: None, fiscal: None })
        })
        .collect::<Result<_>>()?;
    let total = Tiyin::from_soum(30_000)?;
    let payment = PaymentFacts {
        click_trans_id: ClickTransId::try_new(9_000_000_000 + number)?,
        click_paydoc_id: ClickPaydocId::try_new(number)?,
        paid_at,
        late: false,
    };
    let entry = |action, at| HistoryEntry::of_action(action, Actor::Shopper, at);
    Ok(ShopOrder {
        id: OrderId::try_new(1_000 + number)?,
        user_id: shopper_of(1 + number % shoppers)?,
        lines,
        total,
        placed_at,
        terms: Some(Terms {
            goods: total,
            discount: Tiyin::ZERO,
            promo_code: None,
            delivery_price: Tiyin::ZERO,
            delivery: Delivery::Pickup,
            phone: Phone::parse("+998901234567")?,
            comment: None,
        }),
        state: OrderState::Paid {
            sale: Sale { payment, missing: Vec::new() },
            progress: Progress::Delivered,
        },
        stock: Stock::Committed,
        refunds: Vec::new(),
        receipt_url: None,
        history: vec![
            entry(OrderAction::Placed, placed_at),
            entry(OrderAction::Registered, placed_at),
            entry(OrderAction::Paid, paid_at),
            entry(OrderAction::Delivered, paid_at),
        ],
    })
}
