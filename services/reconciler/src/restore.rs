//! After a restore: the ledger may have lost a Complete that came after the backup was made.

use std::{
    collections::BTreeSet,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use time::Duration;
use tolov_domain::{
    OrderId, PrepareId,
    refund::api::{Attempt, FoundPayment, ReportSource, RestoreCheck, SeenPayment, UnattemptedOrder},
    time::Timestamp,
};
use tolov_kit::lifecycle::Stop;

use crate::{
    attempts::{Attempts, Question},
    caller::Found,
    ports::{Ledger, LedgerError},
};

/// Attempts that were prepared this long before the backup may have been completed after it.
const BEFORE_THE_BACKUP: Duration = Duration::days(3);
/// The clocks of two machines may differ, and a restore takes a while.
const AFTER_THE_RESTORE: Duration = Duration::hours(1);

#[derive(Debug)]
pub(crate) struct AfterRestore {
    /// Prepares are let in while CLICK is asked, and not only afterwards.
    pub(crate) in_parallel: bool,
    /// Attempts that CLICK has answered about.
    asked: Mutex<BTreeSet<PrepareId>>,
    /// Orders without an attempt that it has answered about.
    asked_orders: Mutex<BTreeSet<OrderId>>,
}

impl AfterRestore {
    pub(crate) fn new(in_parallel: bool) -> Self {
        Self { in_parallel, asked: Mutex::default(), asked_orders: Mutex::default() }
    }

    /// Asks about what a restored ledger may have lost, once, and then lets Prepares in. What CLICK does not answer is asked
    /// again by the next round.
    pub(crate) async fn round(
        &self,
        attempts: &Attempts,
        ledger: &Arc<dyn Ledger>,
        stop: &Stop,
    ) -> Result<(), LedgerError> {
        let RestoreCheck { backup_made_at, restored_at, orders } = ledger.restore().await?;
        let Some(backup_made_at) = backup_made_at else { return Ok(()) };
        let restored_at = restored_at.unwrap_or(backup_made_at).max(backup_made_at);
        let lost = backup_made_at - BEFORE_THE_BACKUP..restored_at + AFTER_THE_RESTORE;
        if self.in_parallel {
            ledger.let_prepares_in(false).await?;
        }
        let open = self.open_attempts(ledger, lost).await?;
        for attempt in &open {
            if stop.is_cancelled() {
                return Ok(());
            }
            let payment = match attempts.caller.find(attempt, None).await {
                Found::Payment(payment) => Some(payment),
                Found::Nothing => None,
                Found::NotNow | Found::Setup => return Ok(()),
            };
            let question =
                Question { kind: "restore", source: ReportSource::Restore, accept: attempts.accepts };
            attempts.seen(question, attempt, payment).await?;
            self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(attempt.prepare_id);
        }
        for order in &orders {
            if stop.is_cancelled() || !self.ask_about(order, attempts, ledger).await? {
                return Ok(());
            }
        }
        let (attempts, orders) = (open.len(), orders.len());
        tracing::info!(attempts, orders, "CLICK was asked for what the restored ledger may have lost");
        ledger.let_prepares_in(true).await
    }

    /// Whether CLICK has answered about an order of which the ledger knows no attempt.
    async fn ask_about(
        &self,
        order: &UnattemptedOrder,
        attempts: &Attempts,
        ledger: &Arc<dyn Ledger>,
    ) -> Result<bool, LedgerError> {
        let UnattemptedOrder { order_id, registered_at } = *order;
        if self.asked_orders.lock().unwrap_or_else(PoisonError::into_inner).contains(&order_id) {
            return Ok(true);
        }
        match attempts.caller.find_by_order(order_id, attempts.caller.days_since(registered_at)).await {
            Found::Payment(SeenPayment { payment_id, .. }) => {
                ledger.found(FoundPayment { order_id, payment_id }).await?;
            }
            Found::Nothing => {}
            Found::NotNow | Found::Setup => return Ok(false),
        }
        self.asked_orders.lock().unwrap_or_else(PoisonError::into_inner).insert(order_id);
        Ok(true)
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
            let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            let is_open = |attempt: &Attempt| {
                !attempt.is_paid
                    && prepared.contains(&attempt.prepared_at)
                    && !asked.contains(&attempt.prepare_id)
            };
            open.extend(page.into_iter().filter(is_open));
            if is_last {
                return Ok(open);
            }
        }
    }
}
