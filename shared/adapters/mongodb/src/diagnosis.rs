//! What an operator wants to know about the server before the shop opens.

use mongodb::bson::{Document, doc};
use tolov_domain::ports::PortError;

use crate::{
    failure::Failure,
    shop::{COUNTERS, MongoShop},
};

/// A server that answers, and how it is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    pub version: String,
    pub database: String,
    pub is_replica_set: bool,
    /// `collection.field` of each index that queries need and that is missing. The next start creates them.
    pub missing_indexes: Vec<String>,
}

impl MongoShop {
    /// Asks the server, and has it acknowledge a write that changes nothing as every write of the shop is acknowledged:
    /// by a majority, from the journal. A server that cannot do that is an error here.
    pub async fn diagnose(&self) -> Result<Diagnosis, PortError> {
        self.call("examining MongoDB", async {
            let build = self.database().run_command(doc! { "buildInfo": 1 }).await?;
            let hello = self.database().run_command(doc! { "hello": 1 }).await?;
            let counters = self.database().collection::<Document>(COUNTERS);
            counters.update_one(doc! { "_id": "tolov doctor" }, doc! { "$set": { "seen": true } }).await?;
            Ok::<_, Failure>(Diagnosis {
                version: build.get_str("version").unwrap_or("?").to_owned(),
                database: self.database_name().to_owned(),
                is_replica_set: hello.contains_key("setName"),
                missing_indexes: self.missing_indexes().await?,
            })
        })
        .await
    }
}
