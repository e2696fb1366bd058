//! What a batch does to the ledger: jobs are decided in memory one after the other, each on what the ones before it did, and
//! what changed is written in one transaction. The decisions themselves are [`tolov_domain::payment`]'s. No SQL and no
//! waiting here.

use std::collections::BTreeSet;

use tolov_click::{Action, Callback, ClickCode, Reply};
use tolov_domain::{
    ClickTransId, Event, EventKind, OrderId, PrepareId, RefundId, TraceParent, UnplacedPayment,
    payment::{
        self, Anomaly, Answer, AttemptState, Claim, ClickError, Completion, Confirmation, Ending, News,
        OrderState, Preparation,
    },
    phone_invoice::PhoneInvoice,
    refund::Refund,
    time::{Timestamp, unix_ms},
};

use super::{
    invoices::TelegramRow,
    job::{code_of, is_questioned, order_of, unplaced},
    known::Known,
    receipts::Receipts,
    reconciliation::Reconciliation,
    refund_rows::{CallRow, CheckRow, RefundRow, StepRow},
    rows::{
        AttemptRow, CallbackRow, EventRow, LedgerAttempt, LedgerOrder, OrderChange, PaidSource, RefusedMark,
        SentMark,
    },
    unverified::UnverifiedRow,
};
use crate::ledger::{Arrival, EndRefusal, NewOrder, OrderRefusal, OrderRefusalReason, Outcome, RelayMarks};

#[derive(Default)]
pub(crate) struct WorkingSet {
    pub(crate) known: Known,
    /// Of the request that is decided now.
    pub(super) traceparent: Option<TraceParent>,
    changes: Changes,
}

#[derive(Default)]
struct Changes {
    new_orders: Vec<(NewOrder, Option<TraceParent>)>,
    orders: BTreeSet<OrderId>,
    attempts: BTreeSet<PrepareId>,
    callbacks: Vec<CallbackRow>,
    unverified: Vec<UnverifiedRow>,
    events: Vec<EventRow>,
    sent: Vec<SentMark>,
    refused: Vec<RefusedMark>,
    sent_again: Vec<(String, String)>,
    refunds: BTreeSet<(OrderId, RefundId)>,
    refund_steps: Vec<StepRow>,
    checks: Vec<CheckRow>,
    calls: Vec<CallRow>,
    telegram_payments: Vec<TelegramRow>,
    /// With the state after each change: the last one of an invoice counts.
    phone_invoices: Vec<PhoneInvoice>,
    reconciliation: Reconciliation,
    receipts: Receipts,
}

/// The rows to write, in the order in which foreign keys want them.
pub(crate) struct Writes {
    pub(crate) new_orders: Vec<(NewOrder, Option<TraceParent>)>,
    pub(crate) attempts: Vec<AttemptRow>,
    pub(crate) orders: Vec<OrderChange>,
    pub(crate) callbacks: Vec<CallbackRow>,
    pub(crate) unverified: Vec<UnverifiedRow>,
    pub(crate) events: Vec<EventRow>,
    pub(crate) sent: Vec<SentMark>,
    pub(crate) refused: Vec<RefusedMark>,
    /// Ranges of event ids, each without its end: what was sent of them is to be sent again.
    pub(crate) sent_again: Vec<(String, String)>,
    pub(crate) refunds: Vec<RefundRow>,
    pub(crate) refund_steps: Vec<StepRow>,
    pub(crate) checks: Vec<CheckRow>,
    pub(crate) calls: Vec<CallRow>,
    pub(crate) telegram_payments: Vec<TelegramRow>,
    pub(crate) phone_invoices: Vec<PhoneInvoice>,
    pub(crate) reconciliation: Reconciliation,
    pub(crate) receipts: Receipts,
}

impl Writes {
    /// Whether events are to be sent, for the first time or again.
    pub(crate) const fn grow_outbox(&self) -> bool {
        !self.events.is_empty() || !self.sent_again.is_empty()
    }
}

impl WorkingSet {
    pub(crate) fn new(known: Known) -> Self {
        Self { known, ..Self::default() }
    }

    pub(crate) fn register(&mut self, order: &NewOrder) -> Outcome<OrderRefusal> {
        let highest_order_id = self.known.numbers.highest_order_id;
        let refused = |reason| Outcome::Refused(OrderRefusal { reason, highest_order_id });
        if let Some(known) = self.known.order(order.order_id) {
            return match known.difference(order) {
                None => {
                    self.keep_content(order.order_id, order.receipt.as_ref(), order.created_at);
                    Outcome::AlreadyApplied
                }
                Some(field) => refused(OrderRefusalReason::Taken { field }),
            };
        }
        if !self.known.numbers.admits_order(order.order_id) {
            return refused(OrderRefusalReason::OutOfRange);
        }
        self.add_order(order);
        Outcome::Applied
    }

    pub(crate) fn add_order(&mut self, order: &NewOrder) {
        let NewOrder { order_id, user_id, products, amount, .. } = order.clone();
        self.known.add(LedgerOrder { order_id, user_id, products, amount, state: OrderState::Pending });
        self.keep_content(order_id, order.receipt.as_ref(), order.created_at);
        self.changes.new_orders.push((order.clone(), self.traceparent.clone()));
    }

    /// Answers a well signed callback of our service.
    pub(crate) fn answer(&mut self, callback: &Callback, at: Timestamp) -> Reply {
        let order = order_of(callback).and_then(|id| self.known.order(id)).cloned();
        let reply = match (order, &callback.action) {
            (None, _) => Reply::code(ClickCode::UserDoesNotExist),
            (Some(order), Action::Prepare) => self.prepare(&order, callback, at),
            (Some(order), Action::Complete { merchant_prepare_id }) => {
                let attempt = PrepareId::parse(merchant_prepare_id)
                    .ok()
                    .and_then(|id| self.known.attempt(id))
                    .filter(|attempt| attempt.order_id == order.order_id);
                match attempt.cloned() {
                    None => Reply::code(ClickCode::TransactionDoesNotExist),
                    Some(attempt) => self.complete(&order, &attempt, callback, at),
                }
            }
        };
        reply.echo(callback.click_trans_id, &callback.merchant_trans_id)
    }

    fn prepare(&mut self, order: &LedgerOrder, callback: &Callback, at: Timestamp) -> Reply {
        let same = self.known.attempt_of(order.order_id, callback.click_trans_id);
        let claim = Claim {
            error: ClickError::from_code(callback.error),
            amount_agrees: callback.amount == Some(order.amount),
            transaction_paid_another: self.known.attempt_paid_by(callback.click_trans_id).is_some(),
        };
        let held = self.is_held(order.order_id, at, ClickTransId::is_of_telegram);
        let prepared =
            payment::prepare_unless_held(order.state, same.map(|attempt| attempt.state), claim, held);
        match (prepared, same) {
            (Preparation::Refused(answer, anomaly), _) => {
                if let Some(anomaly) = anomaly {
                    self.question(order, callback, None, anomaly, at);
                }
                Reply::code(code_of(answer))
            }
            (Preparation::Repeated(_), Some(same)) => Reply::prepared(same.prepare_id),
            (Preparation::Opened(state) | Preparation::Repeated(state), _) => {
                self.open_attempt(order, callback, state, at)
            }
        }
    }

    fn open_attempt(
        &mut self,
        order: &LedgerOrder,
        callback: &Callback,
        state: AttemptState,
        at: Timestamp,
    ) -> Reply {
        let Some(prepare_id) = self.known.numbers.take_prepare_id() else {
            return Reply::code(ClickCode::FailedToUpdateUser);
        };
        self.change_attempt(LedgerAttempt {
            prepare_id,
            order_id: order.order_id,
            click_trans_id: callback.click_trans_id,
            click_paydoc_id: callback.click_paydoc_id,
            amount: order.amount,
            prepared_at_ms: unix_ms(at),
            state,
            paid_source: PaidSource::Callback,
        });
        Reply::prepared(prepare_id)
    }

    fn complete(
        &mut self,
        order: &LedgerOrder,
        attempt: &LedgerAttempt,
        callback: &Callback,
        at: Timestamp,
    ) -> Reply {
        let (click_trans_id, click_paydoc_id) = (callback.click_trans_id, callback.click_paydoc_id);
        let paid = self.known.attempt_paid_by(click_trans_id);
        let claim = Claim {
            error: ClickError::from_code(callback.error),
            amount_agrees: callback.amount == Some(attempt.amount),
            transaction_paid_another: paid.is_some_and(|paid| paid.prepare_id != attempt.prepare_id),
        };
        let confirmation = Confirmation { click_trans_id, click_paydoc_id, at };
        let completion =
            payment::complete(order.state, attempt.state, attempt.prepare_id, claim, confirmation);
        self.apply(order, attempt, completion, callback, at);
        match completion.answer {
            Answer::Success => Reply::confirmed(attempt.prepare_id),
            refused @ (Answer::IncorrectAmount | Answer::AlreadyPaid | Answer::Cancelled) => {
                Reply::code(code_of(refused))
            }
        }
    }

    fn apply(
        &mut self,
        order: &LedgerOrder,
        attempt: &LedgerAttempt,
        completion: Completion,
        callback: &Callback,
        at: Timestamp,
    ) {
        let merchant_prepare_id = attempt.prepare_id;
        let (click_trans_id, click_paydoc_id) = (callback.click_trans_id, callback.click_paydoc_id);
        if completion.attempt != attempt.state {
            self.change_attempt(LedgerAttempt { state: completion.attempt, ..attempt.clone() });
        }
        if completion.order != order.state {
            self.set_order_state(order, completion.order);
        }
        let kind = match completion.news {
            None => return,
            // The refund that it belongs to tells of it.
            Some(News::Anomaly(Anomaly::CancelAfterPaid)) if self.is_being_refunded(order) => return,
            Some(News::Anomaly(anomaly)) => {
                return self.question(order, callback, Some(merchant_prepare_id), anomaly, at);
            }
            Some(News::Completed { late }) => {
                EventKind::PaymentCompleted { click_trans_id, click_paydoc_id, merchant_prepare_id, late }
            }
            Some(News::Cancelled { error }) => {
                EventKind::PaymentCancelled { click_trans_id, click_paydoc_id, merchant_prepare_id, error }
            }
        };
        self.publish(order, kind, at);
    }

    /// Ends an order that nobody has paid, and gives its open attempts up
    /// (docs/decisions/0005-a-cancelled-order-is-an-expired-one.md).
    pub(crate) fn end_order(&mut self, order_id: OrderId, at: Timestamp) -> Outcome<EndRefusal> {
        let Some(order) = self.known.order(order_id).cloned() else {
            return Outcome::Refused(EndRefusal::Unknown);
        };
        let state = match payment::end_order(order.state, at) {
            Ending::Ended(state) => state,
            Ending::AlreadyEnded => return Outcome::AlreadyApplied,
            Ending::Paid => return Outcome::Refused(EndRefusal::Paid),
        };
        self.set_order_state(&order, state);
        let attempts: Vec<LedgerAttempt> = self.known.attempts_of(order_id).cloned().collect();
        for attempt in attempts {
            let given_up = payment::give_up(attempt.state, at);
            if given_up != attempt.state {
                self.change_attempt(LedgerAttempt { state: given_up, ..attempt });
            }
        }
        self.publish(&order, EventKind::OrderExpired, at);
        Outcome::Applied
    }

    /// Keeps a callback with its answer. Staff are told when CLICK has taken money and nobody else has told them yet: an
    /// amount that differs and a payment after its cancellation are questions of their own.
    pub(crate) fn keep_callback(&mut self, arrival: &Arrival, reply: &Reply) {
        let form = &arrival.form;
        let is_questioned = is_questioned(ClickCode::from_code(reply.error));
        if form.reports_payment() && !reply.confirms_payment() && !is_questioned {
            let texts =
                [form.click_trans_id(), form.click_paydoc_id(), form.merchant_trans_id(), form.amount()];
            let payment = unplaced(texts, reply.error, arrival.received_at);
            tracing::error!(
                event.id = %payment.event_id,
                answer = reply.error,
                "CLICK has taken money that the ledger cannot place; staff are told"
            );
            self.publish_unplaced(&payment);
        }
        self.changes.callbacks.push(CallbackRow::of(arrival, reply));
    }

    pub(crate) fn keep_evidence(&mut self, evidence: CallbackRow) {
        self.changes.callbacks.push(evidence);
    }

    pub(crate) fn keep_unverified(&mut self, callback: UnverifiedRow) {
        self.changes.unverified.push(callback);
    }

    pub(crate) fn mark_relayed(&mut self, marks: &RelayMarks) {
        let sent_at = unix_ms(marks.at);
        self.changes.sent.extend(marks.sent.iter().map(|id| SentMark { id: *id, sent_at }));
        self.changes.refused.extend(marks.refused.iter().map(|refused| RefusedMark {
            id: refused.id,
            retry_at: unix_ms(refused.retry_at),
            reason: refused.reason.clone(),
        }));
    }

    pub(crate) fn send_again(&mut self, event_ids: impl IntoIterator<Item = (String, String)>) {
        self.changes.sent_again.extend(event_ids);
    }

    fn question(
        &mut self,
        order: &LedgerOrder,
        callback: &Callback,
        merchant_prepare_id: Option<PrepareId>,
        anomaly: Anomaly,
        at: Timestamp,
    ) {
        tracing::warn!(
            order.id = %order.order_id,
            click_trans_id = %callback.click_trans_id,
            anomaly = anomaly.as_str(),
            "CLICK and the ledger do not agree; staff are told"
        );
        let kind = EventKind::PaymentQuestioned {
            click_trans_id: callback.click_trans_id,
            click_paydoc_id: callback.click_paydoc_id,
            merchant_prepare_id,
            click_amount: callback.amount,
            anomaly,
        };
        self.publish(order, kind, at);
    }

    pub(crate) fn publish(&mut self, order: &LedgerOrder, kind: EventKind, at: Timestamp) {
        let event = Event {
            id: Event::id_of(order.order_id, &kind),
            order_id: order.order_id,
            user_id: order.user_id,
            products: order.products.clone(),
            amount: order.amount,
            occurred_at: at,
            kind,
        };
        self.publish_row((&event).into());
    }

    pub(crate) fn publish_unplaced(&mut self, payment: &UnplacedPayment) {
        self.publish_row(payment.into());
    }

    pub(crate) fn keep_telegram_payment(&mut self, payment: TelegramRow) {
        self.known.keep_telegram_payment(payment.clone());
        self.changes.telegram_payments.push(payment);
    }

    pub(crate) fn keep_phone_invoice(&mut self, invoice: PhoneInvoice) {
        self.known.keep_phone_invoice(invoice.clone());
        self.changes.phone_invoices.push(invoice);
    }

    /// What `change` publishes is kept, so that it can be replayed, and counts as sent.
    pub(super) fn quietly<T>(&mut self, at: Timestamp, change: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.changes.events.len();
        let changed = change(self);
        for event in self.changes.events.iter_mut().skip(before) {
            event.sent_at = Some(unix_ms(at));
        }
        changed
    }

    pub(crate) fn set_order_state(&mut self, order: &LedgerOrder, state: OrderState) {
        self.known.set_order_state(order.order_id, state);
        self.changes.orders.insert(order.order_id);
    }

    pub(crate) fn change_attempt(&mut self, attempt: LedgerAttempt) {
        self.changes.attempts.insert(attempt.prepare_id);
        self.known.numbers.next_prepare_id =
            self.known.numbers.next_prepare_id.max(attempt.prepare_id.get().saturating_add(1));
        self.known.keep(attempt);
    }

    /// What changed since the last call, as rows.
    pub(crate) fn take_writes(&mut self) -> Writes {
        let changes = std::mem::take(&mut self.changes);
        let attempts = changes.attempts.iter().filter_map(|id| self.known.attempt(*id));
        let orders = changes.orders.iter().filter_map(|id| self.known.order(*id));
        let refunds = changes.refunds.iter().filter_map(|(order, refund)| {
            self.known.refunds_of(*order).iter().find(|known| known.refund_id == *refund).cloned()
        });
        Writes {
            attempts: attempts.map(AttemptRow::from).collect(),
            orders: orders.filter_map(OrderChange::of).collect(),
            new_orders: changes.new_orders,
            callbacks: changes.callbacks,
            unverified: changes.unverified,
            events: changes.events,
            sent: changes.sent,
            refused: changes.refused,
            sent_again: changes.sent_again,
            refunds: refunds.map(RefundRow::from).collect(),
            refund_steps: changes.refund_steps,
            checks: changes.checks,
            calls: changes.calls,
            telegram_payments: changes.telegram_payments,
            phone_invoices: changes.phone_invoices,
            reconciliation: changes.reconciliation,
            receipts: changes.receipts,
        }
    }

    pub(crate) fn keep_refund(&mut self, refund: Refund) {
        self.changes.refunds.insert((refund.order_id, refund.refund_id));
        self.known.keep_refund(refund);
    }

    pub(crate) fn keep_refund_step(&mut self, step: StepRow) {
        self.changes.refund_steps.push(step);
    }

    pub(crate) fn keep_check(&mut self, check: CheckRow) {
        self.changes.checks.push(check);
    }

    pub(super) const fn reconciliation(&mut self) -> &mut Reconciliation {
        &mut self.changes.reconciliation
    }

    pub(super) const fn receipts(&mut self) -> &mut Receipts {
        &mut self.changes.receipts
    }

    pub(super) fn publish_row(&mut self, mut event: EventRow) {
        event.traceparent.clone_from(&self.traceparent);
        self.changes.events.push(event);
    }

    pub(crate) fn keep_calls(&mut self, calls: impl Iterator<Item = CallRow>) {
        self.changes.calls.extend(calls);
    }
}
