//! A CLICK and a ledger that keep to their promises, and fail on demand before or after the effect of a call.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use async_trait::async_trait;
use time::{Duration, macros::datetime};
use tolov_click::{
    Call,
    merchant_api::{CommissionInfo, FiscalItems, Reading},
};
use tolov_domain::{
    ClickPaydocId, ClickPaymentId, Day, OrderId, Phone, PrepareId, RefundId, Tiyin,
    day::ClickComparison,
    phone_invoice::{DueInvoice, InvoiceStep, PhoneInvoice},
    receipt::{
        Receipt,
        api::{OpenReceipt, OpenReceipts, RefundExtent, StepRequest as ReceiptStep},
    },
    refund::{
        self, PaidAttempt, Refund,
        api::{
            Attempt, FoundPayment, MerchantCall, OpenRefund, RefundRequest, RestoreCheck, SeenOutcome,
            SeenReply, SeenRequest, StepRequest, UnattemptedOrder,
        },
    },
    time::Timestamp,
};
use tolov_kit::{
    clock::{Clock, ManualClock},
    lifecycle::Stop,
};
use tolov_reconciler::{Deps, Ledger, LedgerError, MerchantApi, ReceiptSettings, Service};

/// Above 2^32, as CLICK's numbers have been since 2025.
pub(crate) const PAYDOC: i64 = 4_710_103_925;
pub(crate) const ORDER: i64 = 1001;
const ORDERS_IN_A_PAGE: usize = 2;
const SERVICE_ID: i64 = 12_345;
pub(crate) const RECEIPT_URL: &str = "https://ofd.soliq.uz/check?t=UZ1&r=2&c=20261123120500&s=4";

/// How CLICK's next answers go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// The call never arrives.
    LostBefore,
    /// The call has its effect, the answer does not arrive.
    LostAfter,
    /// `error_code` in an answer of HTTP 200, without an effect.
    Code(i64),
    /// HTTP 200 without a body, without an effect.
    Empty,
}

#[derive(Debug, Default)]
pub(crate) struct ClickState {
    /// Status by payment_id.
    pub(crate) payments: BTreeMap<i64, i64>,
    /// payment_id by order and day, as `status_by_mti` is asked.
    pub(crate) of_order: BTreeMap<(String, String), i64>,
    /// Status by invoice_id.
    pub(crate) invoices: BTreeMap<i64, Option<i64>>,
    pub(crate) faults: VecDeque<Fault>,
    pub(crate) always: Option<Fault>,
    /// Payments of which CLICK never says anything.
    pub(crate) unanswerable: BTreeSet<i64>,
    /// This shop may not look for payments by their orders.
    pub(crate) refuses_by_order: bool,
    /// A reversal is not shown.
    pub(crate) always_paid: bool,
    pub(crate) calls: Vec<Call>,
    /// Reversals that had an effect.
    pub(crate) reversed: u32,
    /// What was sent of receipts and had an effect, by payment_id.
    pub(crate) printed: BTreeMap<i64, Vec<FiscalItems>>,
    /// The code with which items are refused.
    pub(crate) refused_items: Option<i64>,
    /// Receipts have no address yet.
    pub(crate) is_printing: bool,
}

#[derive(Debug, Default)]
pub(crate) struct FakeClick(Mutex<ClickState>);

impl FakeClick {
    pub(crate) fn state(&self) -> MutexGuard<'_, ClickState> {
        self.0.lock().unwrap()
    }

    pub(crate) fn items_sent(&self) -> usize {
        self.state().calls.iter().filter(|call| matches!(call, Call::SubmitItems(_))).count()
    }

    pub(crate) fn reversals_sent(&self) -> usize {
        self.state().calls.iter().filter(|call| matches!(call, Call::Reversal { .. })).count()
    }
}

impl ClickState {
    fn answer(&mut self, call: &Call) -> String {
        match call {
            Call::PaymentStatus { payment_id, .. } if self.unanswerable.contains(payment_id) => {
                r#"{"error_code":-500,"error_note":""}"#.to_owned()
            }
            Call::PaymentStatusByOrder { .. } if self.refuses_by_order => {
                r#"{"error_code":-12,"error_note":""}"#.to_owned()
            }
            Call::PaymentStatus { payment_id, .. } => match self.payments.get(payment_id) {
                Some(status) => {
                    format!(r#"{{"error_code":0,"payment_id":{payment_id},"payment_status":{status}}}"#)
                }
                None => r#"{"error_code":-16,"error_note":"Payment not found"}"#.to_owned(),
            },
            Call::PaymentStatusByOrder { merchant_trans_id, date, .. } => {
                match self.of_order.get(&(merchant_trans_id.clone(), date.to_string())) {
                    Some(id) => {
                        format!(
                            r#"{{"error_code":0,"payment_id":"{id}","merchant_trans_id":"{merchant_trans_id}"}}"#
                        )
                    }
                    None => r#"{"error_code":-16}"#.to_owned(),
                }
            }
            Call::Reversal { payment_id, .. } => match self.payments.get_mut(payment_id) {
                Some(status) if *status == 2 => {
                    *status = if self.always_paid { 2 } else { -1 };
                    self.reversed += 1;
                    format!(r#"{{"error_code":0,"error_note":"","payment_id":{payment_id}}}"#)
                }
                _ => r#"{"error_code":-500,"error_note":"Возврат невозможен"}"#.to_owned(),
            },
            Call::CreateInvoice(_) => {
                let invoice_id = 171_010_156 + i64::try_from(self.invoices.len()).unwrap();
                self.invoices.insert(invoice_id, Some(0));
                format!(r#"{{"error_code":0,"error_note":"","invoice_id":{invoice_id}}}"#)
            }
            Call::InvoiceStatus { invoice_id, .. } => {
                let status = self.invoices.get(invoice_id).copied().flatten();
                let status = status.map_or_else(|| "null".to_owned(), |status| status.to_string());
                format!(r#"{{"error_code":0,"invoice_status":{status},"invoice_status_note":""}}"#)
            }
            Call::SubmitItems(items) => {
                if let Some(code) = self.refused_items {
                    return format!(r#"{{"error_code":{code},"error_note":"нет"}}"#);
                }
                self.printed.entry(items.payment_id).or_default().push(items.clone());
                r#"{"error_code":0,"error_note":""}"#.to_owned()
            }
            Call::FiscalData { payment_id, .. } => match self.printed.get(payment_id) {
                Some(_) if !self.is_printing => {
                    format!(r#"{{"paymentId":{payment_id},"qrCodeURL":"{RECEIPT_URL}"}}"#)
                }
                _ => r#"{"error_code":-16}"#.to_owned(),
            },
            Call::SubmitQrCode(_) => {
                unreachable!("{call:?}")
            }
        }
    }
}

#[async_trait]
impl MerchantApi for FakeClick {
    async fn call(&self, call: &Call) -> Reading {
        // Whoever runs at the same time goes on meanwhile.
        tokio::task::yield_now().await;
        let mut state = self.state();
        state.calls.push(call.clone());
        let fault = state.always.or_else(|| state.faults.pop_front()).unwrap_or(Fault::None);
        match fault {
            Fault::None => {
                let body = state.answer(call);
                Reading::of(call, 200, body.as_bytes())
            }
            Fault::LostBefore => Reading::unknown("no answer"),
            Fault::LostAfter => {
                state.answer(call);
                Reading::unknown("no answer")
            }
            Fault::Code(code) => {
                Reading::of(call, 200, format!(r#"{{"error_code":{code},"error_note":""}}"#).as_bytes())
            }
            Fault::Empty => Reading::of(call, 200, b""),
        }
    }
}

#[derive(Debug)]
pub(crate) struct LedgerState {
    pub(crate) refunds: Vec<Refund>,
    pub(crate) invoice: Option<PhoneInvoice>,
    pub(crate) is_payable: bool,
    pub(crate) attempt: Attempt,
    pub(crate) receipt: Option<Receipt>,
    pub(crate) refund_extent: RefundExtent,
    pub(crate) in_telegram: bool,
    pub(crate) silent: Vec<Attempt>,
    pub(crate) seen: Vec<SeenRequest>,
    /// Days that were compared, oldest first.
    pub(crate) days: Vec<(Day, ClickComparison)>,
    /// The ledger is a restored copy: the times of the backup and of the restore.
    pub(crate) restored: Option<(Timestamp, Timestamp)>,
    /// Orders of which it knows no attempt, and what CLICK was seen to know of them.
    pub(crate) unattempted: Vec<UnattemptedOrder>,
    pub(crate) found: Vec<FoundPayment>,
    /// What the ledger makes of what CLICK says.
    pub(crate) answers: SeenOutcome,
    /// What was said of it, in order.
    pub(crate) let_in: Vec<bool>,
    pub(crate) calls: Vec<MerchantCall>,
    /// Calls from this one on fail; `true`: after their effect.
    pub(crate) dies_at: Option<(u32, bool)>,
    made: u32,
}

#[derive(Debug)]
pub(crate) struct FakeLedger {
    state: Mutex<LedgerState>,
    clock: ManualClock,
}

impl FakeLedger {
    pub(crate) fn state(&self) -> MutexGuard<'_, LedgerState> {
        self.state.lock().unwrap()
    }

    /// Makes a call: fails before it, after it, or not at all.
    fn make<T>(&self, call: impl FnOnce(&mut LedgerState) -> T) -> Result<T, LedgerError> {
        let mut state = self.state();
        state.made += 1;
        let died = state.dies_at.filter(|(at, _)| *at <= state.made);
        let away = Err(LedgerError("connection refused".to_owned()));
        match died {
            Some((at, true)) if at == state.made => {
                call(&mut state);
                away
            }
            Some(_) => away,
            None => Ok(call(&mut state)),
        }
    }
}

#[async_trait]
impl Ledger for FakeLedger {
    async fn open_refunds(&self) -> Result<Vec<OpenRefund>, LedgerError> {
        self.make(|state| {
            let open = state.refunds.iter().filter(|refund| refund.status().is_open());
            open.map(|refund| OpenRefund { refund: refund.clone(), attempt: state.attempt.clone() }).collect()
        })
    }

    async fn step(&self, refund_id: RefundId, step: StepRequest) -> Result<Option<Refund>, LedgerError> {
        let now = self.clock.now();
        self.make(|state| {
            let refund = state.refunds.iter_mut().find(|refund| refund.refund_id == refund_id).unwrap();
            if refund.step != step.step {
                return None;
            }
            *refund = refund.clone().advance(step.change, step.next_step_at, now).ok()?;
            Some(refund.clone())
        })
    }

    async fn open_receipts(&self) -> Result<OpenReceipts, LedgerError> {
        let now = self.clock.now();
        self.make(|state| {
            let due = state.receipt.iter().filter(|receipt| receipt.next_step_at.is_some_and(|at| at <= now));
            let (attempt, refund, in_telegram) = (&state.attempt, state.refund_extent, state.in_telegram);
            let open = |receipt: &Receipt| OpenReceipt {
                receipt: receipt.clone(),
                attempt: attempt.clone(),
                in_telegram,
                refund,
            };
            OpenReceipts { receipts: due.map(open).collect(), waiting: 0, missing: 0 }
        })
    }

    async fn step_receipt(&self, _: OrderId, step: ReceiptStep) -> Result<Option<Receipt>, LedgerError> {
        let now = self.clock.now();
        self.make(|state| {
            let receipt = state.receipt.clone().filter(|receipt| receipt.step == step.step)?;
            state.receipt = Some(receipt.advance(step.change, step.next_step_at, now).ok()?);
            state.receipt.clone()
        })
    }

    async fn silent_attempts(&self) -> Result<Vec<Attempt>, LedgerError> {
        self.make(|state| state.silent.clone())
    }

    async fn attempts(&self, before: Option<PrepareId>) -> Result<Vec<Attempt>, LedgerError> {
        self.make(|state| if before.is_none() { vec![state.attempt.clone()] } else { Vec::new() })
    }

    async fn seen(&self, prepare_id: PrepareId, seen: SeenRequest) -> Result<SeenReply, LedgerError> {
        self.make(|state| {
            state.seen.push(seen.clone());
            state.silent.retain(|attempt| attempt.prepare_id != prepare_id);
            SeenReply { outcome: state.answers, anomaly: None }
        })
    }

    async fn next_day(&self) -> Result<Option<Day>, LedgerError> {
        let due = Day::last_due(self.clock.now());
        self.make(|state| {
            let first = Day::of(state.attempt.prepared_at);
            let next = state.days.last().map_or(first, |(day, _)| day.plus(1));
            (next <= due).then_some(next)
        })
    }

    async fn record_day(&self, day: Day, compared: ClickComparison) -> Result<(), LedgerError> {
        self.make(|state| {
            if state.days.iter().all(|(known, _)| *known != day) {
                state.days.push((day, compared));
            }
        })
    }

    async fn restore(&self, after: Option<OrderId>) -> Result<RestoreCheck, LedgerError> {
        self.make(|state| {
            let (backup_made_at, restored_at) = state.restored.unzip();
            let page =
                state.unattempted.iter().filter(|order| after.is_none_or(|last| order.order_id > last));
            let orders = page.take(ORDERS_IN_A_PAGE).copied().collect();
            RestoreCheck { backup_made_at, restored_at, orders }
        })
    }

    async fn found(&self, found: FoundPayment) -> Result<(), LedgerError> {
        self.make(|state| state.found.push(found))
    }

    async fn let_prepares_in(&self, done: bool) -> Result<(), LedgerError> {
        self.make(|state| {
            state.let_in.push(done);
            if done {
                state.restored = None;
            }
        })
    }

    async fn due_phone_invoices(&self) -> Result<Vec<DueInvoice>, LedgerError> {
        let now = self.clock.now();
        self.make(|state| {
            let due = |invoice: &&PhoneInvoice| invoice.next_step_at.is_some_and(|at| at <= now);
            let invoice = state.invoice.as_ref().filter(due).cloned();
            let is_payable = state.is_payable;
            invoice.map(|invoice| DueInvoice { invoice, is_payable }).into_iter().collect()
        })
    }

    async fn step_phone_invoice(
        &self,
        _: i64,
        step: InvoiceStep,
    ) -> Result<Option<PhoneInvoice>, LedgerError> {
        let now = self.clock.now();
        self.make(|state| {
            let invoice = state.invoice.clone().filter(|invoice| invoice.step == step.step)?;
            let next = invoice.advance(step.change, step.next_step_at, now)?;
            state.invoice = Some(next.clone());
            Some(next)
        })
    }

    async fn keep_calls(&self, calls: Vec<MerchantCall>) -> Result<(), LedgerError> {
        self.make(|state| state.calls.extend(calls))
    }
}

pub(crate) struct World {
    pub(crate) click: Arc<FakeClick>,
    pub(crate) ledger: Arc<FakeLedger>,
    pub(crate) clock: ManualClock,
    service: Service,
}

impl World {
    /// Order 1001 is paid at CLICK and in the ledger.
    pub(crate) fn new() -> Self {
        let clock = ManualClock::new(datetime!(2026-11-23 12:00 UTC));
        let click = Arc::new(FakeClick::default());
        click.state().payments.insert(PAYDOC, 2);
        let attempt = Attempt {
            prepare_id: PrepareId::try_new(77).unwrap(),
            order_id: OrderId::try_new(ORDER).unwrap(),
            click_paydoc_id: ClickPaydocId::try_new(PAYDOC).unwrap(),
            amount_tiyin: Tiyin::try_new(3_000_000).unwrap(),
            prepared_at: datetime!(2026-11-23 09:00 UTC),
            is_paid: true,
        };
        let state = LedgerState {
            refunds: Vec::new(),
            invoice: None,
            is_payable: true,
            attempt,
            receipt: None,
            refund_extent: RefundExtent::None,
            in_telegram: false,
            silent: Vec::new(),
            seen: Vec::new(),
            days: Vec::new(),
            restored: None,
            unattempted: Vec::new(),
            found: Vec::new(),
            answers: SeenOutcome::Unchanged,
            let_in: Vec::new(),
            calls: Vec::new(),
            dies_at: None,
            made: 0,
        };
        let ledger = Arc::new(FakeLedger { state: Mutex::new(state), clock: clock.clone() });
        let service = service(&click, &ledger, &clock);
        Self { click, ledger, clock, service }
    }

    /// A new process, on what is committed.
    pub(crate) fn restart(&mut self) {
        {
            let mut state = self.ledger.state();
            state.dies_at = None;
        }
        self.service = service(&self.click, &self.ledger, &self.clock);
    }

    /// The ledger dies at its `nth` call from now on.
    pub(crate) fn dies_at(&self, nth: u32, after_the_effect: bool) {
        let mut state = self.ledger.state();
        state.made = 0;
        state.dies_at = Some((nth, after_the_effect));
    }

    pub(crate) fn ask_for_invoice(&self) {
        let phone = Phone::parse("+998901234567").unwrap();
        let (order, amount) = (OrderId::try_new(ORDER).unwrap(), Tiyin::try_new(3_000_000).unwrap());
        self.ledger.state().invoice = Some(PhoneInvoice::request(1, order, &phone, amount, self.clock.now()));
    }

    pub(crate) fn invoice(&self) -> PhoneInvoice {
        self.ledger.state().invoice.clone().unwrap()
    }

    pub(crate) fn ask_for_refund(&self) {
        let now = self.clock.now();
        let mut state = self.ledger.state();
        let paid = PaidAttempt {
            order_id: state.attempt.order_id,
            prepare_id: state.attempt.prepare_id,
            amount: Tiyin::try_new(3_000_000).unwrap(),
            products: Vec::new(),
            prepared_at: state.attempt.prepared_at,
            in_telegram: false,
        };
        let asked = RefundRequest {
            request_id: "tap-1".to_owned(),
            amount_tiyin: None,
            returned: Vec::new(),
            requested_by: "5551".to_owned(),
            reason: String::new(),
            by_hand: None,
        };
        let id = RefundId::try_new(now.unix_timestamp()).unwrap();
        let refund = refund::request(id, Some(&paid), &state.refunds, &asked, true, now).unwrap();
        state.refunds.push(refund);
    }

    pub(crate) async fn round(&mut self) {
        self.service.refunds_round(&Stop::new()).await;
        self.service.attempts_round(&Stop::new()).await;
        self.service.restore_round(&Stop::new()).await;
        self.service.compare_when_due(&Stop::new()).await;
    }

    pub(crate) async fn refunds_round(&self) {
        self.service.refunds_round(&Stop::new()).await;
    }

    pub(crate) async fn attempts_round(&self) {
        self.service.attempts_round(&Stop::new()).await;
    }

    /// Another process on the same ledger.
    pub(crate) fn service(&self) -> Service {
        service(&self.click, &self.ledger, &self.clock)
    }

    /// A round of this process, and one of another that begins while `waits` calls to CLICK are on their way.
    pub(crate) async fn round_of_two(&mut self, waits: u32) {
        let (other, stop) = (self.service(), Stop::new());
        let later = async {
            for _ in 0..waits {
                tokio::task::yield_now().await;
            }
            other.refunds_round(&stop).await;
            other.attempts_round(&stop).await;
        };
        tokio::join!(self.round(), later);
    }

    /// Lets time pass, a round every minute.
    pub(crate) async fn pass(&mut self, time: Duration) {
        for _ in 0..time.whole_minutes() {
            self.clock.advance(Duration::MINUTE);
            self.round().await;
        }
    }

    pub(crate) fn refund(&self) -> Refund {
        self.ledger.state().refunds.last().unwrap().clone()
    }
}

fn service(click: &Arc<FakeClick>, ledger: &Arc<FakeLedger>, clock: &ManualClock) -> Service {
    let deps = Deps { api: click.clone(), ledger: ledger.clone(), clock: Arc::new(clock.clone()) };
    let seller = CommissionInfo::parse("123456789").unwrap();
    let settings = ReceiptSettings { seller, deadline: Duration::DAY };
    Service::new(deps, SERVICE_ID, true).with_receipts(settings)
}

pub(crate) fn payment_id(id: i64) -> ClickPaymentId {
    ClickPaymentId::try_new(id).unwrap()
}
