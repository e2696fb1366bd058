//! What a transaction did, counted once it is committed.

use std::time::Duration;

use super::books::Writes;

/// How orders and attempts changed in one transaction.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    orders: Vec<(&'static str, u64)>,
    payments: Vec<(&'static str, u64)>,
    paid_tiyin: u64,
}

const ORDER_CHANGES: [&str; 2] = ["paid", "expired"];
const ATTEMPT_STATES: [&str; 4] = ["prepared", "paid", "cancelled", "given_up"];

impl Counted {
    pub(super) fn of(writes: &Writes) -> Self {
        let mut counted = Self::default();
        counted.orders.push(("pending", count(writes.new_orders.iter())));
        for status in ORDER_CHANGES {
            counted
                .orders
                .push((status, count(writes.orders.iter().filter(|order| order.status() == status))));
        }
        for state in ATTEMPT_STATES {
            let attempts = writes.attempts.iter().filter(|attempt| attempt.state() == state);
            counted.payments.push((state, count(attempts)));
        }
        let questions = writes.events.iter().filter(|event| event.routing_key() == "payment.questioned");
        counted.payments.push(("questioned", count(questions)));
        let paid = writes.attempts.iter().filter(|attempt| attempt.state() == "paid");
        counted.paid_tiyin = paid.filter_map(|attempt| u64::try_from(attempt.amount().get()).ok()).sum();
        counted
    }

    /// Only after COMMIT: what was rolled back did not happen.
    pub(super) fn record(&self) {
        let happened = |changes: &[(&'static str, u64)]| -> Vec<(&'static str, u64)> {
            changes.iter().copied().filter(|(_, count)| *count > 0).collect()
        };
        for (state, count) in happened(&self.orders) {
            metrics::counter!("tolov_orders_total", "state" => state).increment(count);
        }
        for (state, count) in happened(&self.payments) {
            metrics::counter!("tolov_payments_total", "state" => state).increment(count);
        }
        if self.paid_tiyin > 0 {
            metrics::counter!("tolov_paid_tiyin_total").increment(self.paid_tiyin);
        }
    }
}

/// One transaction: how many requests shared it, and how long it took.
pub(super) fn transaction(jobs: usize, took: Duration) {
    metrics::histogram!("tolov_commit_seconds").record(took);
    metrics::histogram!("tolov_commit_jobs").record(u32::try_from(jobs).unwrap_or(u32::MAX));
}

fn count(things: impl Iterator) -> u64 {
    u64::try_from(things.count()).unwrap_or(u64::MAX)
}
