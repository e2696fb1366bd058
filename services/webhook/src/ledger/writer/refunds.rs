//! Refunds: opened, moved on by the reconciler and decided by people. The rules are [`tolov_domain::refund`]'s.

use tolov_domain::{
    EventKind, OrderId, PrepareId, RefundId, Tiyin,
    event::{Reversal, Undecided},
    payment::{AttemptState, OrderState},
    refund::{
        self, Change, Decision as Choice, NotAllowed, PaidAttempt, Refund, RefundState, RefundStatus,
        RequestRefusal, api::RefundRequest,
    },
    time::{Timestamp, from_unix_ms},
};

use super::{
    job::{Decision, Phase},
    known::Needs,
    refund_rows::StepRow,
    rows::LedgerOrder,
    working_set::WorkingSet,
};

/// What became of a request for a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    Opened(Refund),
    /// The same request was made before.
    Same(Refund),
    Refused(AskRefusal),
}

/// Why no refund is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskRefusal {
    UnknownOrder,
    /// The `request_id` belongs to a refund of another sum or of other goods.
    OtherRequest,
    NotAllowed(RequestRefusal),
}

/// What became of a change of a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stepped {
    Changed(Refund),
    /// The refund has gone on since it was read.
    Stale(Refund),
    NotAllowed(Refund),
    Unknown,
}

/// A person or the owner's bot asks for a refund.
pub(crate) struct AskForRefund {
    pub(crate) order_id: OrderId,
    pub(crate) asked: RefundRequest,
    pub(crate) merchant_api: bool,
    pub(crate) at: Timestamp,
}

impl Decision for AskForRefund {
    type Answer = Asked;
    const PHASE: Phase = Phase::Callback;

    fn needs(&self, needs: &mut Needs) {
        needs.orders.insert(self.order_id);
    }

    fn decide(&self, set: &mut WorkingSet) -> Asked {
        set.ask_for_refund(self)
    }
}

/// A refund goes on.
pub(crate) struct StepRefund {
    pub(crate) order_id: OrderId,
    pub(crate) refund_id: RefundId,
    pub(crate) what: StepKind,
    pub(crate) at: Timestamp,
}

pub(crate) enum StepKind {
    Change { step: u32, change: Change, next_step_at: Option<Timestamp> },
    Decide { choice: Choice, by: String },
}

/// Who moves a refund on where no person does.
const RECONCILER: &str = "reconciler";

impl Decision for StepRefund {
    type Answer = Stepped;
    const PHASE: Phase = Phase::Callback;

    fn needs(&self, needs: &mut Needs) {
        needs.orders.insert(self.order_id);
    }

    fn decide(&self, set: &mut WorkingSet) -> Stepped {
        let refunds = set.known.refunds_of(self.order_id);
        let Some(refund) = refunds.iter().find(|refund| refund.refund_id == self.refund_id).cloned() else {
            return Stepped::Unknown;
        };
        let (next, by): (Result<Refund, NotAllowed>, &str) = match &self.what {
            StepKind::Change { step, .. } if *step != refund.step => return Stepped::Stale(refund),
            StepKind::Change { change, next_step_at, .. } => {
                (refund.clone().advance(change.clone(), *next_step_at, self.at), RECONCILER)
            }
            StepKind::Decide { choice, by } => (refund.clone().decide(choice.clone(), by, self.at), by),
        };
        let Ok(next) = next else { return Stepped::NotAllowed(refund) };
        set.change_refund(&refund, next.clone(), by, self.at);
        Stepped::Changed(next)
    }
}

impl WorkingSet {
    fn ask_for_refund(&mut self, job: &AskForRefund) -> Asked {
        let Some(order) = self.known.order(job.order_id).cloned() else {
            return Asked::Refused(AskRefusal::UnknownOrder);
        };
        let refunds = self.known.refunds_of(job.order_id);
        if let Some(same) = refunds.iter().find(|refund| refund.request_id == job.asked.request_id) {
            let is_same = job.asked.amount_tiyin.is_none_or(|amount| amount == same.amount_tiyin)
                && job.asked.returned == same.returned;
            return if is_same {
                Asked::Same(same.clone())
            } else {
                Asked::Refused(AskRefusal::OtherRequest)
            };
        }
        let paid = self.paid_attempt(&order);
        let refund_id = self.known.numbers.next_refund_id(job.at);
        let opened = refund_id.map(|refund_id| {
            refund::request(refund_id, paid.as_ref(), refunds, &job.asked, job.merchant_api, job.at)
        });
        match opened {
            Some(Ok(refund)) => {
                self.known.numbers.last_refund_id = refund.refund_id.get();
                let by = refund.requested_by.clone();
                self.record_refund(&order, refund.clone(), &by, job.at);
                Asked::Opened(refund)
            }
            Some(Err(refusal)) => Asked::Refused(AskRefusal::NotAllowed(refusal)),
            None => Asked::Refused(AskRefusal::NotAllowed(RequestRefusal::Field("request_id"))),
        }
    }

    pub(super) fn paid_attempt(&self, order: &LedgerOrder) -> Option<PaidAttempt> {
        let OrderState::Paid { by, .. } = order.state else { return None };
        let attempt = self.known.attempt(by)?;
        Some(PaidAttempt {
            order_id: order.order_id,
            prepare_id: by,
            amount: attempt.amount,
            products: order.products.clone(),
            prepared_at: from_unix_ms(attempt.prepared_at_ms),
            in_telegram: attempt.click_trans_id.is_of_telegram(),
        })
    }

    fn change_refund(&mut self, before: &Refund, refund: Refund, by: &str, at: Timestamp) {
        let Some(order) = self.known.order(before.order_id).cloned() else { return };
        self.record_refund(&order, refund, by, at);
    }

    /// Keeps the refund with its step, and tells of money that is back and of a refund that waits for staff.
    pub(super) fn record_refund(&mut self, order: &LedgerOrder, refund: Refund, by: &str, at: Timestamp) {
        tracing::info!(
            order.id = %order.order_id, refund.id = %refund.refund_id, state = ?refund.status(), by, "refund"
        );
        self.keep_refund_step(StepRow::of(&refund, by, at));
        let undecided = undecided(&refund);
        let is_done = refund.status().is_done();
        let refund_id = refund.refund_id;
        self.keep_refund(refund);
        if let Some(undecided) = undecided {
            self.publish(order, EventKind::RefundUndecided(undecided), at);
        }
        if is_done {
            let events = reversals(order.amount, self.known.refunds_of(order.order_id));
            let event = events.into_iter().find(|(id, ..)| *id == refund_id);
            if let Some((_, kind, _)) = event {
                self.publish(order, kind, at);
            }
        }
    }

    /// Whether a refund explains that CLICK shows the order's payment as not paid.
    pub(super) fn is_being_refunded(&self, order: &LedgerOrder) -> bool {
        self.known.refunds_of(order.order_id).iter().any(|refund| refund.explains_reversal_of(order.amount))
    }

    /// Whether the attempt made its order paid.
    pub(super) fn is_paid_attempt(&self, prepare_id: PrepareId) -> bool {
        let attempt = self.known.attempt(prepare_id);
        attempt.is_some_and(|attempt| matches!(attempt.state, AttemptState::Paid { .. }))
    }
}

/// The events of the refunds of an order of this amount that are over, oldest first, each with the time of its last step.
pub fn reversals(amount: Tiyin, refunds: &[Refund]) -> Vec<(RefundId, EventKind, Timestamp)> {
    let mut done: Vec<&Refund> = refunds.iter().filter(|refund| refund.status().is_done()).collect();
    done.sort_by_key(|refund| (refund.changed_at, refund.refund_id));
    let mut total = Tiyin::ZERO;
    let mut events = Vec::with_capacity(done.len());
    for refund in done {
        total = total.checked_add(refund.amount_tiyin).unwrap_or(Tiyin::MAX);
        let reversal = Reversal {
            refund_id: refund.refund_id,
            refunded: refund.amount_tiyin,
            by_hand: refund.status() == RefundStatus::DoneByHand,
            returned: refund.returned.clone(),
        };
        let kind = if total >= amount {
            EventKind::PaymentReversed(reversal)
        } else {
            EventKind::PaymentPartlyReversed { reversal, refunded_total: total }
        };
        events.push((refund.refund_id, kind, refund.changed_at));
    }
    events
}

/// What staff hear of a refund that waits for them.
pub(super) fn undecided(refund: &Refund) -> Option<Undecided> {
    let state = refund.undecided()?;
    let (why, click_code, click_note) = match &refund.state {
        RefundState::Manual { why, .. } => (Some(*why), None, None),
        RefundState::Refused { click_code, click_note, .. } => {
            (None, Some(*click_code), Some(click_note.clone()))
        }
        RefundState::Unknown { click_code, click_note, .. } => (None, *click_code, Some(click_note.clone())),
        RefundState::Requested
        | RefundState::Checked { .. }
        | RefundState::Sending { .. }
        | RefundState::Done { .. }
        | RefundState::DoneByHand { .. }
        | RefundState::Withdrawn { .. } => (None, None, None),
    };
    let (refund_id, refunded, step) = (refund.refund_id, refund.amount_tiyin, refund.step);
    Some(Undecided { refund_id, refunded, state, step, why, click_code, click_note })
}
