//! Sessions with PostgreSQL: their limits, and how they plan.

use std::{fmt, io, str::FromStr, time::Duration};

use sqlx::{ConnectOptions, PgConnection, postgres::PgConnectOptions};
use tolov_kit::secret::Secret;

/// Wakes the relay whose turn it is, whichever process it is in.
pub(super) const OUTBOX_CHANNEL: &str = "tolov_outbox";

/// Shorter than a caller waits for its answer, as SQLite's.
const LOCK_TIMEOUT: &str = "3s";
const STATEMENT_TIMEOUT: &str = "4s";
/// A process that hangs between two statements gives the lock up after this.
const IDLE_IN_TRANSACTION_TIMEOUT: &str = "5s";
/// Connecting, or one exchange with the server; it has its own, shorter limits.
pub(super) const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(6);

/// A database, and what every session of a service with it is told first. Has a password, so it does not print.
#[derive(Clone)]
pub(crate) struct Server(PgConnectOptions);

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Server(…)")
    }
}

impl Server {
    pub(super) fn of(url: &Secret) -> Result<Self, sqlx::Error> {
        let options = PgConnectOptions::from_str(url.expose())?;
        // Rows are found by keys and in the order of an index, also by a plan that was made when a table was empty.
        let by_index = ["seqscan", "bitmapscan", "hashjoin", "mergejoin", "material", "sort"];
        let by_index = by_index.map(|way| (format!("enable_{way}"), "off"));
        let limits = [
            ("lock_timeout", LOCK_TIMEOUT),
            ("statement_timeout", STATEMENT_TIMEOUT),
            ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION_TIMEOUT),
            // The server ends the session of a machine that is gone, and with it the turn at relaying: of an idle one by
            // keepalives, of one that has not acknowledged what it was sent by the user timeout, since no keepalive is sent
            // meanwhile. In milliseconds; both take 11 s.
            ("tcp_keepalives_idle", "5"),
            ("tcp_keepalives_interval", "2"),
            ("tcp_keepalives_count", "3"),
            ("tcp_user_timeout", "11000"),
        ];
        let options = options.application_name("tolov-ledger").options(by_index).options([("jit", "off")]);
        Ok(Self(options.options(limits).disable_statement_logging()))
    }

    /// The same with other settings.
    pub(super) fn with<const N: usize>(&self, settings: [(&str, &str); N]) -> Self {
        Self(self.0.clone().options(settings))
    }

    pub(super) async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        within_limit(Box::pin(self.0.connect())).await
    }

    pub(super) fn options(&self) -> PgConnectOptions {
        self.0.clone()
    }
}

/// Nothing waits for ever for a server that has gone silent.
pub(in crate::ledger) async fn within_limit<T, E: From<sqlx::Error>>(
    exchange: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    within(EXCHANGE_TIMEOUT, exchange).await
}

pub(in crate::ledger) async fn within<T, E: From<sqlx::Error>>(
    limit: Duration,
    exchange: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let silent = |_| sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "PostgreSQL is silent"));
    tokio::time::timeout(limit, exchange).await.map_err(silent)?
}
