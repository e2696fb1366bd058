//! The fiscal receipts that the ledger records: ofd_data before, one submit_items, ofd_data after. A crash at any step is
//! safe: what is committed decides, an outcome that is not known is asked for before the items are sent again, and another
//! body is never sent.

use std::{fmt::Write, sync::Arc};

use sha2::{Digest, Sha256};
use time::Duration;
use tolov_click::{
    Call,
    merchant_api::{CommissionInfo, FiscalItems},
};
use tolov_domain::{
    ClickPaymentId,
    receipt::{
        Change, MissingReason, PAUSE_MAX, Receipt, ReceiptState,
        api::{OpenReceipt, RefundExtent, StepRequest},
    },
    refund::api::CallOutcome,
};
use tolov_kit::{clock::Clock, lifecycle::Stop};

use crate::{
    caller::{Caller, Found, FoundReceipt, PAID},
    ports::{Ledger, LedgerError},
};

/// Pauses before the next try, each after the one before.
const PAUSES: [Duration; 5] = [
    Duration::minutes(1),
    Duration::minutes(5),
    Duration::minutes(15),
    Duration::hours(1),
    Duration::hours(6),
];
/// After this an unknown outcome without a receipt counts as not taken; one that was taken is asked for as often.
const HOURLY: Duration = Duration::hours(1);
/// CLICK prints within seconds.
const FIRST_ASKED: Duration = Duration::seconds(10);
/// A receipt found in "submitting" after this was left there by a process that died.
const SUBMITTING_MAX: Duration = Duration::minutes(2);
/// The address of a receipt that was taken is asked for hourly until then, and then daily.
const ASKED_HOURLY: Duration = Duration::days(1);
const ASKED_DAILY: Duration = Duration::days(8);

/// What a shop that makes receipts has decided.
#[derive(Debug, Clone)]
pub struct ReceiptSettings {
    /// Whose goods they are.
    pub seller: CommissionInfo,
    /// For how long the items are sent after the payment. CLICK's documents name no limit.
    pub deadline: Duration,
}

#[derive(Debug)]
pub(crate) struct Receipts {
    pub(crate) caller: Arc<Caller>,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: ReceiptSettings,
}

impl Receipts {
    /// Moves every receipt on whose turn it is.
    pub(crate) async fn round(&self, stop: &Stop) -> Result<(), LedgerError> {
        let open = self.ledger.open_receipts().await?;
        metrics::gauge!("tolov_receipts_waiting").set(open.waiting);
        metrics::gauge!("tolov_receipts_missing").set(open.missing);
        for open in open.receipts {
            if stop.is_cancelled() || self.caller.is_paused() {
                break;
            }
            self.go_on(open).await?;
        }
        Ok(())
    }

    async fn go_on(&self, open: OpenReceipt) -> Result<(), LedgerError> {
        match open.receipt.state {
            ReceiptState::Needed { .. } => self.make(open).await,
            // A process died between the commit and the answer.
            ReceiptState::Submitting { .. } => {
                self.step(&open.receipt, Change::OutcomeUnknown, Some(PAUSES[0])).await.map(drop)
            }
            ReceiptState::Unknown { payment_id } => self.ask_after(&open.receipt, payment_id).await,
            ReceiptState::Submitted { payment_id } => self.fetch(&open.receipt, payment_id).await,
            ReceiptState::Known { .. } | ReceiptState::Missing { .. } | ReceiptState::ByHand { .. } => Ok(()),
        }
    }

    /// Looks for the payment and for a receipt that is there already; then the items are sent.
    async fn make(&self, open: OpenReceipt) -> Result<(), LedgerError> {
        let OpenReceipt { receipt, attempt, in_telegram, refund } = open;
        if in_telegram {
            return self.give_up(&receipt, MissingReason::PaidInTelegram).await;
        }
        let payment_id = match self.caller.find(&attempt, None).await {
            Found::Payment(payment) if payment.status == PAID || refund != RefundExtent::None => {
                payment.payment_id
            }
            Found::Payment(_) | Found::Nothing => {
                return self.wait_or(&receipt, MissingReason::PaymentNotFound).await;
            }
            Found::NotNow => return self.wait_or(&receipt, MissingReason::NoAnswer).await,
            // Everything pauses, and goes on as soon as the keys are accepted.
            Found::Setup => return Ok(()),
        };
        match self.caller.receipt(receipt.order_id, payment_id).await {
            FoundReceipt::At(url) => {
                self.step(&receipt, Change::FoundReceipt { payment_id, url }, None).await.map(drop)
            }
            FoundReceipt::Nothing => self.submit(receipt, payment_id, refund).await,
            // A read that failed is not the lack of a receipt.
            FoundReceipt::NotNow => self.wait_or(&receipt, MissingReason::NoAnswer).await,
            FoundReceipt::Setup => Ok(()),
        }
    }

    async fn submit(
        &self,
        receipt: Receipt,
        payment_id: ClickPaymentId,
        refund: RefundExtent,
    ) -> Result<(), LedgerError> {
        match refund {
            RefundExtent::None | RefundExtent::Part => {}
            RefundExtent::Open => return self.wait_or(&receipt, MissingReason::Refunded).await,
            RefundExtent::Whole => return self.give_up(&receipt, MissingReason::Refunded).await,
        }
        if receipt.content.lines.is_empty() {
            return self.give_up(&receipt, MissingReason::ContentLost).await;
        }
        let (service_id, seller) = (self.caller.service_id(), &self.settings.seller);
        let items = FiscalItems::new(service_id, payment_id.get(), &receipt.content, seller);
        let Some(items) = items.filter(|items| items.check().is_ok()) else {
            return self.give_up(&receipt, MissingReason::NoCodes).await;
        };
        if self.is_late(&receipt) {
            let is_refused = matches!(receipt.state, ReceiptState::Needed { click_code: Some(_), .. });
            let why = if is_refused { MissingReason::Refused } else { MissingReason::NoAnswer };
            return self.give_up(&receipt, why).await;
        }
        let body_hash = hash(&Call::SubmitItems(items.clone()).body().unwrap_or_default());
        if receipt.body_hash.as_ref().is_some_and(|sent| *sent != body_hash) {
            return self.give_up(&receipt, MissingReason::ContentDiffers).await;
        }
        let submit = Change::Submit { payment_id, body_hash };
        let Some(sending) = self.step(&receipt, submit, Some(SUBMITTING_MAX)).await? else { return Ok(()) };
        let reading = self.caller.submit_items(sending.order_id, items).await;
        let tried = usize::try_from(sending.tries.saturating_sub(1)).unwrap_or(usize::MAX);
        let later = PAUSES.get(tried).copied().unwrap_or(PAUSES[PAUSES.len() - 1]);
        let (change, pause) = match reading.outcome {
            CallOutcome::Done => (Change::Taken, FIRST_ASKED),
            CallOutcome::Refused | CallOutcome::NotFound | CallOutcome::Setup => {
                (Change::NotTaken { click_code: reading.code, click_note: reading.note }, later)
            }
            CallOutcome::Unknown => (Change::OutcomeUnknown, PAUSES[0]),
        };
        self.step(&sending, change, Some(pause)).await.map(drop)
    }

    /// After an unknown outcome. CLICK takes its time to print: that it knows nothing is believed after an hour.
    async fn ask_after(&self, receipt: &Receipt, payment_id: ClickPaymentId) -> Result<(), LedgerError> {
        let last = last_pause(receipt);
        match self.caller.receipt(receipt.order_id, payment_id).await {
            FoundReceipt::At(url) => {
                self.step(receipt, Change::FoundReceipt { payment_id, url }, None).await.map(drop)
            }
            FoundReceipt::Nothing if last >= HOURLY => {
                self.step(receipt, Change::FoundNothing, Some(Duration::ZERO)).await.map(drop)
            }
            FoundReceipt::Nothing => self.step(receipt, Change::Wait, Some(next_pause(last))).await.map(drop),
            FoundReceipt::NotNow => self.wait_or(receipt, MissingReason::NoAnswer).await,
            FoundReceipt::Setup => Ok(()),
        }
    }

    /// The address of a receipt that CLICK has taken.
    async fn fetch(&self, receipt: &Receipt, payment_id: ClickPaymentId) -> Result<(), LedgerError> {
        match self.caller.receipt(receipt.order_id, payment_id).await {
            FoundReceipt::At(url) => {
                return self.step(receipt, Change::FoundReceipt { payment_id, url }, None).await.map(drop);
            }
            FoundReceipt::Setup => return Ok(()),
            FoundReceipt::Nothing | FoundReceipt::NotNow => {}
        }
        let age = self.clock.now() - receipt.since;
        if age >= ASKED_DAILY {
            return self.give_up(receipt, MissingReason::NoAddress).await;
        }
        let hourly = next_pause(last_pause(receipt)).min(HOURLY);
        let pause = if age >= ASKED_HOURLY { PAUSE_MAX } else { hourly };
        self.step(receipt, Change::Wait, Some(pause)).await.map(drop)
    }

    /// Looks again after a longer pause, or leaves it to a person after the deadline.
    async fn wait_or(&self, receipt: &Receipt, why: MissingReason) -> Result<(), LedgerError> {
        if self.is_late(receipt) {
            return self.give_up(receipt, why).await;
        }
        self.step(receipt, Change::Wait, Some(next_pause(last_pause(receipt)))).await.map(drop)
    }

    async fn give_up(&self, receipt: &Receipt, why: MissingReason) -> Result<(), LedgerError> {
        tracing::warn!(
            order.id = %receipt.order_id, why = why.as_str(),
            "an order has no fiscal receipt; `tolov receipts` lists it"
        );
        self.step(receipt, Change::GiveUp { why }, None).await.map(drop)
    }

    fn is_late(&self, receipt: &Receipt) -> bool {
        self.clock.now() - receipt.since >= self.settings.deadline
    }

    async fn step(
        &self,
        receipt: &Receipt,
        change: Change,
        pause: Option<Duration>,
    ) -> Result<Option<Receipt>, LedgerError> {
        let next_step_at = pause.map(|pause| self.clock.now() + pause);
        let request = StepRequest { step: receipt.step, change, next_step_at };
        let stepped = self.ledger.step_receipt(receipt.order_id, request).await?;
        if stepped.is_none() {
            tracing::info!(order.id = %receipt.order_id, "somebody else has changed the receipt first");
        }
        Ok(stepped)
    }
}

/// How long it was left alone the last time.
fn last_pause(receipt: &Receipt) -> Duration {
    receipt.next_step_at.map_or(Duration::ZERO, |next| next - receipt.changed_at)
}

fn next_pause(last: Duration) -> Duration {
    PAUSES.into_iter().find(|pause| *pause > last).unwrap_or(PAUSES[PAUSES.len() - 1])
}

fn hash(body: &[u8]) -> String {
    Sha256::digest(body).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing into a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
