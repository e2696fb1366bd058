//! Opening the database: its settings are read, and refused when they could lose a committed payment.

use sqlx::{Connection, PgConnection, PgPool, postgres::PgConnectOptions};
use tolov_kit::secret::Secret;

use super::{
    relaying::RelaySession,
    session::{connect, options, pool},
};
use crate::ledger::{OpenError, SchemaError};

/// A migration may rewrite a table.
const MIGRATION_TIMEOUT: &str = "10min";
/// What operators' commands ask for may be the whole ledger.
const OPERATOR_TIMEOUT: &str = "2min";

const REQUEST_READERS: u32 = 4;
/// The oldest that the tests know nothing against: 14.
const OLDEST_SERVER: i32 = 140_000;

pub(crate) struct Opened {
    pub(crate) writer: PgConnection,
    /// To connect anew.
    pub(crate) options: PgConnectOptions,
    pub(crate) requests: PgPool,
    pub(crate) status: PgPool,
    pub(crate) relay: RelaySession,
}

pub(crate) async fn open(url: &Secret) -> Result<Opened, OpenError> {
    let options = options(url)?;
    let mut writer = connect(&options).await?;
    let version = check_server(&mut writer).await?;
    migrate(&options).await?;
    let read_only = options.clone().options([("default_transaction_read_only", "on")]);
    let opened = Opened {
        requests: pool(&read_only, REQUEST_READERS).await?,
        status: pool(&read_only, 1).await?,
        relay: RelaySession::new(read_only),
        writer,
        options,
    };
    tracing::info!(postgresql = version, "ledger open: fsync=on, synchronous_commit=on");
    Ok(opened)
}

/// For reading beside the services.
pub(crate) async fn reader(url: &Secret) -> Result<PgPool, OpenError> {
    let limits = [("default_transaction_read_only", "on"), ("statement_timeout", OPERATOR_TIMEOUT)];
    let options = options(url)?.options(limits);
    let known = schema_needed(&mut connect(&options).await?).await?;
    if known.is_none() {
        return Err(OpenError::NoLedger);
    }
    Ok(pool(&options, 2).await?)
}

/// Whether what this server commits survives a power cut. Returns its version.
async fn check_server(connection: &mut PgConnection) -> Result<String, OpenError> {
    let (number, version, is_standby): (i32, String, bool) = sqlx::query_as(
        "SELECT current_setting('server_version_num')::int, current_setting('server_version'), pg_is_in_recovery()",
    )
    .fetch_one(&mut *connection)
    .await?;
    if number < OLDEST_SERVER {
        return Err(OpenError::PostgresVersion(version));
    }
    if is_standby {
        return Err(OpenError::Standby);
    }
    for (setting, wanted) in [
        ("fsync", &["on"][..]),
        ("full_page_writes", &["on"]),
        ("synchronous_commit", &["on", "remote_apply"]),
        ("default_transaction_read_only", &["off"]),
        ("server_encoding", &["UTF8"]),
    ] {
        let query = sqlx::query_scalar("SELECT current_setting($1)").bind(setting);
        let found: String = query.fetch_one(&mut *connection).await?;
        if !wanted.contains(&found.as_str()) {
            return Err(OpenError::Setting { setting, found, wanted: wanted[0] });
        }
    }
    Ok(version)
}

/// As on SQLite: a schema that a newer version has extended is used as it is, unless the database says otherwise. Processes that
/// start together wait for one another.
async fn migrate(options: &PgConnectOptions) -> Result<(), OpenError> {
    let patient = [("statement_timeout", MIGRATION_TIMEOUT), ("lock_timeout", MIGRATION_TIMEOUT)];
    let mut connection = connect(&options.clone().options(patient)).await?;
    let mut migrator = sqlx::migrate!("migrations/postgres");
    let known = migrator.iter().map(|migration| migration.version).max().unwrap_or(0);
    let needed = match schema_needed(&mut connection).await? {
        Some(needed) => needed,
        None if has_other_tables(&mut connection).await? => return Err(OpenError::ForeignDatabase),
        None => 0,
    };
    if needed > known {
        return Err(SchemaError::TooNew { needed, known }.into());
    }
    migrator.set_ignore_missing(true);
    migrator.run(&mut connection).await.map_err(SchemaError::from)?;
    Ok(connection.close().await?)
}

/// Of another program, in a database without a ledger.
async fn has_other_tables(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = current_schema() AND tablename <> '_sqlx_migrations')",
    )
    .fetch_one(connection)
    .await
}

/// `None`: there is no ledger in this database.
async fn schema_needed(connection: &mut PgConnection) -> Result<Option<i64>, sqlx::Error> {
    let exists = sqlx::query_scalar("SELECT to_regclass('ledger_state') IS NOT NULL");
    if !exists.fetch_one(&mut *connection).await? {
        return Ok(None);
    }
    sqlx::query_scalar("SELECT schema_needed FROM ledger_state").fetch_optional(connection).await
}
