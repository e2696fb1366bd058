//! After a restore: the ledger may have lost a Complete that came after the backup was made.

use std::{
    collections::BTreeSet,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use time::Duration;
use tolov_domain::{
    OrderId, PrepareId,
    refund::api::{Attempt, FoundPayment, ReportSource, RestoreCheck, SeenPayment, UnattemptedOrder},
    time::Timestamp,
};
use tolov_kit::lifecycle::Stop;

use crate::{
    attempts::{Attempts, Question, UNANSWERED_MAX, Unanswered},
    caller::{Found, PAID},
    ports::{Ledger, LedgerError},
};

/// Attempts that were prepared this long before the backup may have been completed after it.
const BEFORE_THE_BACKUP: Duration = Duration::days(3);
/// The clocks of two machines may differ, and a restore takes a while.
const AFTER_THE_RESTORE: Duration = Duration::hours(1);

/// What CLICK has not answered so long after the restore is not asked any more.
const GIVEN_UP_AFTER: Duration = Duration::days(3);

#[derive(Debug)]
pub(crate) struct AfterRestore {
    /// Prepares are let in while CLICK is asked, and not only afterwards.
    pub(crate) in_parallel: bool,
    /// What CLICK has answered about.
    answered: Mutex<BTreeSet<Subject>>,
    unanswered: Unanswered<Subject>,
}

/// What a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Attempt(PrepareId),
    /// One without an attempt.
    Order(OrderId),
}

/// Whether CLICK has answered a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Known,
    NotNow,
    /// CLICK does not accept our keys.
    Setup,
}

/// One round of questions.
struct Round<'a> {
    restore: &'a AfterRestore,
    attempts: &'a Attempts,
    ledger: &'a Arc<dyn Ledger>,
    stop: &'a Stop,
    /// So many questions in a row were not answered.
    unanswered: u32,
    asked: usize,
}

impl AfterRestore {
    pub(crate) fn new(in_parallel: bool) -> Self {
        Self { in_parallel, answered: Mutex::default(), unanswered: Unanswered::default() }
    }

    /// Asks about what a restored ledger may have lost, once, and then lets Prepares in. What CLICK does not answer is asked
    /// again by a later round.
    pub(crate) async fn round(
        &self,
        attempts: &Attempts,
        ledger: &Arc<dyn Ledger>,
        stop: &Stop,
    ) -> Result<(), LedgerError> {
        if attempts.caller.is_paused() {
            return Ok(());
        }
        let RestoreCheck { backup_made_at, restored_at, orders } = ledger.restore(None).await?;
        let Some(backup_made_at) = backup_made_at else { return Ok(()) };
        let restored_at = restored_at.unwrap_or(backup_made_at).max(backup_made_at);
        let lost = backup_made_at - BEFORE_THE_BACKUP..restored_at + AFTER_THE_RESTORE;
        if self.in_parallel {
            ledger.let_prepares_in(false).await?;
        }
        let open = self.open_attempts(ledger, lost).await?;
        let mut round = Round { restore: self, attempts, ledger, stop, unanswered: 0, asked: 0 };
        if !round.ask_about_attempts(&open).await? || !round.ask_about_orders(orders).await? {
            return Ok(());
        }
        let (asked, unanswered) = (round.asked, self.unanswered.end_pass());
        if unanswered > 0 {
            if attempts.clock.now() < restored_at + GIVEN_UP_AFTER {
                return Ok(());
            }
            tracing::error!(
                unanswered,
                "CLICK does not say what became of some attempts and orders that a restore may have lost; compare \
                 the days around the restore with a statement: tolov reconcile --statement"
            );
        }
        tracing::info!(asked, "CLICK was asked for what the restored ledger may have lost");
        ledger.let_prepares_in(true).await
    }

    async fn open_attempts(
        &self,
        ledger: &Arc<dyn Ledger>,
        prepared: Range<Timestamp>,
    ) -> Result<Vec<Attempt>, LedgerError> {
        let (mut before, mut open) = (None, Vec::new());
        loop {
            let page = ledger.attempts(before).await?;
            let Some(last) = page.last() else { return Ok(open) };
            before = Some(last.prepare_id);
            let is_last = last.prepared_at < prepared.start;
            let is_open = |attempt: &Attempt| !attempt.is_paid && prepared.contains(&attempt.prepared_at);
            open.extend(page.into_iter().filter(is_open));
            if is_last {
                return Ok(open);
            }
        }
    }
}

impl Round<'_> {
    /// Whether the round goes on.
    async fn ask_about_attempts(&mut self, open: &[Attempt]) -> Result<bool, LedgerError> {
        for attempt in open {
            let subject = Subject::Attempt(attempt.prepare_id);
            if self.is_due(subject) {
                let answer = self.ask_about(attempt, open).await?;
                if !self.goes_on(subject, answer) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// The same of orders without an attempt: these, and the pages after them.
    async fn ask_about_orders(&mut self, mut orders: Vec<UnattemptedOrder>) -> Result<bool, LedgerError> {
        while let Some(UnattemptedOrder { order_id: last, .. }) = orders.last().copied() {
            for UnattemptedOrder { order_id, registered_at } in orders {
                let subject = Subject::Order(order_id);
                if self.is_due(subject) {
                    let answer = self.look_for_payment(order_id, registered_at, &[]).await?;
                    if !self.goes_on(subject, answer) {
                        return Ok(false);
                    }
                }
            }
            orders = self.ledger.restore(Some(last)).await?.orders;
        }
        Ok(true)
    }

    async fn ask_about(&self, attempt: &Attempt, open: &[Attempt]) -> Result<Answer, LedgerError> {
        let payment = match self.attempts.caller.find(attempt, None).await {
            Found::Payment(payment) => Some(payment),
            Found::Nothing => None,
            Found::NotNow => return Ok(Answer::NotNow),
            Found::Setup => return Ok(Answer::Setup),
        };
        // After an attempt that failed, another one that the ledger has lost may have paid.
        if payment.is_some_and(|payment| payment.status != PAID) {
            let found = self.look_for_payment(attempt.order_id, attempt.prepared_at, open).await?;
            if found != Answer::Known {
                return Ok(found);
            }
        }
        let question =
            Question { kind: "restore", source: ReportSource::Restore, accept: self.attempts.accepts };
        self.attempts.seen(question, attempt, payment).await?;
        Ok(Answer::Known)
    }

    /// Tells the ledger of a payment of an order that belongs to none of its attempts. `open`: CLICK is asked about each of these.
    async fn look_for_payment(
        &self,
        order_id: OrderId,
        since: Timestamp,
        open: &[Attempt],
    ) -> Result<Answer, LedgerError> {
        let SeenPayment { payment_id, .. } = match self.attempts.caller.find_by_order(order_id, since).await {
            Found::Payment(payment) => payment,
            Found::Nothing => return Ok(Answer::Known),
            Found::NotNow => return Ok(Answer::NotNow),
            Found::Setup => return Ok(Answer::Setup),
        };
        if open.iter().all(|attempt| attempt.click_paydoc_id.get() != payment_id.get()) {
            self.ledger.found(FoundPayment { order_id, payment_id }).await?;
        }
        Ok(Answer::Known)
    }

    fn is_due(&self, subject: Subject) -> bool {
        !self.restore.unanswered.has(&subject) && !self.answered().contains(&subject)
    }

    /// Notes an answer. Whether the round goes on.
    fn goes_on(&mut self, subject: Subject, answer: Answer) -> bool {
        self.asked += 1;
        match answer {
            Answer::Known => {
                self.unanswered = 0;
                self.answered().insert(subject);
            }
            Answer::NotNow => {
                self.unanswered += 1;
                self.restore.unanswered.note(subject);
            }
            Answer::Setup => return false,
        }
        self.unanswered < UNANSWERED_MAX && !self.stop.is_cancelled()
    }

    fn answered(&self) -> MutexGuard<'_, BTreeSet<Subject>> {
        self.restore.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
