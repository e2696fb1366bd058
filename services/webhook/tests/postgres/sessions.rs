//! Sessions that the server or the network ends, and servers that must not be used.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use sqlx::{AssertSqlSafe, Executor};
use tolov_kit::secret::Secret;
use tolov_webhook::ledger::{Ledger, LedgerError, LedgerPlace, LedgerReader, OpenError};

use crate::{
    app::{TestApp, generous, wait_until},
    click::Callback,
    cutter::Cutter,
    engine::Database,
    overload::arrival,
};

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_found_by_the_repetition() {
    let app = TestApp::start().await;
    let cutter = Cutter::before(app.database.url()).await;
    let (ledger, writer) = Ledger::open(cutter.place(), generous()).await.unwrap();
    app.order(1).await;
    let prepare = arrival(&app, &Callback::prepare(1));
    cutter.arm();
    let lost = ledger.answer(prepare).await;
    assert!(matches!(lost, Err(LedgerError::NotCommitted)), "{lost:?}");
    assert_eq!(app.attempts_of(1).await, ["prepared"], "it was committed all the same");
    let again = ledger.answer(arrival(&app, &Callback::prepare(1))).await.unwrap();
    assert_eq!(again.merchant_prepare_id.unwrap().get(), 1, "the repetition is answered with its number");
    cutter.arm();
    let lost = ledger.answer(arrival(&app, &Callback::complete(1, 1))).await;
    assert!(matches!(lost, Err(LedgerError::NotCommitted)), "{lost:?}");
    let again = ledger.answer(arrival(&app, &Callback::complete(1, 1))).await.unwrap();
    assert_eq!(again.error, -4, "it is paid");
    app.order(2).await;
    let next = ledger.answer(arrival(&app, &Callback::prepare(2))).await.unwrap();
    assert_eq!(next.merchant_prepare_id.unwrap().get(), 2);
    app.count_callbacks(5, 5);
    drop(ledger);
    writer.close().await;
    app.finish().await;
}

const END_ALL_OTHERS: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()";

#[tokio::test]
async fn sessions_that_the_server_has_ended_between_two_batches_are_replaced_unseen() {
    let app = TestApp::start().await;
    let mut admin = app.file().await;
    for order_id in 1..=5 {
        app.order(order_id).await;
        let prepare_id = app.prepared(order_id).await;
        app.until_the_outbox_is_empty().await;
        admin.execute(END_ALL_OTHERS).await.unwrap();
        assert_eq!(app.code(&Callback::complete(order_id, prepare_id)).await, 0);
        wait_until("readers are connected anew", async || app.get("/orders/1").await.0 == 200).await;
    }
    app.finish().await;
}

#[tokio::test]
async fn columns_that_a_newer_version_adds_while_this_one_runs_disturb_nothing() {
    let app = TestApp::start().await;
    app.order(1).await;
    app.paid(1).await;
    // More often than a pool has connections, so that each has its statement prepared.
    for _ in 0..20 {
        assert_eq!(app.get("/orders/1").await.0, 200);
    }
    let mut admin = app.file().await;
    for table in ["orders", "attempts", "callbacks", "outbox", "refunds", "ledger_state"] {
        let statement = format!("ALTER TABLE {table} ADD COLUMN added_later TEXT");
        admin.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    for _ in 0..20 {
        assert_eq!(app.get("/orders/1").await.0, 200);
    }
    app.order(2).await;
    app.paid(2).await;
    app.finish().await;
}

#[tokio::test]
async fn a_server_that_may_lose_a_payment_or_only_reads_is_refused() {
    let database = Database::new().await;
    for (setting, value) in [
        ("synchronous_commit", "off"),
        ("synchronous_commit", "local"),
        ("default_transaction_read_only", "on"),
    ] {
        let mut admin = database.connect().await;
        let name = database.url().path().trim_start_matches('/').to_owned();
        admin.execute("SET default_transaction_read_only = off").await.unwrap();
        let set = format!("ALTER DATABASE {name} SET {setting} = {value}");
        admin.execute(AssertSqlSafe(set)).await.unwrap();
        let refused = Ledger::open(database.place(), generous()).await.unwrap_err();
        assert!(refused.to_string().contains(setting), "{refused}");
        let reset = format!("ALTER DATABASE {name} RESET {setting}");
        admin.execute(AssertSqlSafe(reset)).await.unwrap();
    }
    let (_, writer) = Ledger::open(database.place(), generous()).await.unwrap();
    writer.close().await;
}

#[tokio::test]
async fn a_server_that_may_lose_a_payment_is_refused_also_when_the_writer_connects_anew() {
    let app = TestApp::start().await;
    app.order(1).await;
    let prepare_id = app.prepared(1).await;
    let mut admin = app.file().await;
    let name = app.database.url().path().trim_start_matches('/').to_owned();
    // As on a server that has taken over with settings of its own.
    let set = format!("ALTER DATABASE {name} SET synchronous_commit = off");
    admin.execute(AssertSqlSafe(set)).await.unwrap();
    admin.execute(END_ALL_OTHERS).await.unwrap();
    assert_eq!(app.code(&Callback::complete(1, prepare_id)).await, -7);
    let reset = format!("ALTER DATABASE {name} RESET synchronous_commit");
    admin.execute(AssertSqlSafe(reset)).await.unwrap();
    assert_eq!(app.code(&Callback::complete(1, prepare_id)).await, 0);
    app.finish().await;
}

#[tokio::test]
async fn a_process_that_starts_while_another_one_makes_the_ledger_takes_it_for_no_other_programs() {
    let database = Database::new().await;
    let slow_way = Cutter::before(database.url()).await;
    slow_way.hold("FROM pg_tables");
    let is_open = Cell::new(false);
    let slow = Ledger::open(slow_way.place(), generous());
    let other = async {
        wait_until("the slow one has found no ledger and looks for other tables", async || slow_way.holds())
            .await;
        let opened = Ledger::open(database.place(), generous()).await;
        is_open.set(true);
        opened
    };
    let release = async {
        wait_until("the other one has made the ledger, or waits", async || {
            let waiting =
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory' AND database =
                   (SELECT oid FROM pg_database WHERE datname = current_database())";
            let mut admin = database.connect().await;
            is_open.get() || sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut admin).await.unwrap() > 0
        })
        .await;
        slow_way.release();
    };
    let (slow, other, ()) = tokio::join!(slow, other, release);
    for opened in [slow, other] {
        let (_, writer) = opened.unwrap();
        writer.close().await;
    }
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_stays_as_it_is() {
    let database = Database::new().await;
    let mut admin = database.connect().await;
    admin.execute("CREATE TABLE orders (id BIGINT PRIMARY KEY, amount REAL)").await.unwrap();
    let refused = Ledger::open(database.place(), generous()).await.unwrap_err();
    assert!(matches!(refused, OpenError::ForeignDatabase), "{refused:?}");
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        .fetch_one(&mut admin)
        .await
        .unwrap();
    assert_eq!(tables, 1);
}

#[tokio::test]
async fn what_cannot_be_opened_says_why_without_the_password() {
    let database = Database::new().await;
    let missing = LedgerReader::open(database.place()).await.unwrap_err();
    assert!(matches!(missing, OpenError::NoLedger), "{missing:?}");
    for address in [
        "postgres://tolov:hidden@127.0.0.1:1/ledger",
        "postgres://tolov:hidden@127.0.0.1:99999/ledger",
        "postgres://tolov:hidden@[::1/ledger",
    ] {
        let place = LedgerPlace::Postgres(Secret::new(address));
        let refused = Ledger::open(place, generous()).await.unwrap_err();
        assert!(!format!("{refused} {refused:?}").contains("hidden"), "{refused:?}");
    }
}

#[tokio::test]
async fn what_is_printed_of_a_ledger_tells_no_password() {
    let database = Database::new().await;
    let (ledger, writer) = Ledger::open(database.place(), generous()).await.unwrap();
    let printed = format!("{ledger:?} {writer:?}");
    let password = format!("{:?}", database.url().password().unwrap());
    assert!(!printed.contains(&password), "{printed}");
    drop(ledger);
    writer.close().await;
}

#[tokio::test]
async fn a_process_that_hangs_with_the_lock_gives_it_up() {
    let app = TestApp::start().await;
    app.order(1).await;
    app.order(2).await;
    let cutter = Cutter::before(app.database.url()).await;
    let (hanging, writer) = Ledger::open(cutter.place(), generous()).await.unwrap();
    cutter.hold("INSERT INTO callbacks");
    let prepare = arrival(&app, &Callback::prepare(1));
    let undecided = tokio::spawn(async move { hanging.answer(prepare).await });
    wait_until("it has the lock and stores nothing", async || cutter.holds()).await;
    let started = Instant::now();
    // CLICK repeats what is answered with -7.
    while app.code(&Callback::prepare(2)).await != 0 {
        assert!(started.elapsed() < Duration::from_secs(10), "nobody else takes the lock");
    }
    let given_up = undecided.await.unwrap();
    assert!(given_up.is_err(), "{given_up:?}");
    cutter.release();
    assert_eq!(app.attempts_of(1).await, Vec::<String>::new(), "what it had begun is undone");
    writer.close().await;
    app.finish().await;
}

/// A session of the service tells what the server has set for it.
const TELL: &str = "CREATE TABLE told (name TEXT, value TEXT);
  CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO told SELECT name, setting FROM pg_settings WHERE name LIKE 'tcp\\_%'; RETURN NULL; END $$;
  CREATE TRIGGER tell AFTER INSERT ON orders FOR EACH STATEMENT EXECUTE FUNCTION tell()";

#[tokio::test]
async fn the_server_ends_the_session_of_a_machine_that_is_gone_idle_or_not() {
    let app = TestApp::start().await;
    let mut admin = app.file().await;
    admin.execute(sqlx::raw_sql(TELL)).await.unwrap();
    app.order(1).await;
    let told: Vec<(String, String)> =
        sqlx::query_as("SELECT name, value FROM told ORDER BY name").fetch_all(&mut admin).await.unwrap();
    let told: Vec<String> = told.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let expected = [
        "tcp_keepalives_count=3",
        "tcp_keepalives_idle=5",
        "tcp_keepalives_interval=2",
        // No keepalive is sent while something is not acknowledged.
        "tcp_user_timeout=11000",
    ];
    assert_eq!(told, expected);
    app.finish().await;
}

/// The newest migration is pending, and changes the table that every transaction begins with.
const PENDING: &str = "DROP TABLE clock_jumps;
  DELETE FROM _sqlx_migrations WHERE version = 5;
  CREATE FUNCTION alter_ledger_state() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    ALTER TABLE ledger_state ADD COLUMN added_later TEXT; RETURN NEW; END $$;
  CREATE TRIGGER alters BEFORE INSERT ON _sqlx_migrations FOR EACH ROW EXECUTE FUNCTION alter_ledger_state()";

#[tokio::test]
async fn payments_go_on_while_a_migration_waits_for_the_end_of_a_dump() {
    let app = TestApp::start().await;
    for order_id in 1..=3 {
        app.order(order_id).await;
    }
    let mut admin = app.file().await;
    admin.execute(sqlx::raw_sql(PENDING)).await.unwrap();
    let mut dump = app.file().await;
    dump.execute(sqlx::raw_sql("BEGIN; LOCK TABLE ledger_state IN ACCESS SHARE MODE")).await.unwrap();
    let newer = Ledger::open(app.place(), generous());
    let paying = async {
        for order_id in 1..=2 {
            wait_until("the migration waits for the table", async || {
                let waiting =
                    "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'ledger_state'::regclass";
                let mut admin = app.file().await;
                sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut admin).await.unwrap() > 0
            })
            .await;
            assert_eq!(app.code(&Callback::prepare(order_id)).await, 0, "try {order_id}");
        }
        dump.execute("ROLLBACK").await.unwrap();
    };
    let (opened, ()) = tokio::join!(newer, paying);
    let (_, writer) = opened.unwrap();
    assert_eq!(app.code(&Callback::prepare(3)).await, 0);
    let applied = "SELECT count(*) FROM _sqlx_migrations WHERE version = 5";
    assert_eq!(sqlx::query_scalar::<_, i64>(applied).fetch_one(&mut admin).await.unwrap(), 1);
    writer.close().await;
    app.finish().await;
}
