//! Sessions with PostgreSQL: their limits, and how they plan.

use std::{io, str::FromStr, time::Duration};

use sqlx::{
    ConnectOptions, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tolov_kit::secret::Secret;

/// Wakes the relay whose turn it is, whichever process it is in.
pub(super) const OUTBOX_CHANNEL: &str = "tolov_outbox";

/// Shorter than a caller waits for its answer, as SQLite's.
const LOCK_TIMEOUT: &str = "3s";
const STATEMENT_TIMEOUT: &str = "4s";
/// A process that hangs between two statements gives the lock up after this.
const IDLE_IN_TRANSACTION_TIMEOUT: &str = "5s";
/// Connecting, or one exchange with the server; it has its own, shorter limits.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(6);

/// Of every session of the service.
pub(super) fn options(url: &Secret) -> Result<PgConnectOptions, sqlx::Error> {
    let options = PgConnectOptions::from_str(url.expose())?;
    // Rows are found by keys and in the order of an index, also by a plan that was made when a table was empty.
    let by_index = ["seqscan", "bitmapscan", "hashjoin", "mergejoin", "material", "sort"];
    let by_index = by_index.map(|way| (format!("enable_{way}"), "off"));
    let limits = [
        ("lock_timeout", LOCK_TIMEOUT),
        ("statement_timeout", STATEMENT_TIMEOUT),
        ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION_TIMEOUT),
        // The server ends the session of a machine that is gone, and with it the turn at relaying.
        ("tcp_keepalives_idle", "5"),
        ("tcp_keepalives_interval", "2"),
        ("tcp_keepalives_count", "3"),
    ];
    let options = options.application_name("tolov-ledger").options(by_index).options([("jit", "off")]);
    let options = options.options(limits);
    Ok(options.disable_statement_logging())
}

pub(super) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    within_limit(options.connect()).await
}

/// Nothing waits for ever for a server that has gone silent.
pub(super) async fn within_limit<T>(
    exchange: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let silent = |_| sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "PostgreSQL is silent"));
    tokio::time::timeout(EXCHANGE_TIMEOUT, exchange).await.map_err(silent)?
}

pub(super) async fn pool(options: &PgConnectOptions, connections: u32) -> Result<PgPool, sqlx::Error> {
    // Kept open: under load a new one may take longer than a caller waits, and each caller would begin another.
    let pool = PgPoolOptions::new().min_connections(connections).max_connections(connections);
    pool.acquire_timeout(Duration::from_secs(5)).connect_with(options.clone()).await
}
