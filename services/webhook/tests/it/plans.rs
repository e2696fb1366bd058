//! How SQLite answers the statements of the ledger: by a key or an index that holds what is asked for, with any number of
//! rows. The texts are taken from the sources, so that a new statement is looked at too.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use sqlx::{AssertSqlSafe, Executor, Row, SqliteConnection};

use crate::{app::TestApp, engine::Database};

/// Tables that are small however long a shop runs, and what is left of one of them.
const SMALL: [&str; 8] = [
    "ledger_state",
    "unverified_callbacks",
    "beyond",
    "restores",
    "restore_checks",
    "open_returns",
    "clock_jumps",
    "sqlite_schema",
];

/// Files that read a copy or the whole ledger, on their own connections, for a backup, a restore or an audit.
const READ_EVERYTHING: [&str; 6] =
    ["backup.rs", "restore.rs", "reader.rs", "copy/sqlite.rs", "copy/postgres.rs", "copy/table.rs"];

/// PostgreSQL's own statements; tests/postgres/plans.rs looks at them.
const OTHER_ENGINE: &str = "postgres";

/// Sorted after they were found by their key or by an index of their own, and few.
const SORTED: [&str; 2] = ["SELECT prepare_id, click_trans_id", UNPLACED_IN_TELEGRAM];
const UNPLACED_IN_TELEGRAM: &str = "SELECT id, payload, user_id";

const ORDERS: &str = "FROM orders WHERE order_id <";
const ORDERS_BY_STATUS: &str = "FROM orders WHERE status = $3";
const UNSENT: &str = "SELECT id, event_id, order_id, routing_key";
const SILENT_ATTEMPTS: &str = "SELECT s.prepare_id";
const OPEN_REFUNDS: &str = "SELECT r.refund, a.prepare_id";
const REFUNDS_OF_AN_ORDER: &str = "SELECT refund FROM refunds_as_json";
const PRUNE_OUTBOX: &str = "DELETE FROM outbox";
const PRUNE_UNVERIFIED: &str = "DELETE FROM unverified_callbacks";

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with(OTHER_ENGINE) {
            continue;
        }
        if path.is_dir() {
            sources(&path, found);
        } else if !READ_EVERYTHING.iter().any(|name| path.ends_with(name)) {
            found.push(path);
        }
    }
}

/// The texts between quotes, apart from comments and unit tests.
fn literals(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]").next().unwrap();
    let code: Vec<&str> = source.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n").replace("\\\"", "'");
    code.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// A statement whose rows are bound has one in the source, and runs with many.
fn with_more_rows(text: &str) -> String {
    match text.split_once("(VALUES (").and_then(|(before, rest)| Some((before, rest.split_once(')')?))) {
        Some((before, (row, rest))) => {
            format!("{before}(VALUES ({row}){}{rest}", format!(", ({row})").repeat(63))
        }
        None => text.to_owned(),
    }
}

/// Every statement of the ledger that finds rows, on one line. An INSERT looks at others for foreign keys that another
/// statement of its transaction has broken, and there is none.
fn statements() -> BTreeSet<String> {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ledger"), &mut files);
    let texts = files.iter().flat_map(|file| literals(&std::fs::read_to_string(file).unwrap()));
    let without_comments = texts.map(|text| {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("--"));
        lines.map(str::trim).collect::<Vec<_>>().join(" ")
    });
    let without_comments = without_comments.map(|text| with_more_rows(&text));
    let parts: Vec<String> =
        without_comments.flat_map(|text| text.split(';').map(str::to_owned).collect::<Vec<_>>()).collect();
    let reads = ["SELECT ", "DELETE ", "UPDATE "];
    let parts = parts.iter().map(|part| part.trim().replace('\n', " "));
    parts.filter(|part| reads.iter().any(|verb| part.starts_with(verb))).collect()
}

async fn plan(file: &mut SqliteConnection, statement: &str) -> Vec<String> {
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
    let steps = file.fetch_all(sqlx::raw_sql(explain)).await;
    assert!(steps.is_ok(), "{statement}: {steps:?}");
    steps.unwrap().iter().map(|step| step.get("detail")).collect()
}

/// Whether a step reads a table from end to end, or sorts. A partial index holds the rows of its condition alone.
fn is_costly(step: &str, partial_indexes: &[String]) -> bool {
    let is_partial = partial_indexes.iter().any(|index| step.ends_with(&format!("INDEX {index}")));
    let is_list = ["VIRTUAL TABLE", "CONSTANT ROW", "VALUES CLAUSE", "(subquery"]
        .iter()
        .any(|list| step.contains(list));
    let is_small = SMALL.iter().any(|table| step == format!("SCAN {table}"));
    step.starts_with("USE TEMP B-TREE") || (step.starts_with("SCAN ") && !is_partial && !is_list && !is_small)
}

/// 50,000 orders, and a million events, of which a hundred wait.
async fn fill(file: &mut SqliteConnection) {
    let rows = |count: u32| {
        format!(
            "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {count})"
        )
    };
    let orders = format!(
        "{} INSERT INTO orders (order_id, user_id, products, amount_tiyin, payment_method, status, created_at, changed_at)
         SELECT n, 1, '[]', 100, 'click', iif(n % 3, 'expired', 'pending'), n, n FROM number",
        rows(50_000)
    );
    let events = format!(
        "{} INSERT INTO outbox (event_id, order_id, routing_key, schema, body, created_at)
         SELECT 'order.expired:' || n, n % 50000 + 1, 'order.expired', 'order.expired/1', '{{}}', n FROM number",
        rows(1_000_000)
    );
    let sent = "UPDATE outbox SET sent_at = created_at WHERE id > 100".to_owned();
    for statement in [orders, events, sent] {
        file.execute(AssertSqlSafe(statement)).await.unwrap();
    }
}

#[tokio::test]
async fn every_statement_of_the_ledger_is_answered_by_keys_and_indexes_however_many_rows_there_are() {
    let mut app = TestApp::start().await;
    app.stop().await;
    let copy = Database::new().await;
    std::fs::copy(app.ledger_path(), copy.address()).unwrap();
    let mut file = copy.connect().await;
    let partial_indexes: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql LIKE '%WHERE%'")
            .fetch_all(&mut file)
            .await
            .unwrap();
    fill(&mut file).await;
    let statements = statements();
    for with_statistics in [false, true] {
        if with_statistics {
            file.execute("ANALYZE").await.unwrap();
        }
        let (mut seen, mut costly) = (Vec::new(), Vec::new());
        for statement in &statements {
            let plan = plan(&mut file, statement).await;
            if !SORTED.iter().any(|sorted| statement.starts_with(sorted))
                && plan.iter().any(|step| is_costly(step, &partial_indexes))
            {
                costly.push((statement, plan.clone()));
            }
            seen.push((statement, plan.join("; ")));
        }
        // With statistics SQLite may prefer to read a table of which nearly every row is wanted.
        assert!(with_statistics || costly.is_empty(), "{costly:#?}");
        for (beginning, index) in [
            (ORDERS, "USING INTEGER PRIMARY KEY (rowid<?)"),
            (ORDERS_BY_STATUS, "USING INDEX orders_by_status (status=? AND order_id<?)"),
            (UNSENT, "USING INDEX outbox_unsent"),
            (PRUNE_OUTBOX, "INDEX outbox_sent (sent_at<?)"),
            (PRUNE_UNVERIFIED, "USING INTEGER PRIMARY KEY"),
            (SILENT_ATTEMPTS, "USING INDEX attempts_given_up (prepared_at>?)"),
            (OPEN_REFUNDS, "USING INDEX refunds_open"),
            (REFUNDS_OF_AN_ORDER, "(order_id>? AND order_id<?)"),
            (UNPLACED_IN_TELEGRAM, "USING INDEX telegram_payments_unplaced_once"),
        ] {
            let (_, plan) = seen.iter().find(|(statement, _)| statement.contains(beginning)).unwrap();
            assert!(plan.contains(index), "{beginning}: {plan}");
        }
    }
    app.finish().await;
}
