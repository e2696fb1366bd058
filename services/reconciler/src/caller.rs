//! Calls to CLICK: recorded, counted, and paused while CLICK does not accept our keys.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use time::{Date, Duration};
use tolov_click::{
    Call,
    merchant_api::{FiscalItems, NewInvoice, Reading},
};
use tolov_domain::{
    ClickPaymentId, OrderId,
    phone_invoice::PhoneInvoice,
    refund::api::{Attempt, CallOutcome, MerchantCall, SeenPayment},
    time::{TASHKENT, Timestamp, is_due},
};
use tolov_kit::clock::Clock;

use crate::ports::{Ledger, MerchantApi};

/// CLICK's payment_status of a payment that is paid.
pub(crate) const PAID: i64 = 2;
/// How long nothing is asked after CLICK refused our keys.
const SETUP_PAUSE: Duration = Duration::minutes(10);
/// The most days on which the payment of one order is looked for.
const DAYS_MAX: i64 = 7;
/// Calls that the ledger could not record yet, as many as it takes at once; the oldest are lost beyond these.
const UNRECORDED_MAX: usize = 20;

#[derive(Debug)]
pub(crate) struct Caller {
    api: Arc<dyn MerchantApi>,
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
    service_id: i64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    paused_until: Option<Timestamp>,
    /// CLICK has answered a call with our keys since it refused them last.
    keys_accepted: bool,
    unrecorded: Vec<MerchantCall>,
}

/// What CLICK says of the payment of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Payment(SeenPayment),
    /// CLICK names no payment. That is no evidence: it may be paid all the same.
    Nothing,
    /// CLICK gave no answer that can be believed; ask later.
    NotNow,
    /// CLICK does not accept our keys.
    Setup,
}

/// What CLICK says of the receipt of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FoundReceipt {
    At(String),
    Nothing,
    /// CLICK gave no answer that can be believed; ask later.
    NotNow,
    /// CLICK does not accept our keys.
    Setup,
}

fn day_of(at: Timestamp) -> Date {
    at.to_offset(TASHKENT).date()
}

impl Caller {
    pub(crate) fn new(
        api: Arc<dyn MerchantApi>,
        ledger: Arc<dyn Ledger>,
        clock: Arc<dyn Clock>,
        service_id: i64,
    ) -> Self {
        metrics::gauge!("tolov_merchant_api_setup").set(0);
        Self { api, ledger, clock, service_id, state: Mutex::default() }
    }

    /// Whether nothing is asked for now, because CLICK refused our keys a moment ago.
    pub(crate) fn is_paused(&self) -> bool {
        let now = self.clock.now();
        self.state().paused_until.is_some_and(|until| !is_due(until, now, now + SETUP_PAUSE))
    }

    /// Sends the one reversal of a refund.
    pub(crate) async fn reverse(&self, order_id: OrderId, payment_id: ClickPaymentId) -> Reading {
        let (service_id, payment_id) = (self.service_id, payment_id.get());
        self.call("reversal", order_id, Call::Reversal { service_id, payment_id }).await
    }

    /// Has CLICK make an invoice, once.
    pub(crate) async fn create_invoice(&self, invoice: &PhoneInvoice) -> Reading {
        let call = Call::CreateInvoice(NewInvoice {
            service_id: self.service_id,
            amount: invoice.amount_tiyin,
            phone_number: invoice.phone.clone(),
            merchant_trans_id: invoice.order_id.to_string(),
        });
        self.call("invoice_create", invoice.order_id, call).await
    }

    /// What `invoice/status` says of an invoice.
    pub(crate) async fn invoice_status(&self, order_id: OrderId, invoice_id: i64) -> Reading {
        let service_id = self.service_id;
        self.call("invoice_status", order_id, Call::InvoiceStatus { service_id, invoice_id }).await
    }

    /// What `payment/status` says of a payment.
    pub(crate) async fn status(&self, order_id: OrderId, payment_id: ClickPaymentId) -> Found {
        let (service_id, payment_id) = (self.service_id, payment_id.get());
        let reading = self.call("status", order_id, Call::PaymentStatus { service_id, payment_id }).await;
        match (reading.outcome, reading.payment()) {
            (CallOutcome::Done, Some(payment)) => Found::Payment(payment),
            (CallOutcome::NotFound, _) => Found::Nothing,
            (CallOutcome::Setup, _) => Found::Setup,
            (CallOutcome::Done | CallOutcome::Refused | CallOutcome::Unknown, _) => Found::NotNow,
        }
    }

    /// Looks for the payment of an attempt: by `click_paydoc_id`, else by the order.
    pub(crate) async fn find(&self, attempt: &Attempt, known: Option<ClickPaymentId>) -> Found {
        let order_id = attempt.order_id;
        let by_paydoc = ClickPaymentId::try_new(attempt.click_paydoc_id.get()).ok();
        if let Some(payment_id) = known.or(by_paydoc) {
            match self.status(order_id, payment_id).await {
                Found::Nothing => {}
                found @ (Found::Payment(_) | Found::NotNow | Found::Setup) => return found,
            }
        }
        self.find_by_order(order_id, attempt.prepared_at).await
    }

    /// Looks for the paid payment of an order by the days in Tashkent on which it may have been made. An order may have several
    /// attempts, so only what is paid counts. A shop whose keys CLICK accepts may be refused this one call, for weeks
    /// (docs/click.md, section 3): then CLICK names no payment.
    pub(crate) async fn find_by_order(&self, order_id: OrderId, since: Timestamp) -> Found {
        for date in self.days_since(since) {
            let (service_id, merchant_trans_id) = (self.service_id, order_id.to_string());
            let call = Call::PaymentStatusByOrder { service_id, merchant_trans_id, date };
            let reading = self.call("status_by_mti", order_id, call).await;
            match (reading.outcome, reading.payment_id) {
                (CallOutcome::Done, Some(payment_id)) => match self.status(order_id, payment_id).await {
                    Found::Payment(payment) if payment.status != PAID => {}
                    Found::Nothing => {}
                    found @ (Found::Payment(_) | Found::NotNow | Found::Setup) => return found,
                },
                (CallOutcome::NotFound, _) => {}
                (CallOutcome::Setup, _) if self.state().keys_accepted => return Found::Nothing,
                (CallOutcome::Done | CallOutcome::Refused | CallOutcome::Setup | CallOutcome::Unknown, _) => {
                    return Found::NotNow;
                }
            }
        }
        Found::Nothing
    }

    /// Sends what is sold for a payment, once.
    pub(crate) async fn submit_items(&self, order_id: OrderId, items: FiscalItems) -> Reading {
        self.call("submit_items", order_id, Call::SubmitItems(items)).await
    }

    /// What `payment/ofd_data` says of a payment.
    pub(crate) async fn receipt(&self, order_id: OrderId, payment_id: ClickPaymentId) -> FoundReceipt {
        let (service_id, payment_id) = (self.service_id, payment_id.get());
        let reading = self.call("ofd_data", order_id, Call::FiscalData { service_id, payment_id }).await;
        match (reading.outcome, reading.receipt_url) {
            (CallOutcome::Done, Some(url)) => FoundReceipt::At(url),
            // What an error code means here is not published; a payment without a receipt has one.
            (CallOutcome::NotFound | CallOutcome::Refused, _) => FoundReceipt::Nothing,
            (CallOutcome::Setup, _) => FoundReceipt::Setup,
            (CallOutcome::Done | CallOutcome::Unknown, _) => FoundReceipt::NotNow,
        }
    }

    pub(crate) const fn service_id(&self) -> i64 {
        self.service_id
    }

    /// The day in Tashkent of a moment, then those from today back to it, at most [`DAYS_MAX`] of them.
    fn days_since(&self, since: Timestamp) -> impl Iterator<Item = Date> + Send + use<> {
        let (first, today) = (day_of(since), day_of(self.clock.now()));
        let later = move |ago| today.checked_sub(Duration::days(ago)).filter(|day| *day > first);
        std::iter::once(first).chain((0..DAYS_MAX).map_while(later))
    }

    async fn call(&self, name: &'static str, order_id: OrderId, call: Call) -> Reading {
        let at = self.clock.now();
        let reading = self.api.call(&call).await;
        let outcome = reading.outcome;
        metrics::counter!("tolov_merchant_api_calls_total", "call" => name, "outcome" => outcome.as_str())
            .increment(1);
        // Whether CLICK lets us look for payments by their orders says nothing of the keys.
        if !matches!(call, Call::PaymentStatusByOrder { .. }) {
            self.note_setup(&reading, at);
        }
        tracing::info!(
            order.id = %order_id, call = name, outcome = outcome.as_str(), code = ?reading.code, note = reading.note,
            "CLICK was asked"
        );
        self.record(MerchantCall {
            at,
            order_id: Some(order_id),
            method: call.method().to_owned(),
            path: call.path(),
            outcome,
            code: reading.code,
            note: reading.note.clone(),
        })
        .await;
        reading
    }

    /// One alert, however many calls are refused: nothing is asked for a while, and nothing changes.
    fn note_setup(&self, reading: &Reading, at: Timestamp) {
        let mut state = self.state();
        match reading.outcome {
            CallOutcome::Setup => {
                if state.paused_until.is_none() {
                    tracing::error!(
                        code = ?reading.code,
                        note = reading.note,
                        "CLICK's Merchant API does not accept our keys or service; check CLICK_SERVICE_ID, \
                         CLICK_MERCHANT_USER_ID and CLICK_SECRET_KEY. Nothing is changed meanwhile"
                    );
                }
                state.paused_until = Some(at + SETUP_PAUSE);
                state.keys_accepted = false;
                metrics::gauge!("tolov_merchant_api_setup").set(1);
            }
            CallOutcome::Done | CallOutcome::NotFound | CallOutcome::Refused => {
                state.paused_until = None;
                state.keys_accepted = true;
                metrics::gauge!("tolov_merchant_api_setup").set(0);
            }
            CallOutcome::Unknown => {}
        }
    }

    async fn record(&self, call: MerchantCall) {
        let calls = {
            let mut state = self.state();
            state.unrecorded.push(call);
            std::mem::take(&mut state.unrecorded)
        };
        if let Err(error) = self.ledger.keep_calls(calls.clone()).await {
            tracing::warn!(%error, calls = calls.len(), "calls to CLICK are not recorded yet");
            let mut state = self.state();
            let newer = std::mem::replace(&mut state.unrecorded, calls);
            state.unrecorded.extend(newer);
            // One more comes before the next try.
            let surplus = state.unrecorded.len().saturating_sub(UNRECORDED_MAX - 1);
            state.unrecorded.drain(..surplus);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
