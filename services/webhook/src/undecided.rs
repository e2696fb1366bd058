//! Payments that CLICK has reported as taken and that were answered -7: nothing was decided. CLICK comes again, and then they are
//! decided. Of one that it does not come again for, staff are asked once the ledger works.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, timeout_at};
use tolov_click::{CallbackForm, ClickCode};
use tolov_domain::{
    OrderId,
    time::{Timestamp, unix_ms},
};

use crate::ledger::{Arrival, AttemptRecord, AttemptStatus, Content, Ledger, LedgerError};

/// How long after CLICK has come last for a payment staff are asked about it (docs/click.md).
const ASKED_AFTER: Duration = Duration::from_mins(15);
const RETRIED_AFTER: Duration = Duration::from_mins(1);
const AT_ONCE: usize = 100;
const LEFT_UNDECIDED: &str = "tolov_click_left_undecided_total";
const UNASKED: &str =
    "CLICK has taken money and got no decision, and staff are not asked: settle it in CLICK's cabinet";
/// The most that are remembered, a few hundred bytes each.
const KEPT_MAX: usize = 10_000;

/// How long a stop waits for the ledger to take them.
const AT_A_STOP: Duration = Duration::from_secs(2);

/// By CLICK's transaction. Clones share it; a crash forgets it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Undecided(Arc<Mutex<BTreeMap<String, Payment>>>);

#[derive(Debug, Clone)]
struct Payment {
    form: CallbackForm,
    peer: String,
    received_at: Timestamp,
    /// When CLICK has come last, by the monotonic clock.
    came_at: Duration,
}

impl Undecided {
    /// The alert sees no increase in the first value of a line.
    pub(crate) fn new() -> Self {
        metrics::counter!(LEFT_UNDECIDED).increment(0);
        Self::default()
    }

    /// CLICK has said that it took the money, and was answered -7.
    pub(crate) fn keep(&self, body: &[u8], peer: &str, received_at: Timestamp, now: Duration) {
        let (form, _) = CallbackForm::parse(body);
        let trans_id = form.click_trans_id().unwrap_or_default().to_owned();
        let mut payments = self.payments();
        if payments.len() < KEPT_MAX || payments.contains_key(&trans_id) {
            let payment = Payment { form, peer: peer.to_owned(), received_at, came_at: now };
            payments.insert(trans_id, payment);
        } else {
            tracing::error!(
                click_trans_id = trans_id,
                "more payments are undecided than are remembered: staff will not be asked about this one"
            );
        }
    }

    /// It is decided what a Complete of this transaction means.
    pub(crate) fn forget(&self, trans_id: &str) {
        self.payments().remove(trans_id);
    }

    /// Asks staff, through the ledger, about those that CLICK has left undecided.
    pub(crate) async fn ask_staff(&self, ledger: &Ledger, now: Duration) {
        let is_left = |payment: &Payment| now.saturating_sub(payment.came_at) >= ASKED_AFTER;
        let left: Vec<(String, Payment)> = {
            let payments = self.payments();
            let left = payments.iter().filter(|(_, payment)| is_left(payment)).take(AT_ONCE);
            left.map(|(trans_id, payment)| (trans_id.clone(), payment.clone())).collect()
        };
        for (trans_id, payment) in left {
            if let Err(error) = payment.ask_staff(ledger).await {
                tracing::warn!(
                    error = error.chain(),
                    "staff are not asked about a payment; tried again in a minute"
                );
                // It may be this one that the ledger cannot write: the others go on with the next round.
                if let Some(payment) = self.payments().get_mut(&trans_id) {
                    payment.came_at = now.saturating_sub(ASKED_AFTER).saturating_add(RETRIED_AFTER);
                }
                return;
            }
            self.forget(&trans_id);
        }
    }

    /// Asks about all, since the next process knows of none. Those that the ledger does not take in time are in the log alone.
    pub(crate) async fn ask_before_the_end(&self, ledger: &Ledger) {
        let deadline = Instant::now() + AT_A_STOP;
        let left = std::mem::take(&mut *self.payments());
        for payment in left.into_values() {
            let facts = payment.form.to_record();
            match timeout_at(deadline, payment.ask_staff(ledger)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(facts, error = error.chain(), "{UNASKED}"),
                Err(_elapsed) => tracing::error!(facts, "{UNASKED}"),
            }
        }
    }

    fn payments(&self) -> MutexGuard<'_, BTreeMap<String, Payment>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Payment {
    async fn ask_staff(self, ledger: &Ledger) -> Result<(), LedgerError> {
        if let Some(Ok(order_id)) = self.form.merchant_trans_id().map(OrderId::parse)
            && ledger.attempts(order_id).await?.iter().any(|attempt| self.is_settled_by(attempt))
        {
            return Ok(());
        }
        let Self { form, peer, received_at, .. } = self;
        let content = Content::Refused(ClickCode::FailedToUpdateUser);
        ledger.answer(Arrival { received_at, peer, form, content }).await?;
        metrics::counter!(LEFT_UNDECIDED).increment(1);
        Ok(())
    }

    /// Whether the money is accounted for: the commit that was waited for too long has come about, another process has decided
    /// it, or CLICK has cancelled it since.
    fn is_settled_by(&self, attempt: &AttemptRecord) -> bool {
        let is_it = |id: i64| self.form.click_trans_id() == Some(id.to_string().as_str());
        match attempt.state {
            AttemptStatus::Paid => attempt.paid_trans_id.is_some_and(is_it),
            AttemptStatus::Cancelled => {
                is_it(attempt.click_trans_id) && attempt.settled_at >= Some(unix_ms(self.received_at))
            }
            AttemptStatus::Prepared | AttemptStatus::GivenUp => false,
        }
    }
}
