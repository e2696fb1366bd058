//! Payments that belong to no order, as staff were told of them: made anew from what CLICK and Telegram have said.

use serde_json::Value;
use tolov_click::ClickCode;
use tolov_domain::{
    UnplacedPayment,
    time::{Timestamp, from_unix_ms},
};

use super::{
    CallbackRecord,
    pool::read,
    unplaced::{UnplacedCallback, UnplacedInTelegram},
};
use crate::ledger::{
    Ledger, LedgerError,
    postgres::reads,
    writer::{
        invoices::telegram,
        job::{self, Maintenance, is_questioned},
        replay::TellOfUnplaced,
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

    /// Oldest first, as they were told: of a repetition the first one counts.
    async fn callbacks_unplaced_after(&self, after: i64) -> Result<Vec<UnplacedCallback>, LedgerError> {
        let sqlite = "SELECT id, received_at, peer, fields, code, answer, unplaced, source
             FROM callbacks WHERE unplaced = 1 AND id > $1 ORDER BY id LIMIT +$2";
        let pool = &self.readers.requests;
        Ok(read!(pool, query_as.fetch_all, [sqlite, reads::UNPLACED_AFTER], after, PAGE)?)
    }

    async fn unplaced_in_telegram_after(&self, after: &str) -> Result<Vec<UnplacedInTelegram>, LedgerError> {
        let payments = "SELECT id, payload, user_id, amount_tiyin, currency, telegram_charge_id, provider_charge_id, received_at
             FROM telegram_payments WHERE outcome = 'unplaced' AND telegram_charge_id > $1
             ORDER BY telegram_charge_id LIMIT +$2";
        Ok(read!(&self.readers.requests, query_as.fetch_all, payments, after, PAGE)?)
    }
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
