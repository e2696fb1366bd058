//! Payments that belong to no order, as staff were told of them: made anew from what CLICK and Telegram have said.

use serde_json::Value;
use tolov_click::ClickCode;
use tolov_domain::{
    Event, OrderId, UnplacedPayment,
    payment::unplaced::SCHEMA as UNPLACED,
    time::{Timestamp, from_unix_ms},
};

use super::{
    CallbackRecord,
    pool::{Pool, read},
    reader::LedgerReader,
    unplaced::{UnplacedCallback, UnplacedInTelegram},
};
use crate::ledger::{
    Ledger, LedgerError,
    postgres::reads,
    writer::{
        adopt::AdoptQuestions,
        invoices::telegram,
        job::{self, Maintenance, is_questioned},
        replay::TellOfUnplaced,
        rows::CallbackRow,
    },
};

/// The most payments that are read, and made anew, at a time.
const PAGE: i64 = 500;

impl Ledger {
    /// Publishes once more what staff were told in this time of payments that belong to no order, and what else in the outbox is
    /// about none. Events that were deleted are made anew from what CLICK and Telegram have said; those of compared days are in
    /// the outbox alone. Returns how many.
    pub async fn replay_unplaced(
        &self,
        (since, until): (Timestamp, Timestamp),
        now: Timestamp,
    ) -> Result<u64, LedgerError> {
        let told = |payment: &UnplacedPayment| (since..=until).contains(&payment.occurred_at);
        let mut after = 0;
        loop {
            let page = self.callbacks_unplaced_after(after).await?;
            let Some(last) = page.last() else { break };
            after = last.id;
            self.tell_of_unplaced(page.iter().filter_map(of_callback).filter(told).collect(), now).await?;
        }
        let mut after = String::new();
        loop {
            let page = self.unplaced_in_telegram_after(&after).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.telegram_charge_id);
            self.tell_of_unplaced(page.iter().map(in_telegram).filter(told).collect(), now).await?;
        }
        self.maintain(Maintenance::ReplayUnplaced { since, until }).await
    }

    async fn tell_of_unplaced(
        &self,
        payments: Vec<UnplacedPayment>,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        if payments.is_empty() { Ok(()) } else { self.decide(TellOfUnplaced { payments, at }).await }
    }

    async fn callbacks_unplaced_after(&self, after: i64) -> Result<Vec<UnplacedCallback>, LedgerError> {
        callbacks_unplaced_after(&self.readers.requests, after).await
    }

    async fn unplaced_in_telegram_after(&self, after: &str) -> Result<Vec<UnplacedInTelegram>, LedgerError> {
        let payments = "SELECT id, payload, user_id, amount_tiyin, currency, telegram_charge_id, provider_charge_id, received_at
             FROM telegram_payments WHERE outcome = 'unplaced' AND telegram_charge_id > $1
             ORDER BY telegram_charge_id LIMIT +$2";
        Ok(read!(&self.readers.requests, query_as.fetch_all, payments, after, PAGE)?)
    }
}

fn taken_over(record: CallbackRecord) -> Result<CallbackRow, LedgerError> {
    let fields: Value = serde_json::from_str(&record.fields)?;
    Ok(CallbackRow {
        received_at: record.received_at,
        peer: record.peer,
        order_id: fields["merchant_trans_id"].as_str().and_then(|text| OrderId::parse(text).ok()),
        code: i32::try_from(record.code).map_err(|_| LedgerError::Row("an answer's code is out of range"))?,
        fields: record.fields,
        answer: record.answer,
        unplaced: record.unplaced,
        source: if record.source == "restore" { "restore" } else { "click" },
    })
}

/// An event that the bus does not have, as it is in the outbox.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct UnsentQuestion {
    pub id: i64,
    pub schema: String,
    pub body: String,
}

impl Ledger {
    /// Takes over what the ledger that is replaced was still to tell staff. After the orders. May be repeated.
    pub async fn adopt_questions(&self, unsent: &[UnsentQuestion]) -> Result<(), LedgerError> {
        let mut adopted =
            AdoptQuestions { questions: Vec::new(), unplaced: Vec::new(), callbacks: Vec::new() };
        for UnsentQuestion { schema, body, .. } in unsent {
            let body = body.as_bytes();
            let read = if schema == UNPLACED {
                UnplacedPayment::from_json(body).map(|payment| adopted.unplaced.push(payment))
            } else {
                Event::from_json(body).map(|event| adopted.questions.push(event))
            };
            if let Err(error) = read {
                tracing::error!(%error, "staff cannot be told what the replaced ledger was to tell them");
            }
        }
        self.decide(adopted).await
    }

    /// Takes over the ledger's callbacks that reported money of no order. They must not be there.
    pub async fn adopt_unplaced(&self, callbacks: Vec<CallbackRecord>) -> Result<(), LedgerError> {
        let callbacks = callbacks.into_iter().map(taken_over).collect::<Result<_, _>>()?;
        self.decide(AdoptQuestions { questions: Vec::new(), unplaced: Vec::new(), callbacks }).await
    }
}

impl LedgerReader {
    /// What staff are still to be told of money that is in question, or of no order: a page, by id.
    pub async fn unsent_questions(&self, after: i64) -> Result<Vec<UnsentQuestion>, LedgerError> {
        let unsent = "SELECT id, schema, body FROM outbox WHERE sent_at IS NULL AND id > $1
               AND routing_key IN ('payment.questioned', 'payment.unplaced') ORDER BY id LIMIT +$2";
        Ok(read!(&self.pool, query_as.fetch_all, unsent, after, PAGE)?)
    }

    /// Callbacks that reported money of no order, and such payments as restores have found: a page, by id.
    pub async fn unplaced_callbacks(&self, after: i64) -> Result<Vec<UnplacedCallback>, LedgerError> {
        callbacks_unplaced_after(&self.pool, after).await
    }
}

/// Oldest first, as they were told: of a repetition the first one counts.
async fn callbacks_unplaced_after(pool: &Pool, after: i64) -> Result<Vec<UnplacedCallback>, LedgerError> {
    let sqlite = "SELECT id, received_at, peer, fields, code, answer, unplaced, source
         FROM callbacks WHERE unplaced = 1 AND id > $1 ORDER BY id LIMIT +$2";
    Ok(read!(pool, query_as.fetch_all, [sqlite, reads::UNPLACED_AFTER], after, PAGE)?)
}

/// `None`: staff have a question of its own.
fn of_callback(unplaced: &UnplacedCallback) -> Option<UnplacedPayment> {
    let CallbackRecord { received_at, fields, code, .. } = &unplaced.callback;
    let code = i32::try_from(*code).ok()?;
    if is_questioned(ClickCode::from_code(code)) {
        return None;
    }
    let fields: Value = serde_json::from_str(fields).ok()?;
    let texts = ["click_trans_id", "click_paydoc_id", "merchant_trans_id", "amount"];
    Some(job::unplaced(texts.map(|name| fields[name].as_str()), code, from_unix_ms(*received_at)))
}

fn in_telegram(payment: &UnplacedInTelegram) -> UnplacedPayment {
    let texts = [&payment.telegram_charge_id, &payment.provider_charge_id, &payment.payload];
    telegram::unplaced(texts.map(String::as_str), payment.amount_tiyin, from_unix_ms(payment.received_at))
}
