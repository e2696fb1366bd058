//! Attempts that CLICK is asked about: those of which no Complete has come, and once a day those that are paid.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use time::{Duration, OffsetDateTime, Time};
use tolov_domain::{
    refund::api::{Attempt, SeenOutcome, SeenPayment, SeenRequest},
    time::{TASHKENT, Timestamp},
};
use tolov_kit::{clock::Clock, lifecycle::Stop};

use crate::{
    caller::{Caller, Found},
    ports::{Ledger, LedgerError},
};

/// After so many unanswered questions in a row CLICK is away: the round ends.
const UNANSWERED_MAX: u32 = 3;
/// After a question that was not answered the next ones come this much later.
const UNANSWERED_PAUSE: Duration = Duration::minutes(5);
/// An attempt is paid within its day or a little later; pages end before the day by this.
const BEFORE_THE_DAY: Duration = Duration::hours(1);
/// When the payments of the day before are compared, in Tashkent.
pub(crate) const COMPARED_AT: Time = time::macros::time!(03:00);

#[derive(Debug)]
pub(crate) struct Attempts {
    pub(crate) caller: Arc<Caller>,
    pub(crate) ledger: Arc<dyn Ledger>,
    /// A silent attempt that CLICK shows as paid makes its order paid; otherwise staff are asked.
    pub(crate) accepts: bool,
    pub(crate) clock: Arc<dyn Clock>,
    /// Until when no silent attempt is asked about.
    pub(crate) paused_until: Mutex<Option<Timestamp>>,
}

/// What a comparison came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Compared {
    pub(crate) agreed: u32,
    pub(crate) questioned: u32,
    /// CLICK did not find them, or gave no answer.
    pub(crate) unanswered: u32,
}

impl Attempts {
    /// Asks about every silent attempt whose turn it is.
    pub(crate) async fn silent_round(&self, stop: &Stop) -> Result<(), LedgerError> {
        if self.paused_until().is_some_and(|until| self.clock.now() < until) {
            return Ok(());
        }
        let mut unanswered = 0;
        for attempt in self.ledger.silent_attempts().await? {
            if stop.is_cancelled() || self.caller.is_paused() || unanswered >= UNANSWERED_MAX {
                break;
            }
            let payment = match self.caller.find(&attempt, None).await {
                Found::Payment(payment) => Some(payment),
                Found::Nothing => None,
                Found::NotNow => {
                    unanswered += 1;
                    *self.paused_until() = Some(self.clock.now() + UNANSWERED_PAUSE);
                    continue;
                }
                Found::Setup => break,
            };
            unanswered = 0;
            self.seen("silent", &attempt, payment, self.accepts).await?;
        }
        Ok(())
    }

    fn paused_until(&self) -> MutexGuard<'_, Option<Timestamp>> {
        self.paused_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks about every paid attempt of a day in Tashkent, which ends at `day_end`.
    pub(crate) async fn compare(&self, day_end: Timestamp, stop: &Stop) -> Result<Compared, LedgerError> {
        let day_start = day_end - Duration::days(1);
        let (mut before, mut compared) = (None, Compared::default());
        loop {
            let page = self.ledger.attempts(before).await?;
            let Some(last) = page.last() else { return Ok(compared) };
            before = Some(last.prepare_id);
            let is_last = last.prepared_at < day_start - BEFORE_THE_DAY;
            let of_the_day =
                |attempt: &&Attempt| attempt.is_paid && (day_start..day_end).contains(&attempt.prepared_at);
            for attempt in page.iter().filter(of_the_day) {
                if stop.is_cancelled() {
                    return Ok(compared);
                }
                self.compare_one(attempt, &mut compared).await?;
            }
            if is_last {
                return Ok(compared);
            }
        }
    }

    async fn compare_one(&self, attempt: &Attempt, compared: &mut Compared) -> Result<(), LedgerError> {
        let found =
            if self.caller.is_paused() { Found::Setup } else { self.caller.find(attempt, None).await };
        let Found::Payment(payment) = found else {
            compared.unanswered += 1;
            count("daily", "unanswered");
            return Ok(());
        };
        match self.seen("daily", attempt, Some(payment), false).await? {
            SeenOutcome::Questioned => compared.questioned += 1,
            SeenOutcome::Paid | SeenOutcome::AlreadyPaid | SeenOutcome::Unchanged => compared.agreed += 1,
        }
        Ok(())
    }

    async fn seen(
        &self,
        kind: &'static str,
        attempt: &Attempt,
        payment: Option<SeenPayment>,
        accept: bool,
    ) -> Result<SeenOutcome, LedgerError> {
        let reply = self.ledger.seen(attempt.prepare_id, SeenRequest { payment, accept }).await?;
        if let Some(payment) = payment {
            let is_paydoc = payment.payment_id.get() == attempt.click_paydoc_id.get();
            let matched = if is_paydoc { "click_paydoc_id" } else { "other" };
            metrics::counter!("tolov_merchant_api_payment_ids_total", "matched" => matched).increment(1);
        }
        let result = match reply.outcome {
            SeenOutcome::Paid => "paid",
            SeenOutcome::AlreadyPaid => "agreed",
            SeenOutcome::Questioned => "questioned",
            SeenOutcome::Unchanged => "unchanged",
        };
        count(kind, result);
        Ok(reply.outcome)
    }
}

fn count(kind: &'static str, result: &'static str) {
    metrics::counter!("tolov_reconciled_attempts_total", "kind" => kind, "result" => result).increment(1);
}

/// When the next comparison is due.
pub(crate) fn next_comparison(now: Timestamp) -> Timestamp {
    let local = now.to_offset(TASHKENT);
    let today = local.replace_time(COMPARED_AT);
    let next = if local < today { today } else { today + Duration::days(1) };
    next.to_offset(time::UtcOffset::UTC)
}

/// The end of the day before a comparison: midnight in Tashkent.
pub(crate) fn day_end(comparison: Timestamp) -> Timestamp {
    let midnight: OffsetDateTime = comparison.to_offset(TASHKENT).replace_time(Time::MIDNIGHT);
    midnight.to_offset(time::UtcOffset::UTC)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_day_is_compared_at_three_in_tashkent() {
        let next = next_comparison(datetime!(2026-11-23 21:59 UTC));
        assert_eq!(next, datetime!(2026-11-23 22:00 UTC));
        assert_eq!(next_comparison(next), datetime!(2026-11-24 22:00 UTC));
        assert_eq!(day_end(next), datetime!(2026-11-23 19:00 UTC));
    }
}
