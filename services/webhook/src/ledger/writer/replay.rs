//! Events once more: what is in the outbox is unsent again, what was deleted from it is made anew from the state, under
//! the same ids. Readers know an event by its id, so one that has arrived before has no second effect.

use tolov_domain::{
    EventKind, OrderId, UnplacedPayment,
    payment::{AttemptState, OrderState},
    receipt::{Receipt, ReceiptState},
    time::Timestamp,
};

use super::{
    job::{Decision, Phase},
    known::Needs,
    refunds::{reversals, undecided},
    rows::{LedgerAttempt, LedgerOrder},
    working_set::WorkingSet,
};
use crate::ledger::{Outcome, ReplayRefusal, event_ids::ids_of_order};

pub(crate) struct Replay {
    pub(crate) order_ids: Vec<OrderId>,
}

impl Decision for Replay {
    type Answer = Vec<Outcome<ReplayRefusal>>;
    const PHASE: Phase = Phase::Record;

    fn needs(&self, needs: &mut Needs) {
        needs.orders.extend(&self.order_ids);
        needs.receipts.extend(&self.order_ids);
    }

    fn decide(&self, set: &mut WorkingSet) -> Self::Answer {
        self.order_ids.iter().map(|order_id| set.replay(*order_id)).collect()
    }
}

/// Staff are told again of money that no order has, also where the event was deleted. It counts as sent until it is marked.
pub(crate) struct TellOfUnplaced {
    pub(crate) payments: Vec<UnplacedPayment>,
    pub(crate) at: Timestamp,
}

impl Decision for TellOfUnplaced {
    type Answer = ();
    const PHASE: Phase = Phase::Record;

    fn needs(&self, _: &mut Needs) {}

    fn decide(&self, set: &mut WorkingSet) {
        set.quietly(self.at, |set| self.payments.iter().for_each(|payment| set.publish_unplaced(payment)));
    }
}

impl WorkingSet {
    fn replay(&mut self, order_id: OrderId) -> Outcome<ReplayRefusal> {
        let Some(order) = self.known.order(order_id).cloned() else {
            return Outcome::Refused(ReplayRefusal::Unknown);
        };
        let attempts: Vec<LedgerAttempt> = self.known.attempts_of(order_id).cloned().collect();
        for (kind, at) in events_of(&order, &attempts) {
            self.publish(&order, kind, at);
        }
        let refunds = self.known.refunds_of(order_id).to_vec();
        for (_, kind, at) in reversals(order.amount, &refunds) {
            self.publish(&order, kind, at);
        }
        for refund in &refunds {
            if let Some(undecided) = undecided(refund) {
                self.publish(&order, EventKind::RefundUndecided(undecided), refund.changed_at);
            }
        }
        if let Some(Receipt { state: ReceiptState::Known { url, .. }, changed_at, .. }) =
            self.known.receipts.get(&order_id).cloned()
        {
            self.publish(&order, EventKind::ReceiptIssued { url }, changed_at);
        }
        self.send_again(ids_of_order(order_id));
        Outcome::Applied
    }
}

/// What the state still tells of. Questions to staff stay in the outbox.
fn events_of(order: &LedgerOrder, attempts: &[LedgerAttempt]) -> Vec<(EventKind, Timestamp)> {
    let mut events: Vec<(EventKind, Timestamp)> = attempts
        .iter()
        .filter_map(|attempt| {
            let merchant_prepare_id = attempt.prepare_id;
            match attempt.state {
                AttemptState::Prepared | AttemptState::GivenUp { .. } => None,
                AttemptState::Paid { by: paid, late } => {
                    let (click_trans_id, click_paydoc_id) = (paid.click_trans_id, paid.click_paydoc_id);
                    let kind = EventKind::PaymentCompleted {
                        click_trans_id,
                        click_paydoc_id,
                        merchant_prepare_id,
                        late,
                    };
                    Some((kind, paid.at))
                }
                AttemptState::Cancelled { error, at } => {
                    let LedgerAttempt { click_trans_id, click_paydoc_id, .. } = *attempt;
                    let kind = EventKind::PaymentCancelled {
                        click_trans_id,
                        click_paydoc_id,
                        merchant_prepare_id,
                        error,
                    };
                    Some((kind, at))
                }
            }
        })
        .collect();
    if let OrderState::Expired { at } = order.state {
        events.push((EventKind::OrderExpired, at));
    }
    events
}
