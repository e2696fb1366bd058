//! How a PostgreSQL holds a ledger, and whether its rows keep the rules between them: for a look by hand, beside the services.

use std::time::Duration;

use sqlx::{ConnectOptions, Connection, Executor, PgConnection, postgres::PgConnectOptions};
use tokio::time::Instant;
use tolov_kit::secret::Secret;

use super::{
    open::{Opener, refuse_closed},
    session::within_limit,
};
use crate::ledger::{
    OpenError,
    backup::{RULES_ON_POSTGRES, SUMMARY, Summary},
};

/// The longest that a look may take.
const TIMEOUT: Duration = Duration::from_mins(1);
/// For how long a service waits for its server, and between two tries.
const START_PATIENCE: Duration = Duration::from_mins(1);
const START_PAUSE: Duration = Duration::from_secs(1);

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub enum DiagnosisError {
    #[error("no answer within {} s", TIMEOUT.as_secs())]
    TimedOut,
    #[error(transparent)]
    Sql(#[from] sqlx::Error),
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    pub version: String,
    /// Settings with which a committed payment can be lost, as `name=value`.
    pub unsafe_settings: Vec<String>,
    /// It takes no payment: it is the replica of another server.
    pub is_replica: bool,
    /// Whether what is committed is soon elsewhere too, by an archive of the WAL or a synchronous replica.
    pub is_kept_elsewhere: bool,
    /// `None`: no service has begun a ledger there.
    pub ledger: Option<Summary>,
    /// Why no service starts on it: it was moved, or its restore was cut off.
    pub closed: Option<String>,
    /// The first broken rule, with its order.
    pub broken: Option<(&'static str, i64)>,
}

/// Looks at the database of LEDGER_URL and changes nothing.
pub async fn diagnose(url: &Secret) -> Result<Diagnosis, DiagnosisError> {
    let look = async {
        let options: PgConnectOptions = url.expose().parse()?;
        let mut connection =
            options.application_name("tolov doctor").disable_statement_logging().connect().await?;
        // One moment for all that is compared.
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let found = look(&mut connection).await;
        connection.close().await?;
        Ok(found?)
    };
    tokio::time::timeout(TIMEOUT, look).await.map_err(|_elapsed| DiagnosisError::TimedOut)?
}

/// Waits for a server that is being started, as long as it is worth. What is wrong otherwise is found by whoever opens the
/// ledger.
pub async fn wait_for_start(url: &Secret) {
    let until = Instant::now() + START_PATIENCE;
    let Ok(options) = url.expose().parse::<PgConnectOptions>() else { return };
    let options = options.application_name("tolov-start").disable_statement_logging();
    let mut is_told = false;
    while let Err(error) = within_limit(options.connect()).await {
        // 57P03: the server is starting up.
        let is_starting = match error.as_database_error() {
            Some(refusal) => refusal.code().is_some_and(|code| code == "57P03"),
            None => matches!(error, sqlx::Error::Io(_)),
        };
        if !is_starting || Instant::now() > until {
            return;
        }
        if !is_told {
            tracing::warn!(%error, "the ledger's PostgreSQL does not answer yet; it is waited for");
            is_told = true;
        }
        tokio::time::sleep(START_PAUSE).await;
    }
}

async fn look(connection: &mut PgConnection) -> Result<Diagnosis, sqlx::Error> {
    let settings: Vec<(String, String)> = sqlx::query_as(
        "SELECT name, setting FROM pg_settings WHERE name IN
           ('server_version', 'fsync', 'full_page_writes', 'synchronous_commit', 'archive_mode', 'synchronous_standby_names')",
    )
    .fetch_all(&mut *connection)
    .await?;
    let setting = |name: &str| {
        settings.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    let has_standby = !setting("synchronous_standby_names").is_empty();
    let is_unsafe = |name: &&str| match (*name, setting(name)) {
        (_, "off") => true,
        // Enough on one server, and less than its administrator wants beside a replica.
        ("synchronous_commit", "local" | "remote_write") => has_standby,
        _ => false,
    };
    let unsafe_settings =
        ["fsync", "full_page_writes", "synchronous_commit"].iter().filter(|name| is_unsafe(name));
    let unsafe_settings = unsafe_settings.map(|name| format!("{name}={}", setting(name))).collect();
    let is_replica = sqlx::query_scalar("SELECT pg_is_in_recovery()").fetch_one(&mut *connection).await?;
    let has_ledger: bool =
        sqlx::query_scalar("SELECT to_regclass('outbox') IS NOT NULL").fetch_one(&mut *connection).await?;
    let (mut ledger, mut is_closed, mut broken_rule) = (None, Ok(()), None);
    if has_ledger {
        ledger = Some(sqlx::query_as(SUMMARY).fetch_one(&mut *connection).await?);
        is_closed = refuse_closed(connection, Opener::Service).await;
        broken_rule = broken(connection).await?;
    }
    let closed = match is_closed {
        Ok(()) => None,
        Err(OpenError::Sql(error)) => return Err(error),
        Err(why) => Some(why.to_string()),
    };
    Ok(Diagnosis {
        version: setting("server_version").to_owned(),
        unsafe_settings,
        is_replica,
        is_kept_elsewhere: has_standby || !["off", ""].contains(&setting("archive_mode")),
        ledger,
        closed,
        broken: broken_rule,
    })
}

async fn broken(connection: &mut PgConnection) -> Result<Option<(&'static str, i64)>, sqlx::Error> {
    for (rule, query) in RULES_ON_POSTGRES {
        let order_id: Option<i64> = sqlx::query_scalar(query).fetch_optional(&mut *connection).await?;
        if let Some(order_id) = order_id {
            return Ok(Some((rule, order_id)));
        }
    }
    Ok(None)
}
