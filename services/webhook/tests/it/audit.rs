//! What must be true of every ledger at the end of every test, asked of its engine itself.

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, Connection, Row};

use crate::engine::{AS_JSON, Database, check_integrity};

const TOLD_ONCE: &str = "a paid order is told once, another never";

/// Each names the rows that break a rule. `{json}` stands for what makes JSON of a text.
const RULES: [(&str, &str); 11] = [
    (
        "a paid order has exactly one paid attempt, of its own amount, and names it",
        "SELECT order_id FROM orders AS o WHERE status = 'paid' AND 1 <> (SELECT count(*) FROM attempts AS a
         WHERE a.order_id = o.order_id AND state = 'paid' AND a.amount_tiyin = o.amount_tiyin
           AND a.prepare_id = o.paid_by)",
    ),
    (
        "an order that is not paid has no paid attempt",
        "SELECT order_id FROM orders AS o WHERE status <> 'paid' AND EXISTS (SELECT 1 FROM attempts AS a
         WHERE a.order_id = o.order_id AND state = 'paid')",
    ),
    (
        TOLD_ONCE,
        "SELECT order_id FROM orders AS o WHERE CAST(status = 'paid' AS INTEGER) <> (SELECT count(*) FROM outbox AS e
         WHERE e.order_id = o.order_id AND routing_key = 'payment.completed')",
    ),
    (
        "the event tells the amount that was paid",
        "SELECT e.order_id FROM outbox AS e JOIN orders AS o ON o.order_id = e.order_id
         WHERE CAST(e.body{json} ->> 'amount_tiyin' AS BIGINT) IS DISTINCT FROM o.amount_tiyin
           OR e.body{json} ->> 'event_id' IS DISTINCT FROM e.event_id
           OR e.body{json} ->> 'schema' IS DISTINCT FROM e.schema
           OR CAST(e.body{json} ->> 'user_id' AS BIGINT) IS DISTINCT FROM o.user_id",
    ),
    (
        "the payment itself is late where its event says so",
        "SELECT a.order_id FROM attempts AS a JOIN outbox AS e ON e.event_id = 'payment.completed:' || a.order_id
         WHERE a.state = 'paid' AND CAST(e.body{json} ->> 'late' AS BOOLEAN) IS DISTINCT FROM a.paid_late",
    ),
    (
        "exactly one payment of a paid order was answered with success or taken back, of another none",
        "SELECT order_id FROM orders AS o WHERE CAST(status = 'paid' AS INTEGER) <> (SELECT count(*) FROM callbacks AS c
         WHERE c.order_id = o.order_id AND code = 0 AND (fields{json} ->> 'action' = '1' OR source = 'restore'))
         + (SELECT count(*) FROM attempts AS a WHERE a.order_id = o.order_id AND a.paid_source = 'reconciliation')
         + (SELECT count(*) FROM telegram_payments AS t WHERE t.order_id = o.order_id AND outcome = 'paid')",
    ),
    (
        "nothing unverified was answered with success",
        "SELECT id FROM unverified_callbacks WHERE code NOT IN (-1, -7, -8)",
    ),
    (
        "the code that is kept is the code that was answered",
        "SELECT id FROM callbacks WHERE CAST(answer{json} ->> 'error' AS BIGINT) IS DISTINCT FROM code",
    ),
    (
        "refunds never exceed what was paid",
        "SELECT order_id FROM orders AS o WHERE (SELECT coalesce(sum(amount_tiyin), 0) FROM refunds AS r
         WHERE r.order_id = o.order_id AND r.state <> 'withdrawn') > CASE WHEN o.status = 'paid' THEN o.amount_tiyin ELSE 0 END",
    ),
    (
        "every step of a refund is kept, and the last one is its state",
        "SELECT refund_id FROM refunds AS r WHERE step + 1 <> (SELECT count(*) FROM refund_steps AS s
         WHERE s.refund_id = r.refund_id)
         OR state <> (SELECT state FROM refund_steps AS s WHERE s.refund_id = r.refund_id AND s.step = r.step)",
    ),
    ("no signature is kept", "SELECT id FROM (SELECT id, fields FROM callbacks UNION ALL SELECT id, fields FROM unverified_callbacks) AS kept
         WHERE fields LIKE '%sign_string%'"),
];

/// What a test may expect of its ledger.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    /// Callbacks that were sent, and those of them that were decided for certain.
    pub(crate) sent: i64,
    pub(crate) decided: i64,
    pub(crate) outbox_is_empty: bool,
    pub(crate) events: EventsLeft,
}

/// Which events the outbox still has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventsLeft {
    All,
    /// Some that were sent are pruned.
    Some,
    /// Even events of payments are pruned.
    NotThoseOfPayments,
}

pub(crate) async fn audit(database: &Database, expected: Expected, confirmed: &[String]) {
    let mut ledger = database.connect().await;
    check_integrity(&mut ledger).await;
    for (rule, query) in RULES {
        if rule == TOLD_ONCE && expected.events == EventsLeft::NotThoseOfPayments {
            continue;
        }
        let query = AssertSqlSafe(query.replace("{json}", AS_JSON));
        let broken = sqlx::query(query).fetch_all(&mut ledger).await.unwrap();
        let broken: Vec<i64> = broken.iter().map(|row| row.get(0)).collect();
        assert!(broken.is_empty(), "{rule}: broken by {broken:?}");
    }
    let kept: i64 = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM callbacks WHERE source = 'click') + (SELECT count(*) FROM unverified_callbacks)",
    )
    .fetch_one(&mut ledger)
    .await
    .unwrap();
    let Expected { sent, decided, outbox_is_empty, events } = expected;
    assert!((decided..=sent).contains(&kept), "{kept} callbacks kept of {sent} sent, {decided} decided");
    let outbox: Vec<(String, Option<i64>)> =
        sqlx::query_as("SELECT event_id, sent_at FROM outbox ORDER BY id")
            .fetch_all(&mut ledger)
            .await
            .unwrap();
    let confirmed: BTreeSet<&str> = confirmed.iter().map(String::as_str).collect();
    for (event_id, sent_at) in &outbox {
        assert!(sent_at.is_some() || !outbox_is_empty, "{event_id} was left in the outbox");
        let was_confirmed = confirmed.contains(event_id.as_str());
        assert!(was_confirmed || sent_at.is_none(), "{event_id} is marked as sent and never was");
    }
    let written: BTreeSet<&str> = outbox.iter().map(|(event_id, _)| event_id.as_str()).collect();
    assert!(
        events != EventsLeft::All || confirmed.is_subset(&written),
        "the bus was given events that the ledger does not know"
    );
    ledger.close().await.unwrap();
}
