//! Changes of receipts, each in a transaction of its own: the reconciler makes a few of them for a payment, and nobody waits.

use sqlx::{Connection, SqliteConnection};
use tolov_domain::{
    Event, OrderId,
    receipt::{Receipt, ReceiptState, ReceiptStatus},
    time::{Timestamp, unix_ms},
};

use crate::ledger::LedgerError;

pub(crate) enum ReceiptWrite {
    /// What was agreed with an order, unless it is there.
    Keep { order_id: OrderId, content: String, at: Timestamp },
    /// The next state, if nobody has changed the receipt since the step before. `event` is published with it.
    Change { receipt: Box<Receipt>, by: String, event: Option<Event> },
}

impl ReceiptWrite {
    /// Returns how many receipts it changed: 0 or 1.
    pub(super) async fn run(&self, connection: &mut SqliteConnection) -> Result<u64, LedgerError> {
        match self {
            Self::Keep { order_id, content, at } => keep(connection, *order_id, content, *at).await,
            Self::Change { receipt, by, event } => change(connection, receipt, by, event.as_ref()).await,
        }
    }

    pub(super) const fn has_event(&self) -> bool {
        matches!(self, Self::Change { event: Some(_), .. })
    }
}

async fn keep(
    connection: &mut SqliteConnection,
    order_id: OrderId,
    content: &str,
    at: Timestamp,
) -> Result<u64, LedgerError> {
    let query = sqlx::query(
        "INSERT INTO receipts (order_id, content, state, since, changed_at, changed_by, step, tries)
         SELECT ?1, ?2, 'agreed', ?3, ?3, 'ledger', 0, 0 FROM orders WHERE order_id = ?1 AND status = 'pending'
         ON CONFLICT (order_id) DO NOTHING",
    );
    let query = query.bind(order_id.get()).bind(content).bind(unix_ms(at));
    Ok(query.execute(connection).await?.rows_affected())
}

async fn change(
    connection: &mut SqliteConnection,
    receipt: &Receipt,
    by: &str,
    event: Option<&Event>,
) -> Result<u64, LedgerError> {
    let facts = Facts::of(&receipt.state);
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let query = sqlx::query(
        "UPDATE receipts SET state = ?3, payment_id = ?4, url = ?5, click_code = ?6, click_note = ?7, why = ?8,
           decided_by = ?9, document = ?10, body_hash = ?11, since = ?12, changed_at = ?13, changed_by = ?14,
           step = ?2, tries = ?15, next_step_at = ?16
         WHERE order_id = ?1 AND step = ?2 - 1",
    );
    let query = query
        .bind(receipt.order_id.get())
        .bind(receipt.step)
        .bind(receipt.state.status().as_str())
        .bind(facts.payment_id)
        .bind(facts.url)
        .bind(facts.click_code)
        .bind(facts.click_note)
        .bind(facts.why)
        .bind(facts.decided_by)
        .bind(facts.document)
        .bind(receipt.body_hash.as_deref())
        .bind(unix_ms(receipt.since))
        .bind(unix_ms(receipt.changed_at))
        .bind(by)
        .bind(receipt.tries)
        .bind(receipt.next_step_at.map(unix_ms));
    let changed = query.execute(&mut *transaction).await?.rows_affected();
    if let Some(event) = event.filter(|_| changed > 0) {
        let query = sqlx::query(
            "INSERT INTO outbox (event_id, order_id, routing_key, schema, body, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (event_id) DO NOTHING",
        );
        let query = query
            .bind(event.id.to_string())
            .bind(event.order_id.get())
            .bind(event.kind.name())
            .bind(event.kind.schema())
            .bind(String::from_utf8_lossy(&event.to_json()).into_owned())
            .bind(unix_ms(event.occurred_at));
        query.execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    if changed > 0 && receipt.state.status() != ReceiptStatus::Submitting {
        let state = receipt.state.status().as_str();
        metrics::counter!("tolov_receipts_total", "state" => state).increment(1);
    }
    Ok(changed)
}

/// The columns of a state's facts.
#[derive(Default)]
struct Facts<'a> {
    payment_id: Option<i64>,
    url: Option<&'a str>,
    click_code: Option<i64>,
    click_note: Option<&'a str>,
    why: Option<&'static str>,
    decided_by: Option<&'a str>,
    document: Option<&'a str>,
}

impl<'a> Facts<'a> {
    fn of(state: &'a ReceiptState) -> Self {
        let none = Self::default();
        match state {
            ReceiptState::Needed { click_code, click_note } => {
                Self { click_code: *click_code, click_note: click_note.as_deref(), ..none }
            }
            ReceiptState::Submitting { payment_id }
            | ReceiptState::Unknown { payment_id }
            | ReceiptState::Submitted { payment_id } => Self { payment_id: Some(payment_id.get()), ..none },
            ReceiptState::Known { payment_id, url } => {
                Self { payment_id: Some(payment_id.get()), url: Some(url), ..none }
            }
            ReceiptState::Missing { why, click_code, click_note } => Self {
                why: Some(why.as_str()),
                click_code: *click_code,
                click_note: click_note.as_deref(),
                ..none
            },
            ReceiptState::ByHand { decided_by, document } => {
                Self { decided_by: Some(decided_by), document: Some(document), ..none }
            }
        }
    }
}
