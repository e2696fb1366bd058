//! What a transaction did, counted once it is committed (docs/metrics.md).

use std::time::Duration;

use tolov_domain::{payment::Anomaly, receipt::ReceiptStatus, refund::RefundStatus};

use super::writer::{
    rows::{AttemptStatus, OrderStatus},
    working_set::Writes,
};

/// How orders and attempts changed in one transaction.
pub(super) struct Counts {
    orders: Vec<(&'static str, usize)>,
    payments: Vec<(&'static str, usize)>,
    questions: Vec<(&'static str, usize)>,
    paid_tiyin: u64,
    refunds: Vec<RefundStatus>,
    receipts: Vec<ReceiptStatus>,
}

impl Counts {
    pub(super) fn of(writes: &Writes) -> Self {
        let orders_now = |status| writes.orders.iter().filter(|order| order.status == status).count();
        let attempts_now = |state| writes.attempts.iter().filter(move |attempt| attempt.state == state);
        let questions = |anomaly| writes.events.iter().filter(|event| event.anomaly == Some(anomaly)).count();
        let amounts = attempts_now(AttemptStatus::Paid).map(|attempt| attempt.amount_tiyin.get());
        Self {
            orders: [OrderStatus::Paid, OrderStatus::Expired]
                .into_iter()
                .map(|status| (status.as_str(), orders_now(status)))
                .chain([(OrderStatus::Pending.as_str(), writes.new_orders.len())])
                .collect(),
            payments: AttemptStatus::ALL
                .into_iter()
                .map(|state| (state.as_str(), attempts_now(state).count()))
                .collect(),
            questions: Anomaly::ALL.map(|anomaly| (anomaly.as_str(), questions(anomaly))).to_vec(),
            paid_tiyin: amounts.filter_map(|amount| u64::try_from(amount).ok()).sum(),
            refunds: writes.refunds.iter().map(|refund| refund.state.status()).collect(),
            receipts: writes.receipts.steps.iter().map(|step| step.state().status()).collect(),
        }
    }

    /// Only after COMMIT: what was rolled back did not happen.
    pub(super) fn record(self) {
        for (state, count) in self.orders.into_iter().filter(|(_, count)| *count > 0) {
            metrics::counter!("tolov_orders_total", "state" => state).increment(whole(count));
        }
        for (state, count) in self.payments.into_iter().filter(|(_, count)| *count > 0) {
            metrics::counter!("tolov_payments_total", "state" => state).increment(whole(count));
        }
        for (anomaly, count) in self.questions.into_iter().filter(|(_, count)| *count > 0) {
            metrics::counter!("tolov_payment_questions_total", "anomaly" => anomaly).increment(whole(count));
        }
        for status in self.refunds {
            metrics::counter!("tolov_refunds_total", "state" => status.as_str()).increment(1);
        }
        for status in self.receipts.into_iter().filter(|status| *status != ReceiptStatus::Submitting) {
            metrics::counter!("tolov_receipts_total", "state" => status.as_str()).increment(1);
        }
        if self.paid_tiyin > 0 {
            metrics::counter!("tolov_paid_tiyin_total").increment(self.paid_tiyin);
        }
    }
}

/// Sums of the dashboard and what alerts wait for, from zero on: Prometheus sees no increase in the first value of a line.
pub(super) fn begin() {
    for status in OrderStatus::ALL {
        metrics::counter!("tolov_orders_total", "state" => status.as_str()).increment(0);
    }
    for anomaly in Anomaly::ALL {
        metrics::counter!("tolov_payment_questions_total", "anomaly" => anomaly.as_str()).increment(0);
    }
    metrics::counter!("tolov_paid_tiyin_total").increment(0);
}

/// One transaction: how many requests shared it, and how long it took.
pub(super) fn transaction(jobs: usize, took: Duration) {
    metrics::histogram!("tolov_commit_seconds").record(took);
    metrics::histogram!("tolov_commit_jobs").record(u32::try_from(jobs).unwrap_or(u32::MAX));
}

fn whole(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
