//! Taking back what a restored ledger has lost and other stores know: orders that were paid after the copy was made.

use tolov_domain::{
    EventKind,
    payment::{self, Answer, AttemptState, Claim, Confirmation},
    time::{Timestamp, unix_ms},
};

use super::{
    job::{Decision, Phase},
    known::Needs,
    rows::{CallbackRow, LedgerAttempt, PaidSource},
    working_set::WorkingSet,
};
use crate::ledger::{AdoptRefusal, NewOrder, Outcome, PaidOrder};

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

impl WorkingSet {
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
        self.change_attempt(LedgerAttempt { state: completion.attempt, ..attempt });
        self.set_order_state(&order, completion.order);
        let late = paid.late;
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
