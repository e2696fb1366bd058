//! What CLICK's Merchant API or a statement says about an attempt. It goes through the same state machine as a Complete; that CLICK does not
//! find a payment is no evidence and changes nothing.

use tolov_domain::{
    EventKind, PrepareId, Tiyin,
    payment::{self, Anomaly, AttemptState, Claim, Confirmation, News},
    refund::api::{MerchantCall, ReportSource, SeenOutcome, SeenPayment, SeenReply, SeenRequest},
    time::{Timestamp, unix_ms},
};

use super::{
    job::{Decision, Phase},
    known::Needs,
    reconciliation::ReportRow,
    refund_rows::{CallRow, CheckRow},
    rows::{LedgerAttempt, LedgerOrder, PaidSource},
    working_set::WorkingSet,
};

/// CLICK's payment_status of a payment that is paid.
pub(crate) const PAID: i64 = 2;

pub(crate) struct SeenAttempt {
    pub(crate) prepare_id: PrepareId,
    pub(crate) seen: SeenRequest,
    /// Who says so.
    pub(crate) by: String,
    pub(crate) at: Timestamp,
}

impl Decision for SeenAttempt {
    /// `None`: there is no such attempt.
    type Answer = Option<SeenReply>;
    const PHASE: Phase = Phase::Callback;

    fn needs(&self, needs: &mut Needs) {
        needs.attempts.insert(self.prepare_id);
    }

    fn decide(&self, set: &mut WorkingSet) -> Option<SeenReply> {
        let attempt = set.known.attempt(self.prepare_id)?.clone();
        let order = set.known.order(attempt.order_id)?.clone();
        set.keep_check(CheckRow::of(attempt.prepare_id, attempt.prepared_at_ms, self.seen.payment, self.at));
        let unchanged = SeenReply { outcome: SeenOutcome::Unchanged, anomaly: None };
        let Some(payment) = self.seen.payment else { return Some(unchanged) };
        let named = self.seen.amount_tiyin;
        if payment.status == PAID && named.is_some_and(|named| named != attempt.amount) {
            return Some(set.question_report(&order, &attempt, Anomaly::AmountDiffers, (named, self.at)));
        }
        Some(match (payment.status == PAID, set.is_paid_attempt(attempt.prepare_id)) {
            (true, true) => SeenReply { outcome: SeenOutcome::AlreadyPaid, anomaly: None },
            (true, false) => set.reported_paid(&order, &attempt, payment, self),
            (false, true) if !set.is_being_refunded(&order) => {
                set.question_report(&order, &attempt, Anomaly::ReportedUnpaid, (None, self.at))
            }
            (false, _) => unchanged,
        })
    }
}

/// Calls of the Merchant API, for the record.
pub(crate) struct KeepCalls {
    pub(crate) calls: Vec<MerchantCall>,
}

impl Decision for KeepCalls {
    type Answer = ();
    const PHASE: Phase = Phase::Record;

    fn needs(&self, _: &mut Needs) {}

    fn decide(&self, set: &mut WorkingSet) {
        set.keep_calls(self.calls.iter().map(CallRow::from));
    }
}

impl WorkingSet {
    fn reported_paid(
        &mut self,
        order: &LedgerOrder,
        attempt: &LedgerAttempt,
        payment: SeenPayment,
        report: &SeenAttempt,
    ) -> SeenReply {
        let (SeenRequest { source, accept, .. }, at) = (&report.seen, report.at);
        // Only then is the sum known: the Prepare named it beside this number, under CLICK's signature. An owner has looked
        // it up.
        let is_known = payment.payment_id.get() == attempt.click_paydoc_id.get();
        if !accept || !(is_known || *source == ReportSource::Owner) {
            return self.question_report(order, attempt, Anomaly::ReportedPaid, (None, at));
        }
        let LedgerAttempt { prepare_id, click_trans_id, click_paydoc_id, .. } = *attempt;
        let paid_by = self.known.attempt_paid_by(click_trans_id);
        let claim = Claim {
            error: None,
            amount_agrees: true,
            transaction_paid_another: paid_by.is_some_and(|paid| paid.prepare_id != prepare_id),
        };
        let confirmation = Confirmation { click_trans_id, click_paydoc_id, at };
        let completion = payment::complete(order.state, attempt.state, prepare_id, claim, confirmation);
        match completion.news {
            Some(News::Completed { late }) => {
                let paid_source = PaidSource::Reconciliation;
                self.change_attempt(LedgerAttempt {
                    state: completion.attempt,
                    paid_source,
                    ..attempt.clone()
                });
                self.set_order_state(order, completion.order);
                self.reconciliation().reports.push(ReportRow {
                    prepare_id,
                    at: unix_ms(at),
                    source: *source,
                    by: report.by.clone(),
                    payment_id: payment.payment_id,
                });
                let merchant_prepare_id = prepare_id;
                let kind = EventKind::PaymentCompleted {
                    click_trans_id,
                    click_paydoc_id,
                    merchant_prepare_id,
                    late,
                };
                self.publish(order, kind, at);
                tracing::warn!(
                    order.id = %order.order_id,
                    source = source.as_str(),
                    "CLICK shows a payment whose Complete has not come; the order is paid by it"
                );
                SeenReply { outcome: SeenOutcome::Paid, anomaly: None }
            }
            Some(News::Anomaly(anomaly)) => self.question_report(order, attempt, anomaly, (None, at)),
            Some(News::Cancelled { .. }) | None => {
                SeenReply { outcome: SeenOutcome::Unchanged, anomaly: None }
            }
        }
    }

    fn question_report(
        &mut self,
        order: &LedgerOrder,
        attempt: &LedgerAttempt,
        anomaly: Anomaly,
        (click_amount, at): (Option<Tiyin>, Timestamp),
    ) -> SeenReply {
        tracing::warn!(
            order.id = %order.order_id,
            anomaly = anomaly.as_str(),
            "CLICK and the ledger do not agree about a payment; staff are told"
        );
        let (click_trans_id, click_paydoc_id) = match attempt.state {
            AttemptState::Paid { by: paid, .. } => (paid.click_trans_id, paid.click_paydoc_id),
            AttemptState::Prepared | AttemptState::Cancelled { .. } | AttemptState::GivenUp { .. } => {
                (attempt.click_trans_id, attempt.click_paydoc_id)
            }
        };
        let kind = EventKind::PaymentQuestioned {
            click_trans_id,
            click_paydoc_id,
            merchant_prepare_id: Some(attempt.prepare_id),
            click_amount,
            anomaly,
        };
        self.publish(order, kind, at);
        SeenReply { outcome: SeenOutcome::Questioned, anomaly: Some(anomaly) }
    }
}
