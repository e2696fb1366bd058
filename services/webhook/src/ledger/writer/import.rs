//! Taking over the orders of another system.

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
use crate::ledger::{AdoptRefusal, ImportedOrder, ImportedState, OpenAttempt, Outcome};

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

impl WorkingSet {
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
                        self.continue_attempt(&known, attempt);
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
    fn continue_attempt(&mut self, order: &LedgerOrder, attempt: &OpenAttempt) {
        let OpenAttempt { prepare_id, click_trans_id, click_paydoc_id, prepared_at } = *attempt;
        let is_taken = self.known.attempt(prepare_id).is_some()
            || self.known.attempt_of(order.order_id, click_trans_id).is_some();
        if !is_taken && self.known.numbers.admits_attempt(prepare_id) {
            self.change_attempt(LedgerAttempt {
                prepare_id,
                order_id: order.order_id,
                click_trans_id,
                click_paydoc_id,
                amount: order.amount,
                prepared_at_ms: unix_ms(prepared_at),
                state: AttemptState::Prepared,
                paid_source: PaidSource::Callback,
            });
        }
    }
}
