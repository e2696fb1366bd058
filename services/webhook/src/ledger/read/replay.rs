//! Payments that belong to no order, as staff were told of them: made anew from what CLICK and Telegram have said.

use serde_json::Value;
use tolov_click::ClickCode;
use tolov_domain::{
    UnplacedPayment,
    time::{Timestamp, from_unix_ms},
};

use super::{
    CallbackRecord,
    unplaced::{UnplacedBefore, UnplacedInTelegram, UnplacedPage, UnplacedRecord},
};
use crate::ledger::{
    Ledger, LedgerError,
    writer::{
        invoices::telegram,
        job::{self, Maintenance, is_questioned},
        replay::TellOfUnplaced,
    },
};

/// The most payments that are read, and made anew, at a time.
const PAGE: u32 = 500;

impl Ledger {
    /// Publishes once more what staff were told in this time of payments that belong to no order, and what else in the outbox is
    /// about none. Events that were deleted are made anew from what CLICK and Telegram have said; those of payments that CLICK
    /// has shown after a restore, and of compared days, are in the outbox alone. Returns how many.
    pub async fn replay_unplaced(
        &self,
        (since, until): (Timestamp, Timestamp),
        now: Timestamp,
    ) -> Result<u64, LedgerError> {
        let told = |payment: &UnplacedPayment| (since..=until).contains(&payment.occurred_at);
        let mut before = Some(UnplacedBefore::NEWEST);
        while let Some(page_before) = before {
            let UnplacedPage { payments, next } = self.unplaced_payments(page_before, PAGE).await?;
            let payments: Vec<_> = payments.iter().filter_map(as_told).filter(told).collect();
            if !payments.is_empty() {
                self.decide(TellOfUnplaced { payments, at: now }).await?;
            }
            before = next;
        }
        self.maintain(Maintenance::ReplayUnplaced { since, until }).await
    }
}

/// `None`: staff have a question of its own.
fn as_told(record: &UnplacedRecord) -> Option<UnplacedPayment> {
    match record {
        UnplacedRecord::Callback(unplaced) => of_callback(&unplaced.callback),
        UnplacedRecord::Telegram(payment) => Some(in_telegram(payment)),
    }
}

fn of_callback(callback: &CallbackRecord) -> Option<UnplacedPayment> {
    let code = i32::try_from(callback.code).ok()?;
    if is_questioned(ClickCode::from_code(code)) {
        return None;
    }
    let fields: Value = serde_json::from_str(&callback.fields).ok()?;
    let texts = ["click_trans_id", "click_paydoc_id", "merchant_trans_id", "amount"];
    let texts = texts.map(|name| fields[name].as_str());
    Some(job::unplaced(texts, code, from_unix_ms(callback.received_at)))
}

fn in_telegram(payment: &UnplacedInTelegram) -> UnplacedPayment {
    let texts = [&payment.telegram_charge_id, &payment.provider_charge_id, &payment.payload];
    telegram::unplaced(texts.map(String::as_str), payment.amount_tiyin, from_unix_ms(payment.received_at))
}
