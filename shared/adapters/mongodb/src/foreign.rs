//! A database of another program, read as it is: for moving a shop over.

use std::time::Duration;

use futures_util::TryStreamExt;
use mongodb::{
    Client, Database,
    bson::{Bson, Document, doc},
    options::ClientOptions,
};
use serde_json::Value;
use tolov_domain::ports::PortError;
use tolov_kit::secret::Secret;

use crate::{
    failure::Failure,
    shop::{DEFAULT_DATABASE, unreadable_url},
};

/// The longest that connecting, or one batch of a collection, may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// A database that is only read, on any version of MongoDB that the driver speaks to.
#[derive(Debug)]
pub struct ForeignDatabase {
    database: Database,
    hosts: Vec<String>,
}

impl ForeignDatabase {
    /// The URL must name the database.
    pub async fn connect(url: &Secret) -> Result<Self, PortError> {
        let parsed = tokio::time::timeout(CALL_TIMEOUT, ClientOptions::parse(url.expose())).await;
        let mut options = parsed.map_err(|_| late())?.map_err(|error| unreadable_url(url, &error))?;
        options.server_selection_timeout.get_or_insert(CALL_TIMEOUT / 3);
        let Some(name) = options.default_database.clone() else {
            return Err(PortError::Refused(
                "the URL names no database; write mongodb://HOST:27017/NAME".to_owned(),
            ));
        };
        let hosts = options.hosts.iter().map(ToString::to_string).collect();
        let client = Client::with_options(options).map_err(|error| unreadable_url(url, &error))?;
        Ok(Self { database: client.database(&name), hosts })
    }

    pub fn name(&self) -> &str {
        self.database.name()
    }

    /// `host:port` of each server that the URL names.
    pub fn hosts(&self) -> &[String] {
        &self.hosts
    }

    /// Shows every document of a collection in the order of `_id`, as relaxed extended JSON; a collection that is not there
    /// has none. Not more than a batch of them is in memory.
    pub async fn each(&self, collection: &str, mut see: impl FnMut(Value)) -> Result<(), PortError> {
        let what = format!("reading the collection {collection}");
        let failed = |error| Failure::from(error).into_port_error(&what, &self.hosts.join(","));
        let documents = self.database.collection::<Document>(collection);
        let finding = documents.find(doc! {}).sort(doc! { "_id": 1 });
        let mut cursor =
            tokio::time::timeout(CALL_TIMEOUT, finding).await.map_err(|_| late())?.map_err(failed)?;
        while let Some(document) = tokio::time::timeout(CALL_TIMEOUT, cursor.try_next())
            .await
            .map_err(|_| late())?
            .map_err(failed)?
        {
            see(Bson::Document(document).into_relaxed_extjson());
        }
        Ok(())
    }

    /// Ends the driver's tasks.
    pub async fn close(self) {
        let closing = self.database.client().clone().shutdown();
        if tokio::time::timeout(CALL_TIMEOUT, closing).await.is_err() {
            tracing::warn!("the MongoDB driver did not end in time");
        }
    }
}

/// Whether two URLs name one database of one server, as far as their texts tell: a host may have several names.
pub async fn is_same_database(one: &Secret, other: &Secret) -> bool {
    let (Ok(one), Ok(other)) =
        tokio::join!(ClientOptions::parse(one.expose()), ClientOptions::parse(other.expose()))
    else {
        return false;
    };
    let name = |options: &ClientOptions| {
        options.default_database.clone().unwrap_or_else(|| DEFAULT_DATABASE.to_owned())
    };
    name(&one) == name(&other) && one.hosts.iter().any(|host| other.hosts.contains(host))
}

fn late() -> PortError {
    PortError::Unavailable(format!("MongoDB did not answer within {} s", CALL_TIMEOUT.as_secs()))
}
