//! The engine that this suite runs on: SQLite. tests/postgres runs the same tests on PostgreSQL, with an `engine` of its own.

use std::path::PathBuf;

use sqlx::{ConnectOptions, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use tolov_webhook::ledger::LedgerPlace;

use crate::app::TestApp;

pub(crate) type Connection = SqliteConnection;

/// Begins a transaction that keeps the service from committing.
pub(crate) const LOCK: &str = "BEGIN IMMEDIATE";

/// How a text becomes JSON in a statement.
pub(crate) const AS_JSON: &str = "";

/// What the types of the columns refuse here.
pub(crate) const REFUSED: &[&str] = &[
    "INSERT INTO orders VALUES (5, 1, '[]', 1.5, 'click', 'pending', 0, 0, NULL, NULL)",
    "INSERT INTO callbacks VALUES (NULL, 0, 'x', NULL, '{}', 0, '{}', 2, 'click')",
];

/// What a newer version may have done to the schema, and then to programs that would damage it.
pub(crate) const EXTENDED: &str = "CREATE TABLE added_later (id INTEGER PRIMARY KEY) STRICT;
     ALTER TABLE orders ADD COLUMN added_later TEXT;
     INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
       VALUES (99, 'of a newer version', 1, x'00', 0)";
pub(crate) const TOO_NEW: &str = "PRAGMA user_version = 99";

/// The schema of the release before late payments were kept.
pub(crate) const WITHOUT_LATE: &str = "DROP TRIGGER late_payments_stay_late;
     ALTER TABLE attempts DROP COLUMN paid_late;
     DELETE FROM _sqlx_migrations WHERE version >= 9";

/// The ledger of one test, which goes with it.
#[derive(Debug)]
pub(crate) struct Database(TempDir);

impl Database {
    #[expect(clippy::unused_async, reason = "PostgreSQL's is made by a server")]
    pub(crate) async fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn place(&self) -> LedgerPlace {
        self.0.path().join("payments.db").into()
    }

    /// The place as the process that is killed is told of it.
    pub(crate) fn address(&self) -> String {
        self.0.path().join("payments.db").to_str().unwrap().to_owned()
    }

    /// A folder that goes with it.
    pub(crate) const fn folder(&self) -> &TempDir {
        &self.0
    }

    /// Another connection to the ledger, as an auditor or a careless operator would make one.
    pub(crate) async fn connect(&self) -> Connection {
        let path = self.0.path().join("payments.db");
        SqliteConnectOptions::new().filename(path).foreign_keys(true).connect().await.unwrap()
    }
}

impl From<TempDir> for Database {
    fn from(folder: TempDir) -> Self {
        Self(folder)
    }
}

impl TestApp {
    pub(crate) fn ledger_path(&self) -> PathBuf {
        self.database.0.path().join("payments.db")
    }
}

/// Whether a rule of the schema was broken.
pub(crate) fn is_constraint(code: &str) -> bool {
    code.parse::<u32>().unwrap() % 256 == 19
}

pub(crate) async fn check_integrity(ledger: &mut Connection) {
    let integrity: Vec<String> =
        sqlx::query_scalar("PRAGMA integrity_check").fetch_all(&mut *ledger).await.unwrap();
    assert_eq!(integrity, ["ok"]);
    let orphans = sqlx::query("PRAGMA foreign_key_check").fetch_all(ledger).await.unwrap();
    assert!(orphans.is_empty(), "{} rows refer to nothing", orphans.len());
}
