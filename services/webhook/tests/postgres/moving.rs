//! A ledger that was copied elsewhere, and one that was put back to an earlier time: which services may open them.

use sqlx::Executor;
use tolov_domain::OrderId;
use tolov_kit::clock::Clock;
use tolov_webhook::ledger::{
    Ledger, LedgerPlace, LedgerReader, OpenError,
    copy::{CopyError, copy},
    restore::Restore,
    restored::{finish_postgres, ready_postgres},
};

use crate::{
    app::{TestApp, generous},
    click::Callback,
    cutter::Cutter,
    engine::Database,
};

/// An app that has stopped, with order 1 paid.
async fn stopped() -> TestApp {
    let mut app = TestApp::start().await;
    app.order(1).await;
    app.paid(1).await;
    app.until_the_outbox_is_empty().await;
    app.stop().await;
    app
}

async fn is_paid(place: &LedgerPlace) -> bool {
    let (ledger, writer) = Ledger::open(place, generous()).await.unwrap();
    let order = ledger.order(OrderId::try_new(1).unwrap()).await.unwrap();
    drop(ledger);
    writer.close().await;
    order.is_some_and(|order| order.paid_by.is_some())
}

async fn refusal(place: &LedgerPlace) -> OpenError {
    let to_read = LedgerReader::open(place).await.unwrap_err();
    let to_write = Ledger::open(place, generous()).await.unwrap_err();
    assert_eq!(to_read.to_string(), to_write.to_string());
    to_write
}

#[tokio::test]
async fn a_ledger_that_was_copied_elsewhere_opens_for_nobody_and_says_where_it_went() {
    let app = stopped().await;
    let (file, other) = (app.database.folder().path().join("payments.db"), Database::new().await);
    let to_file = LedgerPlace::File(file);
    copy(&app.place(), &to_file, &()).await.unwrap();
    assert!(is_paid(&to_file).await);
    let refused = refusal(&app.place()).await;
    assert!(matches!(refused, OpenError::Moved { .. }), "{refused:?}");
    assert!(refused.to_string().contains("payments.db"), "{refused}");
    // On to a second database, which is not the one that has moved.
    copy(&to_file, &other.place(), &()).await.unwrap();
    assert!(is_paid(&other.place()).await);
    app.finish().await;
}

#[tokio::test]
async fn a_copy_that_fails_leaves_the_ledger_to_its_services() {
    let app = stopped().await;
    let mut admin = app.file().await;
    // What no constraint holds: the copy is complete, and is refused when it is examined.
    admin.execute("DELETE FROM outbox").await.unwrap();
    let to_file = LedgerPlace::File(app.database.folder().path().join("payments.db"));
    let failed = copy(&app.place(), &to_file, &()).await.unwrap_err();
    assert!(matches!(failed, CopyError::Backup(_)), "{failed:?}");
    assert!(is_paid(&app.place()).await, "its services go on");
    let mut app = app;
    app.events_are_gone();
    app.finish().await;
}

#[tokio::test]
async fn a_copy_whose_last_commit_was_not_answered_says_so_and_leaves_one_ledger_to_services() {
    let app = stopped().await;
    let (other, third) = (Database::new().await, Database::new().await);
    let (_, writer) = Ledger::open(other.place(), generous()).await.unwrap();
    writer.close().await;
    let cutter = Cutter::before(other.url()).await;
    cutter.arm();
    let failed = copy(&app.place(), &cutter.place(), &()).await.unwrap_err();
    assert!(matches!(failed, CopyError::Unanswered { .. }), "{failed:?}");
    assert!(matches!(refusal(&app.place()).await, OpenError::Moved { .. }));
    let again = copy(&app.place(), &cutter.place(), &()).await.unwrap();
    let orders = again.iter().find(|(table, _)| table == "orders").unwrap();
    assert_eq!(orders.1.rows, 1, "it was committed all the same: {again:?}");
    assert!(is_paid(&other.place()).await);
    let elsewhere = copy(&app.place(), &third.place(), &()).await.unwrap_err();
    assert!(matches!(elsewhere, CopyError::Open(OpenError::Moved { .. })), "{elsewhere:?}");
    // Had nothing of it been there, the same copy would go through.
    let mut admin = app.file().await;
    let noted = sqlx::query("UPDATE ledger_state SET moved_to = $1").bind(third.place().to_string());
    noted.execute(&mut admin).await.unwrap();
    drop(admin);
    copy(&app.place(), &third.place(), &()).await.unwrap();
    assert!(is_paid(&third.place()).await);
    app.finish().await;
}

#[tokio::test]
async fn a_service_that_runs_while_its_ledger_is_closed_commits_nothing_more() {
    let app = TestApp::start().await;
    app.order(1).await;
    let mut admin = app.file().await;
    admin.execute("UPDATE ledger_state SET moved_to = 'elsewhere'").await.unwrap();
    assert_eq!(app.code(&Callback::prepare(1)).await, -7);
    admin.execute("UPDATE ledger_state SET moved_to = NULL, restoring_since = 1").await.unwrap();
    assert_eq!(app.code(&Callback::prepare(1)).await, -7);
    admin.execute("UPDATE ledger_state SET restoring_since = NULL").await.unwrap();
    app.paid(1).await;
    app.finish().await;
}

#[tokio::test]
async fn a_database_whose_restore_was_cut_off_opens_for_nobody_until_the_command_has_run_again() {
    let app = stopped().await;
    let LedgerPlace::Postgres(url) = app.place() else { panic!("{:?}", app.place()) };
    let ready = async || {
        let at = app.clock.now();
        let restore = Restore { at, backup_made_at: at, replaced: None, beyond_click_int: false };
        ready_postgres(&url, restore).await.unwrap()
    };
    let first = ready().await;
    // Here it was cut off.
    let refused = refusal(&app.place()).await;
    assert!(matches!(refused, OpenError::Restoring), "{refused:?}");
    assert!(refused.to_string().contains("tolov ledger restored"), "{refused}");
    let file = LedgerPlace::File(app.database.folder().path().join("payments.db"));
    let copied = copy(&app.place(), &file, &()).await.unwrap_err();
    assert!(matches!(copied, CopyError::Open(OpenError::Restoring)), "{copied:?}");

    assert!(ready().await > first, "numbers go on upwards");
    let (ledger, writer) = Ledger::open_restored(app.place(), generous()).await.unwrap();
    let adopted = ledger.adopt_paid(Vec::new(), app.clock.now()).await.unwrap();
    assert!(adopted.is_empty());
    drop(ledger);
    writer.close().await;
    finish_postgres(&url).await.unwrap();
    assert!(is_paid(&app.place()).await);
    app.finish().await;
}
