//! Taking back what a restored ledger has lost and other stores know: orders that were paid after the copy was made, and
//! money that went back.

use tolov_domain::{
    ClickPaymentId, Event, EventKind, RefundId, UnplacedPayment,
    payment::{self, Answer, AttemptState, Claim, Confirmation, OrderState},
    refund::{self, ManualReason, Refund, RefundState, RefundStatus, api::RefundRequest},
    time::{Timestamp, unix_ms},
};

use super::{
    job::{Decision, Phase},
    known::Needs,
    rows::{CallbackRow, LedgerAttempt, LedgerOrder, PaidSource},
    working_set::WorkingSet,
};
use crate::ledger::{AdoptRefusal, KnownRefund, NewOrder, Outcome, PaidOrder};

/// Who decides in a restore.
pub(super) const RESTORE: &str = "restore";

pub(crate) struct AdoptPaid {
    pub(crate) orders: Vec<PaidOrder>,
    pub(crate) at: Timestamp,
}

impl Decision for AdoptPaid {
    type Answer = Vec<Outcome<AdoptRefusal>>;
    const PHASE: Phase = Phase::Callback;

    fn needs(&self, needs: &mut Needs) {
        for paid in &self.orders {
            needs.orders.insert(paid.order_id);
            needs.transactions.insert(paid.click_trans_id);
            needs.attempts.extend(paid.merchant_prepare_id);
        }
    }

    fn decide(&self, set: &mut WorkingSet) -> Self::Answer {
        self.orders.iter().map(|paid| set.adopt(paid, self.at)).collect()
    }
}

/// What the ledger that is replaced was still to tell staff, and what it keeps of payments that belong to no order.
pub(crate) struct AdoptQuestions {
    /// Of an order that was not taken over nobody is told: whoever restores is.
    pub(crate) questions: Vec<Event>,
    pub(crate) unplaced: Vec<UnplacedPayment>,
    pub(crate) callbacks: Vec<CallbackRow>,
}

impl Decision for AdoptQuestions {
    type Answer = ();
    const PHASE: Phase = Phase::Record;

    fn needs(&self, needs: &mut Needs) {
        needs.orders.extend(self.questions.iter().map(|event| event.order_id));
    }

    fn decide(&self, set: &mut WorkingSet) {
        for event in &self.questions {
            if let Some(order) = set.known.order(event.order_id).cloned() {
                set.publish(&order, event.kind.clone(), event.occurred_at);
            }
        }
        self.unplaced.iter().for_each(|payment| set.publish_unplaced(payment));
        self.callbacks.iter().for_each(|callback| set.keep_evidence(callback.clone()));
    }
}

pub(crate) struct AdoptRefunds {
    pub(crate) refunds: Vec<KnownRefund>,
}

impl Decision for AdoptRefunds {
    type Answer = Vec<Outcome<AdoptRefusal>>;
    const PHASE: Phase = Phase::Callback;

    fn needs(&self, needs: &mut Needs) {
        needs.orders.extend(self.refunds.iter().map(|known| known.order_id));
    }

    fn decide(&self, set: &mut WorkingSet) -> Self::Answer {
        self.refunds.iter().map(|known| set.adopt_refund(known)).collect()
    }
}

/// Refunds of the ledger that is replaced.
pub(crate) struct AdoptLostRefunds {
    pub(crate) refunds: Vec<Refund>,
    pub(crate) at: Timestamp,
}

impl Decision for AdoptLostRefunds {
    type Answer = Vec<Outcome<AdoptRefusal>>;
    const PHASE: Phase = Phase::Callback;

    fn needs(&self, needs: &mut Needs) {
        needs.orders.extend(self.refunds.iter().map(|lost| lost.order_id));
    }

    fn decide(&self, set: &mut WorkingSet) -> Self::Answer {
        self.refunds.iter().map(|lost| set.adopt_lost_refund(lost, self.at)).collect()
    }
}

/// Where a refund goes on that another ledger has had in this state. What may have been sent is of unknown outcome, and what
/// would have gone on by itself waits for a person.
fn after_restore(lost: &RefundState) -> RefundState {
    match lost {
        RefundState::Requested | RefundState::Checked { .. } => {
            RefundState::Manual { payment_id: lost.payment_id(), why: ManualReason::LedgerRestored }
        }
        RefundState::Sending { payment_id } => RefundState::Unknown {
            payment_id: *payment_id,
            click_code: None,
            click_note: "the ledger was restored while it was sent".to_owned(),
        },
        RefundState::Unknown { .. }
        | RefundState::Refused { .. }
        | RefundState::Manual { .. }
        | RefundState::Done { .. }
        | RefundState::DoneByHand { .. }
        | RefundState::Withdrawn { .. } => lost.clone(),
    }
}

impl WorkingSet {
    fn adopt_lost_refund(&mut self, lost: &Refund, at: Timestamp) -> Outcome<AdoptRefusal> {
        const DIFFERS: Outcome<AdoptRefusal> =
            Outcome::Refused(AdoptRefusal::OrderDiffers { field: "refund" });
        let Some(order) = self.known.order(lost.order_id).cloned() else { return DIFFERS };
        let Some(paid) = self.paid_attempt(&order) else { return DIFFERS };
        let state = after_restore(&lost.state);
        let known = self.known.refunds_of(lost.order_id).iter();
        let same = known.clone().find(|known| known.refund_id == lost.refund_id);
        let (step, tries) = match same {
            Some(same) if same.amount_tiyin != lost.amount_tiyin || same.request_id != lost.request_id => {
                return DIFFERS;
            }
            Some(same) if !same.status().is_open() || same.state == state => return Outcome::AlreadyApplied,
            None if !lost.status().is_done() && !lost.status().is_open() => return Outcome::AlreadyApplied,
            Some(same) => (same.step.saturating_add(1), same.tries.max(lost.tries)),
            None => (0, lost.tries),
        };
        let mut others = known.filter(|known| known.refund_id != lost.refund_id);
        let over: Vec<Refund> = others.clone().filter(|other| !other.status().is_open()).cloned().collect();
        let contradicts = |other: &Refund| {
            other.request_id == lost.request_id
                || other.status().is_open() && other.refund_id > lost.refund_id
        };
        if others.any(contradicts) || lost.amount_tiyin > refund::left(paid.amount, &over) {
            return DIFFERS;
        }
        self.end_refunds_before(&order, lost.refund_id, at);
        let changed_at = if lost.status().is_done() { lost.changed_at } else { at };
        // One of unknown outcome that is not asked for any more waits for a person.
        let is_asked_for = lost.status() == RefundStatus::Sending
            || lost.status() == RefundStatus::Unknown && lost.next_step_at.is_some();
        let next_step_at = is_asked_for.then_some(at);
        let last = &mut self.known.numbers.last_refund_id;
        *last = lost.refund_id.get().max(*last);
        let refund = Refund {
            prepare_id: paid.prepare_id,
            state,
            changed_at,
            step,
            tries,
            next_step_at,
            ..lost.clone()
        };
        self.record_refund(&order, refund, RESTORE, changed_at);
        Outcome::Applied
    }

    /// A refund that the copy has as open is over; one that it does not have is recorded as if it were asked for now.
    fn adopt_refund(&mut self, known: &KnownRefund) -> Outcome<AdoptRefusal> {
        const DIFFERS: Outcome<AdoptRefusal> =
            Outcome::Refused(AdoptRefusal::OrderDiffers { field: "refund" });
        let KnownRefund { order_id, reversal, at, known_by } = known;
        let Some(order) = self.known.order(*order_id).cloned() else { return DIFFERS };
        self.end_refunds_before(&order, reversal.refund_id, *at);
        let refunds = self.known.refunds_of(*order_id);
        let same = refunds.iter().find(|refund| refund.refund_id == reversal.refund_id);
        let (amount, document) = (reversal.refunded, format!("known by the {known_by} after a restore"));
        let refund = match same {
            Some(same) if same.amount_tiyin != amount => return DIFFERS,
            Some(same) if same.status().is_done() => return Outcome::AlreadyApplied,
            Some(same) if !same.status().is_open() => return DIFFERS,
            Some(open) => Refund { step: open.step.saturating_add(1), ..open.clone() },
            None => {
                let asked = RefundRequest {
                    request_id: format!("restored-{}", reversal.refund_id),
                    amount_tiyin: Some(amount),
                    returned: reversal.returned.clone(),
                    requested_by: RESTORE.to_owned(),
                    reason: String::new(),
                    by_hand: Some(document.clone()),
                };
                let paid = self.paid_attempt(&order);
                match refund::request(reversal.refund_id, paid.as_ref(), refunds, &asked, true, *at) {
                    Ok(refund) => refund,
                    Err(_) => return DIFFERS,
                }
            }
        };
        let state = match self.click_payment_of(&order).filter(|_| !reversal.by_hand) {
            Some(payment_id) => RefundState::Done { payment_id },
            None => RefundState::DoneByHand { decided_by: RESTORE.to_owned(), document },
        };
        let last = &mut self.known.numbers.last_refund_id;
        *last = reversal.refund_id.get().max(*last);
        let refund = Refund { state, next_step_at: None, changed_at: *at, ..refund };
        self.record_refund(&order, refund, RESTORE, *at);
        Outcome::Applied
    }

    /// One refund of an order is open at a time: one that the copy has as open was over before a later one was asked for. It
    /// must not go on.
    fn end_refunds_before(&mut self, order: &LedgerOrder, refund_id: RefundId, at: Timestamp) {
        let is_over = |refund: &&Refund| refund.status().is_open() && refund.refund_id < refund_id;
        let over = self.known.refunds_of(order.order_id).iter().find(is_over).cloned();
        if let Some(over) = over {
            let state = RefundState::Withdrawn { decided_by: RESTORE.to_owned() };
            let step = over.step.saturating_add(1);
            let over = Refund { state, step, next_step_at: None, changed_at: at, ..over };
            self.record_refund(order, over, RESTORE, at);
        }
    }

    pub(super) fn click_payment_of(&self, order: &LedgerOrder) -> Option<ClickPaymentId> {
        let OrderState::Paid { by, .. } = order.state else { return None };
        let AttemptState::Paid { by: confirmation, .. } = self.known.attempt(by)?.state else { return None };
        ClickPaymentId::try_new(confirmation.click_paydoc_id.get()).ok()
    }

    pub(super) fn adopt(&mut self, paid: &PaidOrder, at: Timestamp) -> Outcome<AdoptRefusal> {
        let registered = NewOrder {
            order_id: paid.order_id,
            user_id: paid.user_id,
            products: paid.products.clone(),
            amount: paid.amount,
            created_at: paid.paid_at,
            receipt: paid.receipt.clone(),
        };
        match self.known.order(paid.order_id).map(|known| known.difference(&registered)) {
            Some(Some(field)) => return Outcome::Refused(AdoptRefusal::OrderDiffers { field }),
            Some(None) => {}
            None if !self.known.numbers.admits_order(paid.order_id) => {
                return Outcome::Refused(AdoptRefusal::OutOfRange);
            }
            None => self.add_order(&registered),
        }
        match self.known.attempt_paid_by(paid.click_trans_id) {
            Some(attempt) if attempt.order_id == paid.order_id => return Outcome::AlreadyApplied,
            Some(_) => return Outcome::Refused(AdoptRefusal::TransactionPaidAnother),
            None => {}
        }
        let Some(order) = self.known.order(paid.order_id).cloned() else { return Outcome::AlreadyApplied };
        let Some(attempt) = self.attempt_to_pay(paid) else {
            return Outcome::Refused(AdoptRefusal::NumbersUsedUp);
        };
        let PaidOrder { click_trans_id, click_paydoc_id, paid_at, .. } = *paid;
        let confirmation = Confirmation { click_trans_id, click_paydoc_id, at: paid_at };
        let claim = Claim { error: None, amount_agrees: true, transaction_paid_another: false };
        let completion =
            payment::complete(order.state, attempt.state, attempt.prepare_id, claim, confirmation);
        match completion.answer {
            Answer::Success => {}
            Answer::AlreadyPaid => return Outcome::Refused(AdoptRefusal::PaidByAnother),
            Answer::Cancelled | Answer::IncorrectAmount => return Outcome::Refused(AdoptRefusal::Cancelled),
        }
        let merchant_prepare_id = attempt.prepare_id;
        // That of the ledger that was lost; this one may not know that the order had ended.
        let late = paid.late;
        self.change_attempt(LedgerAttempt {
            state: AttemptState::Paid { by: confirmation, late },
            ..attempt
        });
        self.set_order_state(&order, completion.order);
        let kind = EventKind::PaymentCompleted { click_trans_id, click_paydoc_id, merchant_prepare_id, late };
        self.publish(&order, kind, paid_at);
        self.keep_evidence(CallbackRow::of_adopted(paid, merchant_prepare_id, at));
        Outcome::Applied
    }

    /// The order's attempt with this transaction or number, or a new one: with its old number where that is free and
    /// leaves numbers above it.
    fn attempt_to_pay(&mut self, paid: &PaidOrder) -> Option<LedgerAttempt> {
        let numbered = paid.merchant_prepare_id.and_then(|id| self.known.attempt(id));
        let same = numbered.filter(|attempt| attempt.order_id == paid.order_id);
        if let Some(attempt) = self.known.attempt_of(paid.order_id, paid.click_trans_id).or(same) {
            return Some(attempt.clone());
        }
        let prepare_id = match paid.merchant_prepare_id {
            Some(old_number) if numbered.is_none() && self.known.numbers.admits_attempt(old_number) => {
                old_number
            }
            _ => self.known.numbers.take_prepare_id()?,
        };
        Some(LedgerAttempt {
            prepare_id,
            order_id: paid.order_id,
            click_trans_id: paid.click_trans_id,
            click_paydoc_id: paid.click_paydoc_id,
            amount: paid.amount,
            prepared_at_ms: unix_ms(paid.paid_at),
            state: AttemptState::Prepared,
            paid_source: PaidSource::Callback,
        })
    }
}
