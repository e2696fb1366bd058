//! Attempts that CLICK is asked about: those of which no Complete has come, and once a day those that are paid.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use time::Duration;
use tolov_domain::{
    PrepareId,
    day::{ClickComparison, DIFFERENCES_MAX, Day},
    refund::api::{Attempt, ReportSource, SeenOutcome, SeenPayment, SeenRequest},
    time::{Timestamp, is_due},
};
use tolov_kit::{clock::Clock, lifecycle::Stop};

use crate::{
    caller::{Caller, Found},
    ports::{Ledger, LedgerError},
};

/// After so many unanswered questions in a row CLICK is away: the round ends.
pub(crate) const UNANSWERED_MAX: u32 = 3;
/// After a question that was not answered the next ones come this much later.
const UNANSWERED_PAUSE: Duration = Duration::minutes(5);
/// An attempt is paid within its day or a little later; pages end before the day by this.
const BEFORE_THE_DAY: Duration = Duration::hours(1);

#[derive(Debug)]
pub(crate) struct Attempts {
    pub(crate) caller: Arc<Caller>,
    pub(crate) ledger: Arc<dyn Ledger>,
    /// A silent attempt that CLICK shows as paid makes its order paid; otherwise staff are asked.
    pub(crate) accepts: bool,
    pub(crate) clock: Arc<dyn Clock>,
    /// Until when no silent attempt is asked about.
    pub(crate) paused_until: Mutex<Option<Timestamp>>,
    pub(crate) unanswered: Unanswered<PrepareId>,
}

/// What CLICK was asked in vain in this pass over everything that is to be asked. It never answers some questions: they hold up
/// no other.
#[derive(Debug)]
pub(crate) struct Unanswered<T>(Mutex<BTreeSet<T>>);

impl<T> Default for Unanswered<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Ord> Unanswered<T> {
    pub(crate) fn has(&self, question: &T) -> bool {
        self.questions().contains(question)
    }

    pub(crate) fn note(&self, question: T) {
        self.questions().insert(question);
    }

    /// Ends the pass: in the next one they are asked again. Returns how many they were.
    pub(crate) fn end_pass(&self) -> usize {
        std::mem::take(&mut *self.questions()).len()
    }

    fn questions(&self) -> MutexGuard<'_, BTreeSet<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why CLICK is asked about an attempt, and whether its word makes the order paid.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question {
    /// For the metrics.
    pub(crate) kind: &'static str,
    pub(crate) source: ReportSource,
    pub(crate) accept: bool,
}

impl Attempts {
    /// Asks about every silent attempt whose turn it is.
    pub(crate) async fn silent_round(&self, stop: &Stop) -> Result<(), LedgerError> {
        let now = self.clock.now();
        if self.paused_until().is_some_and(|until| !is_due(until, now, now + UNANSWERED_PAUSE)) {
            return Ok(());
        }
        let mut unanswered = 0;
        for attempt in self.ledger.silent_attempts().await? {
            if stop.is_cancelled() || self.caller.is_paused() || unanswered >= UNANSWERED_MAX {
                return Ok(());
            }
            if self.unanswered.has(&attempt.prepare_id) {
                continue;
            }
            let payment = match self.caller.find(&attempt, None).await {
                Found::Payment(payment) => Some(payment),
                Found::Nothing => None,
                Found::NotNow => {
                    unanswered += 1;
                    self.unanswered.note(attempt.prepare_id);
                    *self.paused_until() = Some(self.clock.now() + UNANSWERED_PAUSE);
                    continue;
                }
                Found::Setup => return Ok(()),
            };
            unanswered = 0;
            let question = Question { kind: "silent", source: ReportSource::Status, accept: self.accepts };
            self.seen(question, &attempt, payment).await?;
        }
        self.unanswered.end_pass();
        Ok(())
    }

    fn paused_until(&self) -> MutexGuard<'_, Option<Timestamp>> {
        self.paused_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks about every attempt of a day that the ledger has as paid. `None`: told to stop before the end.
    pub(crate) async fn compare(
        &self,
        day: Day,
        stop: &Stop,
    ) -> Result<Option<ClickComparison>, LedgerError> {
        let span = day.start()..day.end();
        let (mut before, mut compared) = (None, ClickComparison::default());
        loop {
            let page = self.ledger.attempts(before).await?;
            let Some(last) = page.last() else { return Ok(Some(compared)) };
            before = Some(last.prepare_id);
            let is_last = last.prepared_at < span.start - BEFORE_THE_DAY;
            let of_the_day = |attempt: &&Attempt| attempt.is_paid && span.contains(&attempt.prepared_at);
            for attempt in page.iter().filter(of_the_day) {
                if stop.is_cancelled() {
                    return Ok(None);
                }
                self.compare_one(attempt, &mut compared).await?;
            }
            if is_last {
                return Ok(Some(compared));
            }
        }
    }

    async fn compare_one(
        &self,
        attempt: &Attempt,
        compared: &mut ClickComparison,
    ) -> Result<(), LedgerError> {
        let found =
            if self.caller.is_paused() { Found::Setup } else { self.caller.find(attempt, None).await };
        let Found::Payment(payment) = found else {
            compared.unanswered += 1;
            count("daily", "unanswered");
            return Ok(());
        };
        let question = Question { kind: "daily", source: ReportSource::Status, accept: false };
        match self.seen(question, attempt, Some(payment)).await? {
            SeenOutcome::Questioned if compared.differing.len() < DIFFERENCES_MAX => {
                compared.differing.push(attempt.order_id);
            }
            SeenOutcome::Questioned => {}
            SeenOutcome::Paid | SeenOutcome::AlreadyPaid | SeenOutcome::Unchanged => compared.agreed += 1,
        }
        Ok(())
    }

    /// Tells the ledger what CLICK says.
    pub(crate) async fn seen(
        &self,
        Question { kind, source, accept }: Question,
        attempt: &Attempt,
        payment: Option<SeenPayment>,
    ) -> Result<SeenOutcome, LedgerError> {
        let seen = SeenRequest { payment, source, amount_tiyin: None, accept };
        let reply = self.ledger.seen(attempt.prepare_id, seen).await?;
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
