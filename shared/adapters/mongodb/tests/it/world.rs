//! A database of its own for each test, and the events that tests apply.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use async_trait::async_trait;
use mongodb::{Client, Database, bson::oid::ObjectId};
use time::macros::datetime;
use tolov_contract::{chaos_proxy::ChaosProxy, shop::ShopWorld};
use tolov_domain::{
    ClickPaydocId, ClickTransId, Event, EventKind, OrderId, OrderedProduct, PrepareId, ProductId, Tiyin,
    UserId, payment::ClickError, ports::shop::ShopStore, time::Timestamp,
};
use tolov_kit::secret::Secret;
use tolov_mongodb::{MongoOptions, MongoShop};

pub(crate) const NOON: Timestamp = datetime!(2026-11-23 12:00 UTC);

pub(crate) struct World {
    pub(crate) url: String,
    pub(crate) database: Database,
}

impl World {
    pub(crate) async fn fresh() -> anyhow::Result<Self> {
        let server = server_url()?;
        let name = format!("tolov_test_{}", ObjectId::new().to_hex());
        let url = with_database(&server, &name);
        let database = Client::with_uri_str(&url).await?.database(&name);
        Ok(Self { url, database })
    }

    /// A store with patience: the tests share a slow server and a busy machine.
    pub(crate) async fn shop(&self) -> MongoShop {
        let patient = MongoOptions { call_timeout: Duration::from_secs(30), ..MongoOptions::default() };
        shop_at(&self.url, patient).await
    }

    /// A proxy before the server, and a store whose way leads over it.
    pub(crate) async fn shop_over_proxy(&self, call_timeout: Duration) -> (ChaosProxy, MongoShop) {
        let (_, rest) = self.url.split_once("://").unwrap();
        let (authority, path) = rest.split_once('/').unwrap();
        let (credentials, server) = authority
            .rsplit_once('@')
            .map_or((String::new(), authority), |(user, host)| (format!("{user}@"), host));
        let server = tokio::net::lookup_host(server).await.unwrap().next().unwrap();
        let proxy = ChaosProxy::start(server).await.unwrap();
        // A replica set would name its members' own addresses, past the proxy.
        let direct = match path.split_once('?') {
            Some((_, options)) if options.contains("directConnection") => "",
            Some(_) => "&directConnection=true",
            None => "?directConnection=true",
        };
        let url = format!("mongodb://{credentials}{}/{path}{direct}", proxy.addr());
        let shop = shop_at(&url, MongoOptions { call_timeout, ..MongoOptions::default() }).await;
        (proxy, shop)
    }

    pub(crate) async fn remove(self) -> anyhow::Result<()> {
        self.database.drop().await.context("dropping the test's database")
    }
}

#[async_trait]
impl ShopWorld for World {
    async fn store(&self) -> Arc<dyn ShopStore> {
        Arc::new(self.shop().await)
    }

    async fn close(self: Box<Self>) {
        self.remove().await.unwrap();
    }
}

pub(crate) async fn shop_at(url: &str, options: MongoOptions) -> MongoShop {
    MongoShop::connect(&Secret::new(url), options).await.unwrap()
}

fn server_url() -> anyhow::Result<String> {
    std::env::var("TEST_MONGO_URL")
        .context("TEST_MONGO_URL is not set, so there is no MongoDB to test against: run ./scripts/test, which starts one")
}

fn with_database(url: &str, database: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (address, query) =
        rest.split_once('?').map_or((rest, None), |(address, query)| (address, Some(query)));
    let authority = address.split('/').next().unwrap();
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{scheme}://{authority}/{database}{query}")
}

pub(crate) fn order_id(number: i64) -> OrderId {
    OrderId::try_new(number).unwrap()
}

pub(crate) fn user_id(number: i64) -> UserId {
    UserId::try_new(number).unwrap()
}

pub(crate) fn product(id: i64, count: u32) -> OrderedProduct {
    OrderedProduct { product_id: ProductId::try_new(id).unwrap(), count }
}

pub(crate) fn completed(order: i64, user: i64, products: &[OrderedProduct]) -> Event {
    event(
        order,
        user,
        products,
        EventKind::PaymentCompleted {
            click_trans_id: ClickTransId::try_new(order + 500).unwrap(),
            click_paydoc_id: ClickPaydocId::try_new(order + 600).unwrap(),
            merchant_prepare_id: PrepareId::try_new(order).unwrap(),
            late: false,
        },
    )
}

pub(crate) fn cancelled(order: i64, user: i64, products: &[OrderedProduct]) -> Event {
    event(
        order,
        user,
        products,
        EventKind::PaymentCancelled {
            click_trans_id: ClickTransId::try_new(order + 400).unwrap(),
            click_paydoc_id: ClickPaydocId::try_new(order + 300).unwrap(),
            merchant_prepare_id: PrepareId::try_new(order).unwrap(),
            error: ClickError::from_code(-5017).unwrap(),
        },
    )
}

pub(crate) fn expired(order: i64, user: i64, products: &[OrderedProduct]) -> Event {
    event(order, user, products, EventKind::OrderExpired)
}

fn event(order: i64, user: i64, products: &[OrderedProduct], kind: EventKind) -> Event {
    Event {
        id: Event::id_of(order_id(order), &kind),
        order_id: order_id(order),
        user_id: user_id(user),
        products: products.to_vec(),
        amount: Tiyin::try_new(3_000_000).unwrap(),
        occurred_at: NOON,
        kind,
    }
}
