//! Copies of the ledger, and putting one back.

use std::path::Path;

use sqlx::{Connection, Executor, SqliteConnection};
use tempfile::TempDir;
use tolov_kit::clock::Clock;
use tolov_webhook::{
    Deps, Service, StartError,
    ledger::{
        OpenError,
        backup::{self, BackupError, Summary},
        restore::{Numbers, Place, Restore, is_unfinished, numbers_of, ready},
    },
};

use crate::{
    app::{Setup, TestApp},
    click::Callback,
};

async fn copied(app: &TestApp, folder: &TempDir) -> std::path::PathBuf {
    let copy = folder.path().join("payments.db");
    backup::copy(&app.ledger_path(), &copy).await.unwrap();
    copy
}

async fn examined(copy: &Path) -> Result<Summary, BackupError> {
    backup::examine(copy).await
}

#[tokio::test]
async fn a_copy_made_while_callbacks_are_decided_is_whole() {
    let app = TestApp::start().await;
    let folder = TempDir::new().unwrap();
    let paying = async {
        for order_id in 1..=40 {
            app.order(order_id).await;
            app.paid(order_id).await;
        }
    };
    let copying = async {
        let mut paid = Vec::new();
        for number in 0..8 {
            let copy = folder.path().join(format!("{number}.db"));
            backup::copy(&app.ledger_path(), &copy).await.unwrap();
            paid.push(examined(&copy).await.unwrap().paid);
        }
        paid
    };
    let ((), paid) = tokio::join!(paying, copying);
    assert!(paid.is_sorted() && paid.last() > paid.first(), "each copy is of a moment of its own: {paid:?}");
    let copy = copied(&app, &folder).await;
    app.until_the_outbox_is_empty().await;
    let summary = examined(&copy).await.unwrap();
    assert_eq!((summary.orders, summary.paid, summary.last_prepare_id), (40, 40, 40));
    assert_eq!(summary.paid_tiyin, 40 * 3_000_000);
    app.finish().await;
}

/// Writes what no ledger of ours would let in.
async fn tamper(copy: &Path, statements: &'static str) {
    let url = format!("sqlite://{}", copy.display());
    let mut file = SqliteConnection::connect(&url).await.unwrap();
    file.execute("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON").await.unwrap();
    file.execute(
        "DROP TRIGGER orders_keep_what_was_agreed; DROP TRIGGER attempts_keep_what_was_agreed;
         DROP TRIGGER attempts_are_kept",
    )
    .await
    .unwrap();
    file.execute(statements).await.unwrap();
    file.close().await.unwrap();
}

#[tokio::test]
async fn a_copy_that_breaks_a_rule_of_the_ledger_is_refused() {
    let app = TestApp::start().await;
    for order_id in [1, 2] {
        app.order(order_id).await;
        app.paid(order_id).await;
    }
    app.order(3).await;
    app.until_the_outbox_is_empty().await;
    let broken: [(&str, &'static str); 6] = [
        ("a paid order has one paid attempt", "UPDATE attempts SET amount_tiyin = 1 WHERE order_id = 2"),
        (
            "a paid attempt pays its order",
            "UPDATE orders SET status = 'pending', paid_by = NULL WHERE order_id = 2",
        ),
        ("a payment has its event", "DELETE FROM outbox WHERE order_id = 2"),
        (
            "tells of a paid order",
            "UPDATE outbox SET body = json_set(body, '$.amount_tiyin', 5) WHERE order_id = 2",
        ),
        (
            "has one event",
            "INSERT INTO outbox (event_id, order_id, routing_key, schema, body, created_at)
            SELECT 'again', order_id, routing_key, schema, body, created_at FROM outbox WHERE order_id = 2",
        ),
        (
            "refers to one that is not there",
            "INSERT INTO outbox (event_id, order_id, routing_key, schema, body,
            created_at) VALUES ('x', 99, 'order.expired', 'x', '{}', 0)",
        ),
    ];
    for (rule, statements) in broken {
        let folder = TempDir::new().unwrap();
        let copy = copied(&app, &folder).await;
        examined(&copy).await.unwrap();
        tamper(&copy, statements).await;
        let refused = examined(&copy).await.unwrap_err().to_string();
        assert!(refused.contains(rule), "{rule}: {refused}");
    }
    app.finish().await;
}

#[tokio::test]
async fn events_that_were_pruned_are_not_missed_whatever_the_clock_says_and_others_are() {
    let mut app = TestApp::start().await;
    app.order(1).await;
    app.paid(1).await;
    app.until_the_outbox_is_empty().await;
    let folder = TempDir::new().unwrap();
    let lost = copied(&app, &folder).await;
    tamper(&lost, "DELETE FROM outbox").await;
    assert!(examined(&lost).await.is_err(), "nothing says that it was pruned");
    // A clock that ran ahead when the outbox was pruned, and was set back since.
    app.clock.jump(time::Duration::days(30));
    assert_eq!(app.ledger().prune_outbox(app.clock.now() - time::Duration::days(7)).await.unwrap(), 1);
    app.clock.jump(time::Duration::days(-30));
    app.order(2).await;
    app.paid(2).await;
    let folder = TempDir::new().unwrap();
    let copy = copied(&app, &folder).await;
    assert_eq!(examined(&copy).await.unwrap().paid, 2);
    app.events_are_gone();
    app.finish().await;
}

#[tokio::test]
async fn a_damaged_copy_and_a_file_that_is_no_ledger_are_refused() {
    let app = TestApp::start().await;
    for order_id in 1..=30 {
        app.order(order_id).await;
        app.paid(order_id).await;
    }
    let folder = TempDir::new().unwrap();
    let copy = copied(&app, &folder).await;
    let mut bytes = std::fs::read(&copy).unwrap();
    let middle = bytes.len() / 2;
    // Several pages: part of one may be unused.
    bytes[middle..middle + 16_384].fill(0x5a);
    std::fs::write(&copy, &bytes).unwrap();
    assert!(examined(&copy).await.is_err());
    std::fs::write(&copy, "no database").unwrap();
    assert!(examined(&copy).await.is_err());
    let nowhere = folder.path().join("nowhere.db");
    assert!(matches!(backup::copy(&nowhere, &copy).await, Err(BackupError::Missing(_))));
    app.finish().await;
}

#[tokio::test]
async fn after_a_restore_no_number_is_given_to_click_that_may_have_been_given_before() {
    let mut app = TestApp::start().await;
    for order_id in 1..=20 {
        app.order(order_id).await;
    }
    app.paid(1).await;
    app.until_the_outbox_is_empty().await;
    let folder = TempDir::new().unwrap();
    let copy = copied(&app, &folder).await;
    let made_at = app.clock.now();
    let mut given_since = Vec::new();
    for order_id in 2..=20 {
        given_since.push(app.prepared(order_id).await);
    }
    app.stop().await;
    let last = numbers_of(&app.ledger_path()).await.unwrap();
    assert_eq!((Some(last.prepare_id), last.order_id), (given_since.iter().max().copied(), 20));
    let at = made_at + time::Duration::hours(3);
    // Also when what was lost cannot be read any more.
    let restore = Restore { at, backup_made_at: made_at, replaced: None, beyond_click_int: false };
    let floor = ready(&copy, restore).await.unwrap();
    assert!(floor > 3 * 100 * 10, "ten times what a shop gives out in three busy hours: {floor}");
    assert!(floor < 10_000, "and not a number more than that needs: {floor}");
    // Numbers that the ledger had given out faster than its busiest hour, and that can still be read.
    let replaced = Numbers { prepare_id: floor + 77, order_id: 40_000 };
    let known = Restore { replaced: Some(replaced), ..restore };
    let above = ready(&copy, known).await.unwrap();
    assert!(above > floor + 77, "each restore goes above the one before");
    let behind = Restore { at: made_at - time::Duration::days(2), ..restore };
    let assumed = ready(&copy, behind).await.unwrap() - above;
    assert!(assumed > 30 * 24 * 100 * 10, "a clock that is behind does not say how old it is: {assumed}");

    let setup = Setup { bus: app.bus.clone(), ..Setup::default() };
    let mut restored = TestApp::start_in(folder.into(), setup).await;
    restored.count_callbacks(2, 2);
    let highest = restored.get("/orders").await.1["highest_order_id"].as_i64();
    assert!(highest > Some(40_000), "{highest:?}");
    let fresh = restored.prepared(2).await;
    assert!(fresh > floor && !given_since.contains(&fresh));
    assert_eq!(restored.code(&Callback::complete(2, given_since[0])).await, -6, "lost with the old ledger");
    restored.stop().await;
    restored.start_again().await;
    assert!(restored.prepared(3).await > fresh);
    restored.finish().await;
    // The bus has events of the restored ledger too.
    app.events_may_be_pruned();
    app.finish().await;
}

#[tokio::test]
async fn a_ledger_is_replaced_only_while_no_service_has_it_and_opened_only_when_that_is_done() {
    let mut app = TestApp::start().await;
    assert!(matches!(Place::take(&app.ledger_path()), Err(OpenError::Locked(_))));
    app.stop().await;
    let place = Place::take(&app.ledger_path()).unwrap();
    let start = || {
        let deps = Deps { bus: app.bus.clone(), clock: std::sync::Arc::new(app.clock.clone()) };
        Service::new(app.config(), deps)
    };
    assert!(matches!(start().await, Err(StartError::Ledger(OpenError::Locked(_)))));
    std::fs::write(place.unfinished_mark(), "").unwrap();
    drop(place);
    assert!(is_unfinished(&app.ledger_path()));
    let refused = start().await.unwrap_err().to_string();
    assert!(refused.contains("tolov restore"), "{refused}");
    std::fs::remove_file(Place::take(&app.ledger_path()).unwrap().unfinished_mark()).unwrap();
    app.start_again().await;
    app.finish().await;
}

#[tokio::test]
async fn the_numbers_of_a_restored_ledger_stay_within_clicks_int_or_the_restore_is_refused() {
    let app = TestApp::start().await;
    for order_id in 1..=30 {
        app.order(order_id).await;
        app.prepared(order_id).await;
    }
    let folder = TempDir::new().unwrap();
    let copy = copied(&app, &folder).await;
    let made_at = app.clock.now();
    let old = Restore {
        at: made_at + time::Duration::days(25),
        backup_made_at: made_at,
        replaced: None,
        beyond_click_int: false,
    };
    let floor = ready(&copy, old).await.unwrap();
    assert!(floor < 1_000_000, "{floor}");
    let used_up = Restore { replaced: Some(Numbers { prepare_id: 2_147_483_000, order_id: 30 }), ..old };
    let refused = ready(&copy, used_up).await.unwrap_err();
    assert!(matches!(refused, BackupError::NumbersUsedUp { .. }), "{refused:?}");
    assert!(refused.to_string().contains("Ask CLICK"), "{refused}");
    let allowed = Restore { beyond_click_int: true, ..used_up };
    assert!(ready(&copy, allowed).await.unwrap() > 2_147_483_647);
    app.finish().await;
}
