//! A commit as SQLite gets it: one text of several statements, and what they bind.

use std::borrow::Cow;

use serde::Serialize;
use sqlx::{Arguments, AssertSqlSafe, Sqlite, query::Query, sqlite::SqliteArguments};
use tolov_domain::{ClickPaydocId, ClickTransId, OrderId, PrepareId};

use super::statements::STORE;
use crate::ledger::{
    LedgerError,
    writer::{
        engine::json,
        rows::{AttemptRow, CallbackRow, EventRow, NewOrderRow, OrderChange, PaidSource},
        working_set::Writes,
    },
};

/// The most rows that one statement binds, a power of two as all their numbers: sqlx keeps the text of each compiled.
const BOUND_MAX: usize = 256;

/// What a statement binds.
enum Part {
    /// A JSON text of all rows.
    Json(Option<String>),
    /// The columns of one row after the other.
    Rows { width: usize, values: Vec<Value> },
}

enum Value {
    Null,
    Integer(i64),
    Text(Cow<'static, str>),
}

/// The transaction that writes all of it. Statements without rows are left out.
pub(super) fn transaction(writes: Writes) -> Result<Query<'static, Sqlite, SqliteArguments>, LedgerError> {
    let parts = parts(writes);
    let most = parts.iter().map(Part::bound_rows).max().unwrap_or(0);
    let size = most.min(BOUND_MAX).next_power_of_two();
    let mut text = String::from("BEGIN IMMEDIATE;");
    let mut arguments = SqliteArguments::default();
    for (statement, part) in STORE.into_iter().zip(parts) {
        part.add(statement, size, &mut text, &mut arguments).map_err(sqlx::Error::Encode)?;
    }
    text.push_str("COMMIT;");
    // Made of constants alone; parameters carry everything else.
    Ok(sqlx::query_with(AssertSqlSafe(text), arguments))
}

/// Of each statement of [`STORE`], in its order.
fn parts(writes: Writes) -> [Part; STORE.len()] {
    let new_orders: Vec<NewOrderRow<'_>> = writes.new_orders.iter().map(NewOrderRow::from).collect();
    [
        Part::json(&new_orders),
        Part::json(&writes.receipts.kept),
        Part::rows(writes.attempts, |row| attempt(&row)),
        Part::rows(writes.orders, |change| order(&change)),
        Part::rows(writes.callbacks, callback),
        Part::json(&writes.unverified),
        Part::rows(writes.events, event),
        Part::rows(writes.sent, |mark| [mark.id.into(), mark.sent_at.into()]),
        Part::json(&writes.sent_again),
        Part::json(&writes.refused),
        Part::json(&writes.refunds),
        Part::json(&writes.refund_steps),
        Part::json(&writes.checks),
        Part::json(&writes.calls),
        Part::json(&writes.telegram_payments),
        Part::json(&writes.phone_invoices),
        Part::json(&writes.reconciliation.reports),
        Part::json(&writes.reconciliation.days),
        Part::json(&writes.reconciliation.restore_checks),
        Part::json(&writes.receipts.steps),
    ]
}

impl Part {
    fn json<R: Serialize>(rows: &[R]) -> Self {
        Self::Json((!rows.is_empty()).then(|| json(rows)))
    }

    fn rows<R, const WIDTH: usize>(rows: Vec<R>, columns: impl Fn(R) -> [Value; WIDTH]) -> Self {
        Self::Rows { width: WIDTH, values: rows.into_iter().flat_map(columns).collect() }
    }

    fn bound_rows(&self) -> usize {
        match self {
            Self::Json(_) => 0,
            Self::Rows { width, values } => values.len() / width,
        }
    }

    /// `size` rows a statement: NULL is bound where there are fewer.
    fn add(
        self,
        statement: &str,
        size: usize,
        text: &mut String,
        arguments: &mut SqliteArguments,
    ) -> Result<(), sqlx::error::BoxDynError> {
        match self {
            Self::Json(None) => {}
            Self::Json(Some(rows)) => {
                text.push_str(statement);
                arguments.add(rows)?;
            }
            Self::Rows { width, values } => {
                let row = format!("({})", vec!["?"; width].join(", "));
                let statement = statement.replacen(&row, &vec![row.as_str(); size].join(","), 1);
                let missing = values.len().next_multiple_of(width * size) - values.len();
                for _ in 0..values.len().div_ceil(width * size) {
                    text.push_str(&statement);
                }
                for value in values.into_iter().chain((0..missing).map(|_| Value::Null)) {
                    match value {
                        Value::Null => arguments.add(None::<i64>)?,
                        Value::Integer(number) => arguments.add(number)?,
                        Value::Text(Cow::Borrowed(text)) => arguments.add(text)?,
                        Value::Text(Cow::Owned(text)) => arguments.add(text)?,
                    }
                }
            }
        }
        Ok(())
    }
}

fn attempt(row: &AttemptRow) -> [Value; 12] {
    [
        row.prepare_id.get().into(),
        row.order_id.get().into(),
        row.click_trans_id.get().into(),
        row.click_paydoc_id.get().into(),
        row.amount_tiyin.get().into(),
        row.state.as_str().into(),
        row.prepared_at.into(),
        row.settled_at.into(),
        row.paid_trans_id.map(ClickTransId::get).into(),
        row.paid_paydoc_id.map(ClickPaydocId::get).into(),
        row.click_error.map(i64::from).into(),
        match row.paid_source {
            PaidSource::Callback => "callback".into(),
            PaidSource::Reconciliation => "reconciliation".into(),
        },
    ]
}

fn order(change: &OrderChange) -> [Value; 4] {
    [
        change.order_id.get().into(),
        change.status.as_str().into(),
        change.paid_by.map(PrepareId::get).into(),
        change.changed_at.into(),
    ]
}

fn callback(row: CallbackRow) -> [Value; 8] {
    [
        row.received_at.into(),
        row.peer.into(),
        row.order_id.map(OrderId::get).into(),
        row.fields.into(),
        i64::from(row.code).into(),
        row.answer.into(),
        i64::from(row.unplaced).into(),
        row.source.into(),
    ]
}

fn event(row: EventRow) -> [Value; 8] {
    [
        row.event_id.into(),
        row.order_id.map(OrderId::get).into(),
        row.routing_key.into(),
        row.schema.into(),
        row.body.into(),
        row.created_at.into(),
        row.sent_at.into(),
        row.traceparent.map_or(Value::Null, |traceparent| traceparent.to_string().into()),
    ]
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        number.map_or(Self::Null, Self::Integer)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(text.into())
    }
}
