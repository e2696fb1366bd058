//! The reading statements that PostgreSQL says otherwise than SQLite.

/// `payments_where` of the reader, with PostgreSQL's way into JSON.
macro_rules! payments_where {
    ($condition:literal) => {
        concat!(
            "SELECT o.order_id, o.user_id, o.products, o.amount_tiyin, a.prepare_id, a.paid_trans_id, a.paid_paydoc_id,
                    a.settled_at, a.paid_late AS late
             FROM orders AS o JOIN attempts AS a ON a.prepare_id = o.paid_by
             WHERE o.status = 'paid' AND ", $condition, " ORDER BY o.order_id LIMIT +$2"
        )
    };
}

pub(in crate::ledger) const PAYMENTS: &str = payments_where!("o.order_id BETWEEN $1 AND $3");

pub(in crate::ledger) const PAYMENTS_OF: &str = payments_where!(
    "o.order_id IN (SELECT value::bigint FROM json_array_elements_text($1::json) AS wanted (value))"
);

/// In milliseconds since 1970.
pub(in crate::ledger) const NOW: &str = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

pub(in crate::ledger) const STATUSES: &str = "SELECT o.order_id, o.status FROM orders AS o
     WHERE o.order_id IN (SELECT value::bigint FROM json_array_elements_text($1::json) AS wanted (value))";

pub(in crate::ledger) const UNPLACED: &str =
    "SELECT id, received_at, peer, fields, code, answer, unplaced, source FROM callbacks
     WHERE unplaced AND id < $1 ORDER BY id DESC LIMIT +$2";

pub(in crate::ledger) const UNPLACED_AFTER: &str =
    "SELECT id, received_at, peer, fields, code, answer, unplaced, source FROM callbacks
     WHERE unplaced AND id > $1 ORDER BY id LIMIT +$2";

/// Those are found before they are put in their order, which another index has for all payments.
pub(in crate::ledger) const UNPLACED_IN_TELEGRAM: &str =
    "WITH few AS MATERIALIZED (
       SELECT id, payload, user_id, amount_tiyin, currency, telegram_charge_id, provider_charge_id, received_at
       FROM telegram_payments WHERE outcome = 'unplaced' AND id < $1)
     SELECT * FROM few ORDER BY id DESC LIMIT +$2";

pub(in crate::ledger) const PENDING_AFTER: &str =
    "SELECT order_id, created_at FROM orders WHERE status = 'pending' AND created_at > $1
     ORDER BY created_at LIMIT +$2";

pub(in crate::ledger) const UNATTEMPTED: &str = "SELECT o.order_id, o.created_at FROM orders AS o
     WHERE o.status = 'pending' AND o.created_at > $1
       AND (o.created_at, o.order_id) > (coalesce((SELECT created_at FROM orders WHERE order_id = $2), 0), $2)
       AND NOT EXISTS (SELECT 1 FROM attempts AS a WHERE a.order_id = o.order_id)
     ORDER BY o.created_at, o.order_id LIMIT +$3";
