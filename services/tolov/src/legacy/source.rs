//! What is read: the MongoDB database of the old bot, and the SQLite file of its payment server.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tolov_embedded::ForeignFile;
use tolov_kit::secret::Secret;
use tolov_mongodb::ForeignDatabase;

/// The most records of one kind: what a shop of one bot has, and what fits in memory.
const RECORDS_MAX: usize = 1_000_000;

/// The records as they are, each a JSON object.
#[derive(Debug, Default)]
pub(super) struct OldShop {
    pub(super) users: Vec<Value>,
    pub(super) admins: Vec<Value>,
    pub(super) categories: Vec<Value>,
    pub(super) products: Vec<Value>,
    pub(super) orders: Vec<Value>,
    /// `orders` of the payment server.
    pub(super) server_orders: Vec<Value>,
    /// `payments`: PayTechUZ's transactions, alike in its versions 0.3 and 0.4.
    pub(super) payments: Vec<Value>,
}

impl OldShop {
    pub(super) async fn read(mongo: &Secret, payments: Option<&Path>) -> Result<Self> {
        let mut shop = Self::default();
        let database = ForeignDatabase::connect(mongo).await.context("--mongo cannot be used")?;
        let read = shop.read_mongo(&database).await;
        database.close().await;
        read?;
        if let Some(path) = payments {
            shop.read_payments(path).await.with_context(|| format!("cannot read {}", path.display()))?;
        }
        Ok(shop)
    }

    async fn read_mongo(&mut self, database: &ForeignDatabase) -> Result<()> {
        let lists = [
            ("users", &mut self.users),
            ("admins", &mut self.admins),
            ("categories", &mut self.categories),
            ("products", &mut self.products),
            ("orders", &mut self.orders),
        ];
        for (collection, list) in lists {
            let mut is_full = false;
            let see = |record| {
                is_full |= list.len() >= RECORDS_MAX;
                if !is_full {
                    list.push(record);
                }
            };
            database.each(collection, see).await?;
            ensure!(!is_full, "{collection} has more than {RECORDS_MAX} records");
        }
        ensure!(
            !(self.users.is_empty() && self.products.is_empty() && self.orders.is_empty()),
            "the database {} has no users, products or orders: name the one of the old bot in --mongo",
            database.name()
        );
        Ok(())
    }

    async fn read_payments(&mut self, path: &Path) -> Result<()> {
        let mut file = ForeignFile::open(path).await?;
        let tables = file.tables().await?;
        let has = |table: &str| tables.iter().any(|name| name == table);
        ensure!(has("orders") || has("payments"), "it has neither a table orders nor a table payments");
        if has("orders") {
            file.each("orders", |row| self.server_orders.push(row)).await?;
        }
        if has("payments") {
            file.each("payments", |row| self.payments.push(row)).await?;
        }
        Ok(file.close().await?)
    }
}
