//! The refunds that the ledger records: status before, one reversal, status after. A crash at any step is safe: what is
//! committed decides, and a reversal of unknown outcome is asked for and never sent again from here.

use std::sync::{Arc, Mutex, PoisonError};

use time::Duration;
use tolov_domain::{
    ClickPaymentId, OrderId, RefundId,
    refund::{
        Change, ManualReason, Refund, RefundState, RefundStatus,
        api::{Attempt, CallOutcome, OpenRefund, StepRequest},
        reversible_until,
    },
    time::{Timestamp, is_due},
};
use tolov_kit::{clock::Clock, lifecycle::Stop};

use crate::{
    caller::{Caller, Found, PAID},
    ports::{Ledger, LedgerError},
};

/// When a refund is looked at again that CLICK does not allow yet, or whose state CLICK did not tell; then after pauses that
/// grow to the longest.
const LATER: Duration = Duration::minutes(5);
const LATEST: Duration = Duration::hours(1);
/// A refund found in "sending" after this was left there by a process that died.
const SENDING_MAX: Duration = Duration::minutes(2);
/// For how long a payment that CLICK does not find is looked for before staff are told.
const LOOKED_FOR: Duration = Duration::hours(1);
/// After a reversal of unknown outcome the status is asked for after these times; then a person is told.
const ASKED_AFTER: [Duration; 4] =
    [Duration::minutes(1), Duration::minutes(5), Duration::minutes(15), Duration::hours(1)];

/// After a reversal that CLICK says it has made, the status is asked for after these times until it shows it. A restart in
/// between ends that: the refund is done.
const CONFIRMED_AFTER: [Duration; 4] =
    [Duration::ZERO, Duration::minutes(5), Duration::minutes(15), Duration::hours(1)];
/// The most reversals that are waited for; of more the oldest are not asked about.
const UNCONFIRMED_MAX: usize = 500;

#[derive(Debug)]
pub(crate) struct Refunds {
    pub(crate) caller: Arc<Caller>,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) clock: Arc<dyn Clock>,
    unconfirmed: Mutex<Vec<Unconfirmed>>,
}

/// A reversal that CLICK says it has made and does not show yet.
#[derive(Debug, Clone)]
struct Unconfirmed {
    refund_id: RefundId,
    order_id: OrderId,
    payment_id: ClickPaymentId,
    done_at: Timestamp,
    asked: usize,
}

impl Unconfirmed {
    fn is_due(&self, now: Timestamp) -> bool {
        CONFIRMED_AFTER.get(self.asked).is_some_and(|after| is_due(self.done_at + *after, now, now + *after))
    }
}

impl Refunds {
    pub(crate) fn new(caller: Arc<Caller>, ledger: Arc<dyn Ledger>, clock: Arc<dyn Clock>) -> Self {
        Self { caller, ledger, clock, unconfirmed: Mutex::default() }
    }

    /// Moves every refund on whose turn it is.
    pub(crate) async fn round(&self, stop: &Stop) -> Result<(), LedgerError> {
        let open = self.ledger.open_refunds().await?;
        self.measure(&open);
        for OpenRefund { refund, attempt } in open {
            if stop.is_cancelled() || self.caller.is_paused() {
                break;
            }
            let now = self.clock.now();
            if refund.next_step_at.is_some_and(|at| is_due(at, now, now + LATEST)) {
                self.go_on(refund, &attempt).await?;
            }
        }
        self.confirm_due(stop).await;
        Ok(())
    }

    async fn go_on(&self, refund: Refund, attempt: &Attempt) -> Result<(), LedgerError> {
        match refund.state {
            RefundState::Requested | RefundState::Checked { .. } => self.check(refund, attempt).await,
            // A process died between the commit and the answer.
            RefundState::Sending { .. } => {
                let lost = Change::OutcomeUnknown {
                    click_code: None,
                    click_note: "the reconciler was stopped while it waited for the answer".to_owned(),
                };
                self.step(&refund, lost, Some(ASKED_AFTER[0])).await.map(drop)
            }
            RefundState::Unknown { payment_id, .. } => self.ask_after(refund, payment_id).await,
            RefundState::Refused { .. }
            | RefundState::Manual { .. }
            | RefundState::Done { .. }
            | RefundState::DoneByHand { .. }
            | RefundState::Withdrawn { .. } => Ok(()),
        }
    }

    /// Status before: only a payment that CLICK shows as paid is reversed.
    async fn check(&self, refund: Refund, attempt: &Attempt) -> Result<(), LedgerError> {
        let now = self.clock.now();
        if reversible_until(attempt.prepared_at).is_none_or(|until| until <= now) {
            let change = Change::LeaveToStaff { why: ManualReason::OutsideMonth };
            return self.step(&refund, change, None).await.map(drop);
        }
        let payment = match self.caller.find(attempt, refund.state.payment_id()).await {
            Found::Payment(payment) => payment,
            Found::Nothing if now - refund.requested_at >= LOOKED_FOR => {
                let change = Change::LeaveToStaff { why: ManualReason::PaymentNotFound };
                return self.step(&refund, change, None).await.map(drop);
            }
            Found::Nothing | Found::NotNow => return self.wait(&refund).await,
            // Everything pauses, and goes on as soon as the keys are accepted.
            Found::Setup => return Ok(()),
        };
        let payment_id = payment.payment_id;
        match payment.status {
            PAID => self.send(refund, payment_id).await,
            ..0 => self.step(&refund, Change::FoundReversed { payment_id }, None).await.map(drop),
            _ => self.wait(&refund).await,
        }
    }

    /// Looks again later, each time after a longer pause.
    async fn wait(&self, refund: &Refund) -> Result<(), LedgerError> {
        let pause = (last_pause(refund) * 2_i32).clamp(LATER, LATEST);
        self.step(refund, Change::Wait, Some(pause)).await.map(drop)
    }

    /// Commits that the reversal is sent, then sends it, once.
    async fn send(&self, refund: Refund, payment_id: ClickPaymentId) -> Result<(), LedgerError> {
        let found = Change::FoundPaid { payment_id };
        let Some(checked) = self.step(&refund, found, None).await? else { return Ok(()) };
        let sends = self.step(&checked, Change::Send, Some(SENDING_MAX)).await?;
        let Some(sending) = sends else { return Ok(()) };
        let reading = self.caller.reverse(sending.order_id, payment_id).await;
        let (click_code, click_note) = (reading.code, reading.note);
        let (change, pause) = match (reading.outcome, click_code) {
            (CallOutcome::Done, _) => (Change::Reversed, None),
            (CallOutcome::Setup, _) => (Change::NotTaken, Some(LATER)),
            (CallOutcome::Refused | CallOutcome::NotFound, Some(click_code)) => {
                (Change::Refused { click_code, click_note }, None)
            }
            (CallOutcome::Refused | CallOutcome::NotFound | CallOutcome::Unknown, _) => {
                (Change::OutcomeUnknown { click_code, click_note }, Some(ASKED_AFTER[0]))
            }
        };
        if change == Change::Reversed {
            let Refund { refund_id, order_id, .. } = sending;
            let mut unconfirmed = self.unconfirmed.lock().unwrap_or_else(PoisonError::into_inner);
            if unconfirmed.len() < UNCONFIRMED_MAX {
                let done_at = self.clock.now();
                unconfirmed.push(Unconfirmed { refund_id, order_id, payment_id, done_at, asked: 0 });
            }
        }
        self.step(&sending, change, pause).await.map(drop)
    }

    /// Status after a reversal that CLICK says it has made. The refund stays done whatever it shows.
    async fn confirm_due(&self, stop: &Stop) {
        let now = self.clock.now();
        let due: Vec<Unconfirmed> = {
            let mut unconfirmed = self.unconfirmed.lock().unwrap_or_else(PoisonError::into_inner);
            unconfirmed.extract_if(.., |one| one.is_due(now)).collect()
        };
        for mut one in due {
            let is_asked = !stop.is_cancelled() && !self.caller.is_paused();
            let found =
                if is_asked { self.caller.status(one.order_id, one.payment_id).await } else { Found::Setup };
            match found {
                Found::Payment(payment) if payment.status < 0 => continue,
                Found::Setup => {}
                Found::Payment(_) | Found::Nothing | Found::NotNow => one.asked += 1,
            }
            if one.asked < CONFIRMED_AFTER.len() {
                self.unconfirmed.lock().unwrap_or_else(PoisonError::into_inner).push(one);
                continue;
            }
            metrics::counter!("tolov_refunds_still_paid_total").increment(1);
            tracing::error!(
                order.id = %one.order_id, refund.id = %one.refund_id,
                "CLICK has reversed a payment and does not show it after an hour; look it up in CLICK's cabinet"
            );
        }
    }

    /// Status after a reversal of unknown outcome.
    async fn ask_after(&self, refund: Refund, payment_id: ClickPaymentId) -> Result<(), LedgerError> {
        let found = self.caller.status(refund.order_id, payment_id).await;
        if let Found::Payment(payment) = found
            && payment.status < 0
        {
            return self.step(&refund, Change::FoundReversed { payment_id }, None).await.map(drop);
        }
        if found == Found::Setup {
            return Ok(());
        }
        let pause = ASKED_AFTER.into_iter().find(|pause| *pause > last_pause(&refund));
        self.step(&refund, Change::Wait, pause).await.map(drop)
    }

    async fn step(
        &self,
        refund: &Refund,
        change: Change,
        pause: Option<Duration>,
    ) -> Result<Option<Refund>, LedgerError> {
        let next_step_at = pause.map(|pause| self.clock.now() + pause);
        let request = StepRequest { step: refund.step, change, next_step_at };
        let stepped = self.ledger.step(refund.refund_id, request).await?;
        if stepped.is_none() {
            tracing::info!(refund.id = %refund.refund_id, "somebody else has changed the refund first");
        }
        Ok(stepped)
    }

    fn measure(&self, open: &[OpenRefund]) {
        let now = self.clock.now();
        for status in RefundStatus::OPEN {
            let of = open.iter().filter(|open| open.refund.status() == status);
            let count = u32::try_from(of.count()).unwrap_or(u32::MAX);
            metrics::gauge!("tolov_refunds_open", "state" => status.as_str()).set(count);
        }
        let oldest: Option<Timestamp> = open.iter().map(|open| open.refund.requested_at).min();
        let age = oldest.map_or(Duration::ZERO, |oldest| now - oldest);
        metrics::gauge!("tolov_refund_open_age_seconds")
            .set(std::time::Duration::try_from(age).unwrap_or_default());
        let ends = open.iter().filter_map(|open| reversible_until(open.attempt.prepared_at)).min();
        let left = ends.map_or(Duration::days(31), |ends| ends - now);
        metrics::gauge!("tolov_refund_window_seconds")
            .set(std::time::Duration::try_from(left).unwrap_or_default());
    }
}

/// How long it was left alone the last time.
fn last_pause(refund: &Refund) -> Duration {
    refund.next_step_at.map_or(Duration::ZERO, |next| next - refund.changed_at)
}
