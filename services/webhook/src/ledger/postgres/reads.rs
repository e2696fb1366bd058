//! The reading statements that PostgreSQL says otherwise than SQLite.

/// `payments_where` of the reader, with PostgreSQL's way into JSON.
macro_rules! payments_where {
    ($condition:literal) => {
        concat!(
            "SELECT o.order_id, o.user_id, o.products, o.amount_tiyin, a.prepare_id, a.paid_trans_id, a.paid_paydoc_id,
                    a.settled_at,
                    coalesce((SELECT (e.body::json ->> 'late')::boolean FROM outbox AS e
                                WHERE e.event_id = 'payment.completed:' || o.order_id),
                      EXISTS (SELECT 1 FROM attempts AS g WHERE g.order_id = o.order_id AND g.state = 'given_up')) AS late
             FROM orders AS o JOIN attempts AS a ON a.prepare_id = o.paid_by
             WHERE o.status = 'paid' AND ", $condition, " ORDER BY o.order_id LIMIT +$2"
        )
    };
}

pub(in crate::ledger) const PAYMENTS: &str = payments_where!("o.order_id BETWEEN $1 AND $3");

pub(in crate::ledger) const PAYMENTS_OF: &str = payments_where!(
    "o.order_id IN (SELECT value::bigint FROM json_array_elements_text($1::json) AS wanted (value))"
);

pub(in crate::ledger) const STATUSES: &str = "SELECT o.order_id, o.status FROM orders AS o
     WHERE o.order_id IN (SELECT value::bigint FROM json_array_elements_text($1::json) AS wanted (value))";

pub(in crate::ledger) const UNPLACED: &str =
    "SELECT id, received_at, peer, fields, code, answer, unplaced, source FROM callbacks
     WHERE unplaced AND id < $1 ORDER BY id DESC LIMIT +$2";

pub(in crate::ledger) const SILENT_ATTEMPTS: &str =
    "SELECT s.prepare_id, s.order_id, s.click_paydoc_id, s.amount_tiyin, s.prepared_at, FALSE AS is_paid
     FROM (SELECT a.prepare_id, a.order_id, a.click_paydoc_id, a.amount_tiyin, a.prepared_at
         FROM orders AS o CROSS JOIN attempts AS a WHERE a.order_id = o.order_id
           AND o.status = 'pending' AND a.state = 'prepared' AND a.prepared_at > $3
           AND a.click_trans_id < 9007199254740992
       UNION ALL
       SELECT a.prepare_id, a.order_id, a.click_paydoc_id, a.amount_tiyin, a.prepared_at FROM attempts AS a
         WHERE a.state = 'given_up' AND a.prepared_at > $3 AND a.click_trans_id < 9007199254740992) AS s
     LEFT JOIN attempt_checks AS c ON c.prepare_id = s.prepare_id AND c.checked_at <= $5
     WHERE CASE WHEN s.prepared_at <= $5 THEN s.prepared_at ELSE coalesce(c.checked_at, 0) END
       + ($1::json ->> coalesce(c.times, 0)::int)::bigint <= $2 LIMIT +$4";

pub(in crate::ledger) const UNATTEMPTED: &str = "SELECT o.order_id, o.created_at FROM orders AS o
     WHERE o.status = 'pending' AND o.created_at > $1
       AND NOT EXISTS (SELECT 1 FROM attempts AS a WHERE a.order_id = o.order_id)
     ORDER BY o.created_at LIMIT +$2";
