//! Opening the database: its settings are read, and refused when they could lose a committed payment.

use std::time::Duration;

use sqlx::{
    Connection, Executor, PgConnection,
    error::DatabaseError,
    migrate::{MigrateError, Migrator},
};
use tokio::time::Instant;
use tolov_kit::{lifecycle::chain, secret::Secret};

use super::{
    readers::ReadingSessions,
    relaying::RelaySession,
    session::{EXCHANGE_TIMEOUT, Server, within, within_limit},
};
use crate::ledger::{OpenError, SchemaError};

/// A migration may rewrite a table, and may wait so long for its turn.
const MIGRATION_TIMEOUT: &str = "10min";
const MIGRATION_PATIENCE: Duration = Duration::from_mins(10);
/// Whoever wants a table waits behind a migration that waits for it: shorter than a payment waits for its lock. A dump holds
/// every table for as long as it takes, so the migration stands back and tries again.
const MIGRATION_LOCK_TIMEOUT: &str = "SET lock_timeout = '2s'";
const MIGRATION_PAUSE: Duration = Duration::from_secs(3);
/// All migrations together, on this side.
const MIGRATIONS_TIMEOUT: Duration = Duration::from_mins(15);
/// What operators' commands ask for may be the whole ledger. The server's limit, and ours, which is a little longer.
const OPERATOR_TIMEOUT: &str = "2min";
const OPERATOR_READING_TIMEOUT: Duration = Duration::from_secs(125);

const REQUEST_READERS: usize = 4;
/// The oldest that the tests know nothing against: 14.
const OLDEST_SERVER: i32 = 140_000;

/// Advisory lock of whoever recognises a database and makes its schema.
const SCHEMA_LOCK: i64 = 0x746f_6c6f_7602;

/// What each of these settings must be, its best value first.
const SETTINGS: [(&str, &[&str]); 5] = [
    ("fsync", &["on"]),
    ("full_page_writes", &["on"]),
    ("synchronous_commit", &["on", "remote_apply"]),
    ("default_transaction_read_only", &["off"]),
    ("server_encoding", &["UTF8"]),
];

/// Who opens a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opener {
    Service,
    /// Whoever completes a restore, until which it is closed to services.
    Restore,
}

pub(crate) struct Opened {
    pub(crate) writer: PgConnection,
    /// To connect anew, by [`reconnect`].
    pub(crate) server: Server,
    pub(crate) requests: ReadingSessions,
    pub(crate) status: ReadingSessions,
    pub(crate) relay: RelaySession,
}

pub(crate) async fn open(url: &Secret, opener: Opener) -> Result<Opened, OpenError> {
    let server = Server::of(url)?;
    let (mut writer, version) = checked_and_migrated(&server).await?;
    within_limit(refuse_closed(&mut writer, opener)).await?;
    let read_only = server.with([("default_transaction_read_only", "on")]);
    let opened = Opened {
        requests: ReadingSessions::open(read_only.clone(), REQUEST_READERS, EXCHANGE_TIMEOUT).await?,
        status: ReadingSessions::open(read_only.clone(), 1, EXCHANGE_TIMEOUT).await?,
        relay: RelaySession::new(read_only),
        writer,
        server,
    };
    tracing::info!(postgresql = version, "ledger open: fsync=on, synchronous_commit=on");
    Ok(opened)
}

/// A session with a server whose settings are good, and its version. The database has the schema of this release.
async fn checked_and_migrated(server: &Server) -> Result<(PgConnection, String), OpenError> {
    let mut connection = server.connect().await?;
    let version = within_limit(check_server(&mut connection)).await?;
    within(MIGRATIONS_TIMEOUT, migrate(server)).await?;
    Ok((connection, version))
}

/// Another session for a writer. It may be with another server than before, which has taken over.
pub(super) async fn reconnect(server: &Server, opener: Opener) -> Result<PgConnection, sqlx::Error> {
    let mut connection = server.connect().await?;
    let checked = within_limit(async {
        check_server(&mut connection).await?;
        refuse_closed(&mut connection, opener).await
    });
    match checked.await {
        Ok(()) => Ok(connection),
        Err(OpenError::Sql(error)) => Err(error),
        Err(refusal) => Err(sqlx::Error::Configuration(refusal.into())),
    }
}

/// Makes the schema of this release, with the checks that a service makes at its start.
pub(in crate::ledger) async fn bring_up_to_date(url: &Secret) -> Result<(), OpenError> {
    let (connection, _) = checked_and_migrated(&Server::of(url)?).await?;
    Ok(within_limit(connection.close()).await?)
}

/// For reading beside the services.
pub(crate) async fn reader(url: &Secret) -> Result<ReadingSessions, OpenError> {
    let limits = [("default_transaction_read_only", "on"), ("statement_timeout", OPERATOR_TIMEOUT)];
    let server = Server::of(url)?.with(limits);
    let mut connection = server.connect().await?;
    if within_limit(schema_needed(&mut connection)).await?.is_none() {
        return Err(OpenError::NoLedger);
    }
    within_limit(refuse_closed(&mut connection, Opener::Service)).await?;
    Ok(ReadingSessions::open(server, 2, OPERATOR_READING_TIMEOUT).await?)
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
    let names = SETTINGS.map(|(setting, _)| setting);
    let found: Vec<String> = sqlx::query_scalar(
        "SELECT current_setting(name) FROM unnest($1::text[]) WITH ORDINALITY AS wanted (name, place) ORDER BY place",
    )
    .bind(&names[..])
    .fetch_all(connection)
    .await?;
    for ((setting, wanted), found) in SETTINGS.into_iter().zip(found) {
        if !wanted.contains(&found.as_str()) {
            return Err(OpenError::Setting { setting, found, wanted: wanted[0] });
        }
    }
    Ok(version)
}

/// Refuses a ledger that is closed to whoever opens it. Also one whose schema an older release has made.
pub(in crate::ledger) async fn refuse_closed(
    connection: &mut PgConnection,
    opener: Opener,
) -> Result<(), OpenError> {
    let (moved_to, restoring_since): (Option<String>, Option<String>) = sqlx::query_as(
        "SELECT to_jsonb(state) ->> 'moved_to', to_jsonb(state) ->> 'restoring_since' FROM ledger_state AS state",
    )
    .fetch_one(connection)
    .await?;
    match moved_to {
        Some(to) => Err(OpenError::Moved { to }),
        None if restoring_since.is_some() && opener == Opener::Service => Err(OpenError::Restoring),
        None => Ok(()),
    }
}

/// As on SQLite: a schema that a newer version has extended is used as it is, unless the database says otherwise. Processes that
/// start together wait for one another, patiently, and hold up nobody else.
async fn migrate(server: &Server) -> Result<(), OpenError> {
    let patient = [("statement_timeout", MIGRATION_TIMEOUT), ("lock_timeout", MIGRATION_TIMEOUT)];
    let mut connection = server.with(patient).connect().await?;
    // What one of them finds, another one is about to make.
    sqlx::query("SELECT pg_advisory_lock($1)").bind(SCHEMA_LOCK).execute(&mut connection).await?;
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
    run_between_others(&migrator, &mut connection).await?;
    Ok(connection.close().await?)
}

/// Each try is a transaction of its own and undone as a whole. The payments of running services wait no longer than one try.
async fn run_between_others(migrator: &Migrator, connection: &mut PgConnection) -> Result<(), OpenError> {
    connection.execute(MIGRATION_LOCK_TIMEOUT).await?;
    let (started, mut is_told) = (Instant::now(), false);
    loop {
        let locked_out = match migrator.run(&mut *connection).await {
            Err(error) if is_locked_out(&error) && started.elapsed() < MIGRATION_PATIENCE => error,
            done => return Ok(done.map_err(SchemaError::from)?),
        };
        if !is_told {
            is_told = true;
            tracing::warn!(
                error = chain(&locked_out),
                "another session holds a table that a migration changes, a dump perhaps; tried again for 10 minutes"
            );
        }
        tokio::time::sleep(MIGRATION_PAUSE).await;
    }
}

/// lock_not_available, or deadlock_detected: somebody else wants the same tables in another order.
fn is_locked_out(error: &MigrateError) -> bool {
    let (MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) = error else {
        return false;
    };
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.is_some_and(|code| ["55P03", "40P01"].contains(&code.as_ref()))
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
