//! Taking over the orders of another system, or of the ledger that is replaced.

use tolov_domain::{
    payment::AttemptState,
    time::{Timestamp, unix_ms},
};

use super::{
    job::{Decision, Phase},
    known::Needs,
    rows::{LedgerAttempt, LedgerOrder, PaidSource},
    working_set::WorkingSet,
};
use crate::ledger::{
    AdoptRefusal, Continued, ImportedOrder, ImportedState, OpenAttempt, OrderStatus, Outcome,
    UnsettledAttempt, UnsettledOrder,
};

pub(crate) struct Import {
    pub(crate) orders: Vec<ImportedOrder>,
    pub(crate) at: Timestamp,
}

impl Decision for Import {
    type Answer = Vec<Outcome<AdoptRefusal>>;
    const PHASE: Phase = Phase::Callback;

    fn needs(&self, needs: &mut Needs) {
        for imported in &self.orders {
            needs.orders.insert(imported.order.order_id);
            match &imported.state {
                ImportedState::Payable { open } => {
                    needs.attempts.extend(open.iter().map(|attempt| attempt.prepare_id));
                }
                ImportedState::Over => {}
                ImportedState::Paid(paid) => {
                    needs.transactions.insert(paid.click_trans_id);
                    needs.attempts.extend(paid.merchant_prepare_id);
                }
            }
        }
    }

    fn decide(&self, set: &mut WorkingSet) -> Self::Answer {
        set.quietly(self.at, |set| self.orders.iter().map(|imported| set.import(imported, self.at)).collect())
    }
}

/// What is not paid of the ledger that is replaced.
pub(crate) struct AdoptUnsettled {
    pub(crate) orders: Vec<UnsettledOrder>,
    pub(crate) at: Timestamp,
}

impl Decision for AdoptUnsettled {
    type Answer = Vec<Continued>;
    const PHASE: Phase = Phase::Callback;

    fn needs(&self, needs: &mut Needs) {
        for unsettled in &self.orders {
            needs.orders.insert(unsettled.order.order_id);
            needs.attempts.extend(unsettled.open.iter().map(|open| open.attempt.prepare_id));
        }
    }

    fn decide(&self, set: &mut WorkingSet) -> Self::Answer {
        self.orders.iter().map(|unsettled| set.adopt_unsettled(unsettled, self.at)).collect()
    }
}

impl WorkingSet {
    /// One that is over is told of once more: nobody knows whether the other ledger's event was sent.
    fn adopt_unsettled(&mut self, unsettled: &UnsettledOrder, at: Timestamp) -> Continued {
        let UnsettledOrder { order, status, open, phone_invoices } = unsettled;
        let all = |outcome| Continued { order: outcome, open: vec![outcome; open.len()], phone_invoices: 0 };
        let mut outcome = Outcome::AlreadyApplied;
        match self.known.order(order.order_id).map(|known| known.difference(order)) {
            Some(Some(field)) => return all(Outcome::Refused(AdoptRefusal::OrderDiffers { field })),
            Some(None) => {}
            // Its payment was refused: it must not be paid once more.
            None if *status == OrderStatus::Paid => return all(Outcome::AlreadyApplied),
            None if !self.known.numbers.admits_order(order.order_id) => {
                return all(Outcome::Refused(AdoptRefusal::OutOfRange));
            }
            None => {
                self.add_order(order);
                outcome = Outcome::Applied;
            }
        }
        let Some(known) = self.known.order(order.order_id).cloned() else { return all(outcome) };
        let open = open.iter().map(|attempt| self.continue_attempt(&known, attempt)).collect();
        if *status == OrderStatus::Expired && self.end_order(order.order_id, at) == Outcome::Applied {
            outcome = Outcome::Applied;
        }
        let phone_invoices = phone_invoices.iter().filter(|lost| self.adopt_phone_invoice(lost)).count();
        Continued { order: outcome, open, phone_invoices }
    }

    fn import(&mut self, imported: &ImportedOrder, at: Timestamp) -> Outcome<AdoptRefusal> {
        let order = &imported.order;
        let is_new = match self.known.order(order.order_id).map(|known| known.difference(order)) {
            Some(Some(field)) => return Outcome::Refused(AdoptRefusal::OrderDiffers { field }),
            Some(None) => false,
            None if !self.known.numbers.admits_order(order.order_id) => {
                return Outcome::Refused(AdoptRefusal::OutOfRange);
            }
            None => {
                self.add_order(order);
                true
            }
        };
        match &imported.state {
            ImportedState::Paid(paid) => {
                let outcome = self.adopt(paid, at);
                if is_new && matches!(outcome, Outcome::Refused(_)) {
                    // The other system has its money: it must not be paid once more.
                    self.end_order(order.order_id, at);
                }
                outcome
            }
            ImportedState::Payable { open } => {
                if is_new && let Some(known) = self.known.order(order.order_id).cloned() {
                    for attempt in open {
                        let attempt = UnsettledAttempt { attempt: *attempt, given_up_at: None };
                        self.continue_attempt(&known, &attempt);
                    }
                }
                if is_new { Outcome::Applied } else { Outcome::AlreadyApplied }
            }
            ImportedState::Over if is_new => {
                self.end_order(order.order_id, at);
                Outcome::Applied
            }
            // It may be waiting for payment here, by an earlier import that let it.
            ImportedState::Over => Outcome::AlreadyApplied,
        }
    }

    /// The Complete of this Prepare finds it here, if its number can be kept.
    fn continue_attempt(&mut self, order: &LedgerOrder, open: &UnsettledAttempt) -> Outcome<AdoptRefusal> {
        let OpenAttempt { prepare_id, click_trans_id, click_paydoc_id, prepared_at } = open.attempt;
        let same = self.known.attempt_of(order.order_id, click_trans_id);
        match (self.known.attempt(prepare_id), same) {
            (Some(known), Some(same)) if known.prepare_id == same.prepare_id => Outcome::AlreadyApplied,
            (None, None) if !self.known.numbers.admits_attempt(prepare_id) => {
                Outcome::Refused(AdoptRefusal::NumbersUsedUp)
            }
            (None, None) => {
                self.change_attempt(LedgerAttempt {
                    prepare_id,
                    order_id: order.order_id,
                    click_trans_id,
                    click_paydoc_id,
                    amount: order.amount,
                    prepared_at_ms: unix_ms(prepared_at),
                    state: open.given_up_at.map_or(AttemptState::Prepared, |at| AttemptState::GivenUp { at }),
                    paid_source: PaidSource::Callback,
                });
                Outcome::Applied
            }
            (Some(_), _) | (_, Some(_)) => Outcome::Refused(AdoptRefusal::NumberTaken),
        }
    }
}
