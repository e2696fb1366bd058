//! How many events a second the projection takes, by batch size. Needs TEST_MONGO_URL; makes a database and drops it.
//!
//! `placed`: completed payments of orders that were placed before, each of another shopper, as in the daily run.
//! `unknown`: orders that come from their event, as in a rebuild. `again`: the same events once more, all no-ops.
#![expect(clippy::print_stdout, reason = "the numbers are this program's answer")]

use std::time::{Duration, Instant};

use anyhow::Context;
use futures_util::{StreamExt, TryStreamExt, stream};
use mongodb::bson::oid::ObjectId;
use time::macros::datetime;
use tolov_domain::{
    ClickPaydocId, ClickTransId, Event, EventKind, OrderId, OrderedProduct, PrepareId, ProductId, Tiyin,
    UserId,
    order::OrderLine,
    ports::shop::{NewOrder, OrderProjection, Orders, Shoppers},
};
use tolov_kit::secret::Secret;
use tolov_mongodb::{MongoOptions, MongoShop};

/// How many events each figure is measured on.
const EVENTS: i64 = 1_024;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let server = std::env::var("TEST_MONGO_URL").context("set TEST_MONGO_URL to the address of a MongoDB")?;
    let (address, query) = server.split_once('?').unwrap_or((&server, ""));
    let name = format!("tolov_rate_{}", ObjectId::new().to_hex());
    let url = format!("{}/{name}?{query}", address.trim_end_matches('/'));
    let options = MongoOptions { call_timeout: Duration::from_mins(1), ..MongoOptions::default() };
    let shop = MongoShop::connect(&Secret::new(url.as_str()), options).await?;
    shop.ping().await?;
    println!("events/s   placed  unknown    again");
    for (round, batch) in (0_i64..).zip([1_usize, 64, 256]) {
        let placed = events(1 + round * 10_000)?;
        stream::iter(&placed)
            .map(|event| check_out(&shop, event))
            .buffer_unordered(8)
            .try_collect::<()>()
            .await?;
        let unknown = events(1_000_000 + round * 10_000)?;
        let placed_rate = rate(&shop, &placed, batch).await?;
        let unknown_rate = rate(&shop, &unknown, batch).await?;
        let again_rate = rate(&shop, &placed, batch).await?;
        println!("batch {batch:>3} {placed_rate:>8} {unknown_rate:>8} {again_rate:>8}");
    }
    mongodb::Client::with_uri_str(&url).await?.database(&name).drop().await?;
    Ok(())
}

/// Events a second.
async fn rate(shop: &MongoShop, events: &[Event], batch: usize) -> anyhow::Result<u128> {
    let begun = Instant::now();
    for events in events.chunks(batch) {
        shop.apply(events).await?;
    }
    Ok(u128::from(EVENTS.unsigned_abs()) * 1_000 / begun.elapsed().as_millis().max(1))
}

fn events(first: i64) -> anyhow::Result<Vec<Event>> {
    (first..first + EVENTS).map(event).collect()
}

fn event(number: i64) -> anyhow::Result<Event> {
    let order_id = OrderId::try_new(number)?;
    let kind = EventKind::PaymentCompleted {
        click_trans_id: ClickTransId::try_new(number)?,
        click_paydoc_id: ClickPaydocId::try_new(number)?,
        merchant_prepare_id: PrepareId::try_new(number)?,
        late: false,
    };
    let products = [(7, 2), (8, 1)].map(|(id, count)| ProductId::try_new(id).map(|id| (id, count)));
    let products = products
        .into_iter()
        .map(|product| product.map(|(product_id, count)| OrderedProduct { product_id, count }));
    Ok(Event {
        id: Event::id_of(order_id, &kind),
        order_id,
        user_id: UserId::try_new(number)?,
        products: products.collect::<Result<_, _>>()?,
        amount: Tiyin::try_new(3_000_000)?,
        occurred_at: datetime!(2026-11-23 12:00 UTC),
        kind,
    })
}

async fn check_out(shop: &MongoShop, event: &Event) -> anyhow::Result<()> {
    for product in &event.products {
        shop.set_cart_line(event.user_id, *product).await?;
    }
    let price = Some(Tiyin::try_new(1_000_000)?);
    let line = |product: &OrderedProduct| OrderLine {
        product_id: product.product_id,
        count: product.count,
        title: "Lagman".to_owned(),
        price,
    };
    let order = NewOrder {
        id: event.order_id,
        user_id: event.user_id,
        lines: event.products.iter().map(line).collect(),
        total: event.amount,
        created_at: event.occurred_at,
    };
    shop.place_order(&order).await?;
    Ok(())
}
