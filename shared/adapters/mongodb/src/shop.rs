//! Connecting, and the limits that every call keeps.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use mongodb::{
    Database,
    bson::{RawDocumentBuf, doc, oid::ObjectId},
    options::{ClientOptions, ReadConcern, ReadPreference, SelectionCriteria, ServerAddress, WriteConcern},
};
use tokio::sync::OnceCell;
use tolov_domain::ports::{PortError, documents::Collection};
use tolov_kit::secret::Secret;

use crate::{driver::Driver, failure::Failure};

pub(crate) const COUNTERS: &str = "counters";
pub(crate) const NOTIFICATIONS: &str = "notifications";

pub(crate) const DEFAULT_DATABASE: &str = "tolov";

/// MongoDB 8.0, the first one with the command `bulkWrite`.
const WIRE_VERSION_MIN: i32 = 25;

/// After so many limits of a call, one after the other, in which every call was cut off, the driver is taken for stuck.
const STUCK_AFTER_CALLS: u32 = 2;

/// How long the adapter waits. The URL may name shorter or longer times for `serverSelectionTimeoutMS` and
/// `connectTimeoutMS`; `call_timeout` bounds a call whatever the URL says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MongoOptions {
    /// The longest that one call may take, with all its round trips and retries.
    pub call_timeout: Duration,
    /// How long to look for a server that can take the call.
    pub server_selection_timeout: Duration,
}

impl Default for MongoOptions {
    fn default() -> Self {
        Self {
            call_timeout: Duration::from_secs(5),
            // Short enough for one more try within a call.
            server_selection_timeout: Duration::from_secs(2),
        }
    }
}

/// The shop store on MongoDB 8.0 or newer, standalone or a replica set. Clones share one pool of connections.
///
/// Every write waits for the journal of a majority. Every call ends within [`MongoOptions::call_timeout`].
#[derive(Clone)]
pub struct MongoShop {
    shared: Arc<Shared>,
}

struct Shared {
    driver: Driver,
    collections: Vec<Collection>,
    servers: String,
    call_timeout: Duration,
    /// Names this store in the claims it makes, so that it never releases a claim of another process.
    holder: ObjectId,
    /// Set when the server was reached for the first time; after a failure the next call tries again.
    prepared: OnceCell<()>,
    is_closed: AtomicBool,
}

impl MongoShop {
    /// Reads the URL and creates a pool. No server is reached yet, so a server that is away is no error here; the indexes
    /// of `collections` are created by the first call that reaches it. With `mongodb+srv` the name is looked up now, and a
    /// name service that is away is [`PortError::Unavailable`].
    ///
    /// The database is the one that the URL names, else `tolov`.
    pub async fn connect(
        url: &Secret,
        options: MongoOptions,
        collections: &[Collection],
    ) -> Result<Self, PortError> {
        let parsed = tokio::time::timeout(options.call_timeout, ClientOptions::parse(url.expose()));
        let mut client_options = match parsed.await {
            Ok(Ok(client_options)) => client_options,
            Ok(Err(error)) => return Err(unreadable_url(url, &error)),
            Err(_) => {
                return Err(PortError::Unavailable("the name in MONGO_URL was not looked up in time".into()));
            }
        };
        set_limits(&mut client_options, options);
        let database = client_options.default_database.clone().unwrap_or_else(|| DEFAULT_DATABASE.to_owned());
        let servers: Vec<String> = client_options.hosts.iter().map(ServerAddress::to_string).collect();
        let driver = Driver::new(client_options, database, options.call_timeout * STUCK_AFTER_CALLS)
            .map_err(|error| unreadable_url(url, &error))?;
        Ok(Self {
            shared: Arc::new(Shared {
                driver,
                collections: collections.to_vec(),
                servers: servers.join(","),
                call_timeout: options.call_timeout,
                holder: ObjectId::new(),
                prepared: OnceCell::new(),
                is_closed: AtomicBool::new(false),
            }),
        })
    }

    /// Waits for the calls under way and ends the driver's tasks, so that none of them runs when the runtime ends. Calls
    /// after it are `Unavailable`. Takes at most twice [`MongoOptions::call_timeout`].
    pub async fn close(&self) -> Result<(), PortError> {
        self.shared.is_closed.store(true, Ordering::Release);
        let shut_down = |immediate: bool| async move {
            for client in self.shared.driver.close() {
                client.shutdown().immediate(immediate).await;
            }
        };
        let limit = self.shared.call_timeout;
        if tokio::time::timeout(limit, shut_down(false)).await.is_ok() {
            return Ok(());
        }
        let immediate = tokio::time::timeout(limit, shut_down(true)).await;
        immediate.map_err(|_| self.unavailable("closing", "the driver did not end in time"))
    }

    /// Whether the server answers and can take writes, for readiness.
    pub async fn ping(&self) -> Result<(), PortError> {
        let ping = async { Ok(self.database().run_command(doc! { "ping": 1 }).await?) };
        self.call("asking MongoDB whether it is there", ping).await.map(|_| ())
    }

    /// The name of the database in use.
    pub fn database_name(&self) -> &str {
        self.shared.driver.database_name()
    }

    /// Runs one call of a port within the limit. The first one that reaches the server creates the indexes.
    pub(crate) async fn call<T>(
        &self,
        what: &str,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, PortError> {
        if self.shared.is_closed.load(Ordering::Acquire) {
            return Err(self.unavailable(what, "the store is closed"));
        }
        let limit = self.shared.call_timeout;
        let prepared_work = async {
            self.shared.prepared.get_or_try_init(|| self.prepare()).await?;
            work.await
        };
        // The driver has no working socket timeout (mongo-rust-driver issue 1231), so the limit is here. A call that is
        // cut off drops its connection; whether the server still does the work is unknown, and every write may be
        // repeated.
        let ended = tokio::time::timeout(limit, Box::pin(prepared_work)).await;
        if ended.is_ok() {
            self.shared.driver.note_end();
        } else if self.shared.driver.note_cut_off(Instant::now()) {
            tracing::warn!(
                mongodb.servers = self.shared.servers,
                "MongoDB has answered no call for long; the driver is started anew"
            );
        }
        match ended {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(failure)) => Err(failure.into_port_error(what, &self.shared.servers)),
            Err(_) => {
                Err(self.unavailable(what, &format!("it did not answer within {} ms", limit.as_millis())))
            }
        }
    }

    fn unavailable(&self, what: &str, why: &str) -> PortError {
        PortError::Unavailable(format!("{what}: MongoDB at {}: {why}", self.shared.servers))
    }

    pub(crate) fn database(&self) -> Database {
        self.shared.driver.database()
    }

    pub(crate) fn collection(&self, name: &str) -> mongodb::Collection<RawDocumentBuf> {
        self.database().collection(name)
    }

    /// The collections of documents, as their crates declare them.
    pub(crate) fn collections(&self) -> &[Collection] {
        &self.shared.collections
    }

    pub(crate) fn holder(&self) -> ObjectId {
        self.shared.holder
    }

    /// Repeating it changes nothing.
    async fn prepare(&self) -> Result<(), Failure> {
        let hello = self.database().run_command(doc! { "hello": 1 }).await?;
        if hello.get_i32("maxWireVersion").unwrap_or_default() < WIRE_VERSION_MIN {
            return Err(Failure::OldServer);
        }
        self.create_indexes().await?;
        let topology = if hello.contains_key("setName") { "replica set" } else { "standalone" };
        tracing::info!(
            mongodb.servers = self.shared.servers,
            mongodb.database = self.database_name(),
            mongodb.topology = topology,
            "reached MongoDB"
        );
        Ok(())
    }
}

impl fmt::Debug for MongoShop {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("MongoShop")
            .field("servers", &self.shared.servers)
            .field("database", &self.database_name())
            .finish_non_exhaustive()
    }
}

fn set_limits(client_options: &mut ClientOptions, options: MongoOptions) {
    client_options.app_name.get_or_insert_with(|| "tolov".to_owned());
    client_options.server_selection_timeout.get_or_insert(options.server_selection_timeout);
    client_options.connect_timeout.get_or_insert(options.server_selection_timeout);
    // A standalone acknowledges from memory unless the journal is asked for, so a majority and the journal are, whatever
    // the URL says.
    let durable = WriteConcern::builder()
        .w(mongodb::options::Acknowledgment::Majority)
        .journal(true)
        .w_timeout(options.call_timeout)
        .build();
    client_options.write_concern = Some(durable);
    client_options.read_concern = Some(ReadConcern::local());
    client_options.selection_criteria = Some(SelectionCriteria::ReadPreference(ReadPreference::Primary));
}

/// The driver may quote a part of the URL in its error, which is left out where the URL has a password.
pub(crate) fn unreadable_url(url: &Secret, error: &mongodb::error::Error) -> PortError {
    if matches!(*error.kind, mongodb::error::ErrorKind::DnsResolve { .. }) {
        return PortError::Unavailable("the name in MONGO_URL cannot be looked up; try again later".into());
    }
    let shown = if url.expose().contains('@') { String::new() } else { format!(" ({})", error.kind) };
    PortError::Refused(format!(
        "MONGO_URL cannot be used{shown}: write mongodb://user:password@host:27017/database and percent-encode \
         special characters in the password"
    ))
}
