//! The engine that this suite runs on: PostgreSQL, a database a test on the server that TEST_POSTGRES_URL names.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection as _, Executor, PgConnection, postgres::PgConnectOptions,
};
use tempfile::TempDir;
use tolov_kit::secret::Secret;
use tolov_webhook::ledger::LedgerPlace;
use url::Url;

pub(crate) type Connection = PgConnection;

pub(crate) const LOCK: &str = "BEGIN; SELECT 1 FROM ledger_state FOR UPDATE";

pub(crate) const AS_JSON: &str = "::json";

pub(crate) const REFUSED: &[&str] = &["TRUNCATE callbacks", "TRUNCATE attempts CASCADE"];

pub(crate) const EXTENDED: &str = "CREATE TABLE added_later (id BIGINT PRIMARY KEY);
     ALTER TABLE orders ADD COLUMN added_later TEXT;
     INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
       VALUES (99, 'of a newer version', TRUE, '\\x00', 0)";
pub(crate) const TOO_NEW: &str = "UPDATE ledger_state SET schema_needed = 99";

/// The schema of the release before late payments were kept.
pub(crate) const WITHOUT_LATE: &str = "DROP TRIGGER late_payments_stay_late ON outbox;
     DROP FUNCTION late_payments_stay_late;
     ALTER TABLE attempts DROP COLUMN paid_late;
     DELETE FROM _sqlx_migrations WHERE version >= 6";

/// The database of one test, which is dropped with it.
#[derive(Debug)]
pub(crate) struct Database {
    name: String,
    url: Url,
    folder: TempDir,
}

fn server() -> Url {
    let url = std::env::var("TEST_POSTGRES_URL");
    let url = url.unwrap_or_else(|_| {
        panic!("TEST_POSTGRES_URL is not set: run ./scripts/test, which starts a PostgreSQL")
    });
    let mut url: Url = url.parse().unwrap();
    url.set_path("postgres");
    url
}

impl Database {
    pub(crate) async fn new() -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("tolov_test_{}_{number}", std::process::id());
        let mut url = server();
        let mut admin = PgConnection::connect(url.as_str()).await.unwrap();
        admin.execute(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name}"))).await.unwrap();
        // Another language than that of bytes, as servers have it.
        let create = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'");
        admin.execute(AssertSqlSafe(create)).await.unwrap();
        admin.close().await.unwrap();
        url.set_path(&name);
        Self { name, url, folder: TempDir::new().unwrap() }
    }

    pub(crate) fn place(&self) -> LedgerPlace {
        LedgerPlace::Postgres(Secret::new(self.url.as_str()))
    }

    pub(crate) fn address(&self) -> String {
        self.url.to_string()
    }

    pub(crate) const fn url(&self) -> &Url {
        &self.url
    }

    pub(crate) const fn folder(&self) -> &TempDir {
        &self.folder
    }

    pub(crate) async fn connect(&self) -> Connection {
        self.url.as_str().parse::<PgConnectOptions>().unwrap().connect().await.unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut admin = PgConnection::connect(server().as_str()).await?;
                admin.execute(AssertSqlSafe(drop)).await?;
                anyhow::Ok(())
            })
        });
        let dropped = dropping.join();
        assert!(matches!(dropped, Ok(Ok(()))) || std::thread::panicking(), "{dropped:?}");
    }
}

/// Whether a rule of the schema was broken, or a value is none of its column's.
pub(crate) fn is_constraint(code: &str) -> bool {
    code.starts_with("23") || code.starts_with("22")
}

/// The server keeps references. Of thousands of orders the audit finds the events sooner by an index.
pub(crate) async fn check_integrity(ledger: &mut Connection) {
    ledger.execute("CREATE INDEX ON outbox (order_id)").await.unwrap();
}
