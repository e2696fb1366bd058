//! How PostgreSQL answers the statements of the ledger: by keys and indexes, with any number of rows. The texts are taken from the
//! sources, as for SQLite.

use std::{collections::BTreeSet, path::Path};

use sqlx::{AssertSqlSafe, Connection as _, Executor, Row};

use tolov_webhook::ledger::Ledger;

use crate::{
    app::generous,
    engine::{Connection, Database},
};

/// Tables that are small however long a shop runs.
const SMALL: [&str; 6] =
    ["ledger_state", "unverified_callbacks", "restores", "restore_checks", "open_returns", "clock_jumps"];

/// What is said otherwise for PostgreSQL, or reads a copy.
const OF_SQLITE: [&str; 7] =
    ["($1 ->>", "json_each", "INDEXED BY", "?1", "unplaced = 1", "json_group_array", "sqlite_"];

fn literals(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]").next().unwrap();
    let code: Vec<&str> = source.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    code.join("\n").split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

fn statements() -> BTreeSet<String> {
    fn add(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let reads_everything = ["file", "copy", "diagnosis.rs", "restored.rs"];
            if reads_everything.iter().any(|name| path.ends_with(name)) {
                continue;
            }
            if path.is_dir() {
                add(&path, found);
                continue;
            }
            let reads = ["SELECT ", "DELETE ", "UPDATE ", "INSERT "];
            let texts = literals(&std::fs::read_to_string(&path).unwrap());
            let texts = texts.into_iter().map(|text| text.trim().to_owned());
            found.extend(texts.filter(|text| {
                reads.iter().any(|verb| text.starts_with(verb))
                    && OF_SQLITE.iter().all(|dialect| !text.contains(dialect))
                    // The beginning of a text that a macro puts together.
                    && !text.ends_with("FROM")
                    && !text.ends_with("AND")
            }));
        }
    }
    let mut found = BTreeSet::new();
    add(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ledger"), &mut found);
    found
}

/// 20,000 orders, half of them paid, with an attempt, a receipt and an event each, of which few wait.
const FILL: &str = "
    INSERT INTO orders (order_id, user_id, products, amount_tiyin, payment_method, status, created_at, changed_at)
      SELECT n, 1, '[]', 100, 'click', 'pending', n, n FROM generate_series(1, 20000) AS n;
    INSERT INTO receipts (order_id, content, state, since, changed_at, changed_by, step, tries)
      SELECT n, '{}', 'agreed', n, n, 'ledger', 0, 0 FROM generate_series(1, 20000) AS n;
    INSERT INTO attempts (prepare_id, order_id, click_trans_id, click_paydoc_id, amount_tiyin, state, prepared_at, settled_at,
        paid_trans_id, paid_paydoc_id)
      SELECT n, n, n, n, 100, CASE n % 2 WHEN 0 THEN 'paid' ELSE 'given_up' END, n, n,
        CASE n % 2 WHEN 0 THEN n END, CASE n % 2 WHEN 0 THEN n END FROM generate_series(1, 20000) AS n;
    UPDATE orders SET status = 'paid', paid_by = order_id WHERE order_id % 2 = 0;
    UPDATE orders SET status = 'expired' WHERE order_id % 2 = 1 AND order_id % 100 <> 1;
    UPDATE receipts SET state = 'missing', why = 'no_codes', step = 2, next_step_at = NULL WHERE order_id % 1000 = 0;
    UPDATE receipts SET state = 'by_hand', decided_by = 'a', document = 'b', step = 2, next_step_at = NULL
      WHERE state = 'needed' AND order_id % 500 <> 0;
    INSERT INTO telegram_payments (prepare_id, order_id, payload, user_id, amount_tiyin, currency, telegram_charge_id,
        provider_charge_id, received_at, outcome)
      SELECT n, n, 'x', 1, 100, 'UZS', n, n, n, 'paid' FROM generate_series(2, 20000, 2) AS n;
    INSERT INTO callbacks (received_at, peer, order_id, fields, code, answer, unplaced, source)
      SELECT n, 'x', n, '{}', 0, '{}', FALSE, 'click' FROM generate_series(1, 20000) AS n;
    INSERT INTO outbox (event_id, order_id, routing_key, schema, body, created_at, sent_at)
      SELECT 'order.expired:' || n, n, 'order.expired', 'order.expired/1', '{}', n, CASE WHEN n < 19900 THEN n END
      FROM generate_series(1, 20000) AS n;
    ANALYZE";

/// The plan for any parameters, as a service's session makes it. The parameters are found by trying.
async fn plan(file: &mut Connection, statement: &str) -> String {
    let count = (1..=9).rev().find(|n| statement.contains(&format!("${n}"))).unwrap_or(0);
    for kinds in 0..1_u32 << count {
        let kinds: Vec<&str> =
            (0..count).map(|n| if kinds & (1 << n) == 0 { "bigint" } else { "text" }).collect();
        let types = if count == 0 { String::new() } else { format!("({})", kinds.join(", ")) };
        let prepare = AssertSqlSafe(format!("PREPARE looked_at {types} AS {statement}"));
        if file.execute(sqlx::raw_sql(prepare)).await.is_err() {
            continue;
        }
        let nulls = vec!["NULL"; count].join(", ");
        let arguments = if count == 0 { String::new() } else { format!("({nulls})") };
        let explain = AssertSqlSafe(format!("EXPLAIN (COSTS OFF) EXECUTE looked_at {arguments}"));
        let steps = file.fetch_all(sqlx::raw_sql(explain)).await.unwrap();
        file.execute("DEALLOCATE looked_at").await.unwrap();
        return steps.iter().map(|step| step.get::<String, _>(0)).collect::<Vec<_>>().join("\n");
    }
    panic!("PostgreSQL does not understand: {statement}");
}

#[tokio::test]
async fn every_statement_of_the_ledger_is_answered_by_keys_and_indexes() {
    let database = Database::new().await;
    let (_, writer) = Ledger::open(database.place(), generous()).await.unwrap();
    writer.close().await;
    let mut file = database.connect().await;
    file.execute("SET plan_cache_mode = force_generic_plan").await.unwrap();
    for way in ["seqscan", "bitmapscan", "hashjoin", "mergejoin", "material", "sort"] {
        file.execute(AssertSqlSafe(format!("SET enable_{way} = off"))).await.unwrap();
    }
    let mut transaction = file.begin().await.unwrap();
    transaction.execute(sqlx::raw_sql(FILL)).await.unwrap();
    transaction.commit().await.unwrap();
    let statements = statements();
    assert!(statements.len() > 50, "{}", statements.len());
    for statement in &statements {
        let plan = plan(&mut file, statement).await;
        let scanned = plan.lines().filter_map(|step| step.split("Seq Scan on ").nth(1));
        let costly: Vec<&str> =
            scanned.filter(|table| !SMALL.iter().any(|small| table.starts_with(small))).collect();
        assert!(costly.is_empty(), "{statement}\n{plan}");
    }
}
