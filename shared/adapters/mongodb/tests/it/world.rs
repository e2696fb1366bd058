//! A database of its own for each test.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use async_trait::async_trait;
use mongodb::{
    Client, Database,
    bson::{Bson, Document, doc, oid::ObjectId},
};
use time::macros::datetime;
use tolov_contract::{
    chaos_proxy::ChaosProxy,
    documents::{COLLECTIONS, DocumentsWorld},
    notifications::NotificationsWorld,
};
use tolov_domain::{
    ports::{
        documents::{Collection, Documents, Key},
        notifications::NotificationLog,
    },
    time::Timestamp,
};
use tolov_kit::secret::Secret;
use tolov_mongodb::{MongoOptions, MongoShop};

pub(crate) const NOON: Timestamp = datetime!(2026-11-23 12:00 UTC);

pub(crate) struct World {
    pub(crate) url: String,
    pub(crate) database: Database,
}

/// The server that a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    Alone,
    ReplicaSet,
}

impl World {
    pub(crate) async fn fresh(server: Server) -> anyhow::Result<Self> {
        let variable = match server {
            Server::Alone => "TEST_MONGO_URL",
            Server::ReplicaSet => "TEST_MONGO_REPLICA_SET_URL",
        };
        let url = std::env::var(variable).with_context(|| {
            format!("{variable} is not set, so there is no MongoDB to test against: run ./scripts/test, which starts one")
        })?;
        Self::at(&url).await
    }

    pub(crate) async fn at(server: &str) -> anyhow::Result<Self> {
        let name = format!("tolov_test_{}", ObjectId::new().to_hex());
        let url = with_database(server, &name);
        let database = Client::with_uri_str(&url).await?.database(&name);
        Ok(Self { url, database })
    }

    /// A store with a long time limit: the tests share a slow server and a busy machine.
    pub(crate) async fn shop(&self) -> MongoShop {
        let slow = MongoOptions { call_timeout: Duration::from_secs(30), ..MongoOptions::default() };
        shop_at(&self.url, slow).await
    }

    /// A proxy before the server, and a store that connects through it.
    pub(crate) async fn shop_over_proxy(&self, call_timeout: Duration) -> (ChaosProxy, MongoShop) {
        let proxy = ChaosProxy::start(self.server().await).await.unwrap();
        let options = MongoOptions { call_timeout, ..MongoOptions::default() };
        let shop = shop_at(&self.url_through(proxy.addr()), options).await;
        (proxy, shop)
    }

    pub(crate) async fn server(&self) -> SocketAddr {
        let (_, server, _) = parts(&self.url);
        tokio::net::lookup_host(server).await.unwrap().next().unwrap()
    }

    /// The database by way of a proxy. A replica set would name its members' own addresses, past the proxy.
    pub(crate) fn url_through(&self, proxy: SocketAddr) -> String {
        let (credentials, _, path) = parts(&self.url);
        let direct = match path.split_once('?') {
            Some((_, options)) if options.contains("directConnection") => "",
            Some(_) => "&directConnection=true",
            None => "?directConnection=true",
        };
        format!("mongodb://{credentials}{proxy}/{path}{direct}")
    }

    /// The database by way of proxies that play the members of a replica set.
    pub(crate) fn url_of_set(&self, set: &str, members: &[SocketAddr]) -> String {
        let (credentials, _, path) = parts(&self.url);
        let (database, options) = path.split_once('?').unwrap_or((path, ""));
        let of_others = |option: &&str| {
            !option.is_empty()
                && !["directConnection=", "replicaSet="].iter().any(|own| option.starts_with(own))
        };
        let set = format!("replicaSet={set}");
        let options: Vec<&str> =
            [set.as_str()].into_iter().chain(options.split('&').filter(of_others)).collect();
        let members: Vec<String> = members.iter().map(SocketAddr::to_string).collect();
        format!("mongodb://{credentials}{}/{database}?{}", members.join(","), options.join("&"))
    }

    pub(crate) async fn remove(self) -> anyhow::Result<()> {
        self.database.drop().await.context("dropping the test's database")
    }
}

#[async_trait]
impl DocumentsWorld for World {
    async fn documents(&self) -> Arc<dyn Documents> {
        Arc::new(self.shop().await)
    }

    async fn damage(&self, collection: Collection, key: &Key) -> anyhow::Result<()> {
        let id = match key {
            Key::Number(number) => Bson::Int64(*number),
            Key::Text(text) => Bson::String(text.clone()),
        };
        let documents = self.database.collection::<Document>(collection.name());
        let damage = doc! { "$set": { "damage": ObjectId::new() } };
        let damaged = documents.update_one(doc! { "_id": id }, damage).await?;
        anyhow::ensure!(damaged.matched_count == 1, "{key} is not there");
        Ok(())
    }

    async fn close(self: Box<Self>) {
        self.remove().await.unwrap();
    }
}

#[async_trait]
impl NotificationsWorld for World {
    async fn notification_log(&self) -> Arc<dyn NotificationLog> {
        Arc::new(self.shop().await)
    }
}

pub(crate) async fn shop_at(url: &str, options: MongoOptions) -> MongoShop {
    MongoShop::connect(&Secret::new(url), options, &COLLECTIONS).await.unwrap()
}

/// The credentials with their `@`, the server, and the database with its options.
fn parts(url: &str) -> (&str, &str, &str) {
    let (_, rest) = url.split_once("://").unwrap();
    let (authority, path) = rest.split_once('/').unwrap();
    let (credentials, server) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
    (credentials, server, path)
}

fn with_database(url: &str, database: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (address, query) =
        rest.split_once('?').map_or((rest, None), |(address, query)| (address, Some(query)));
    let authority = address.split('/').next().unwrap();
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{scheme}://{authority}/{database}{query}")
}
