//! Tells the ledger of payments in Telegram, for as long as it takes.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, timeout};
use tolov_domain::{ports::PortError, telegram_payment::PaymentOutcome};
use tolov_kit::{availability::Availability, clock_watch::ClockWatch, lifecycle::Stop};

use crate::{
    conversation::screen::Screen,
    deps::HandlerDeps,
    invoices::payments::{self, ReceivedPayment, State},
    orders::ledger_client::LedgerError,
    texts::t,
};

/// How often what waits is looked for, beside the moment at which it comes.
const EVERY: Duration = Duration::from_secs(2);
const REMOVE_OLD_EVERY: Duration = Duration::from_hours(1);

/// Runs until `stop`. What is not recorded then is recorded after the next start.
pub(crate) async fn run(deps: Arc<HandlerDeps>, stop: Stop) {
    let store = Availability::new("the shop store (payments in Telegram)");
    let mut removed_at = None::<Instant>;
    let mut watch = ClockWatch::new(deps.clock.as_ref(), payments::KEPT_FOR);
    while !stop.is_cancelled() {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            recorded = record_waiting(&deps) => store.mark(recorded),
        }
        if removed_at.is_none_or(|at| at.elapsed() > REMOVE_OLD_EVERY) {
            removed_at = Some(Instant::now());
            watch.look(deps.clock.as_ref());
            if let Some(received_before) = watch.older_than(payments::KEPT_FOR) {
                store.mark(payments::remove_old(deps.documents(), received_before).await);
            }
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            _ = timeout(EVERY, deps.payment_came.notified()) => {}
        }
    }
}

async fn record_waiting(deps: &HandlerDeps) -> Result<(), PortError> {
    for waiting in payments::waiting(deps.documents()).await? {
        match deps.ledger.take_telegram_payment(&waiting.payment).await {
            Ok(outcome) => {
                tell_of(&waiting, outcome);
                payments::change(deps.documents(), &waiting, |payment| payment.state = State::Done).await?;
            }
            Err(error @ LedgerError::Unavailable(_)) => {
                tracing::warn!(%error, "a payment in Telegram is not recorded yet; it is told again");
                reassure(deps, &waiting).await?;
                return Ok(());
            }
            Err(error @ LedgerError::Refused(_)) => {
                tracing::error!(
                    %error,
                    payload = waiting.payment.payload,
                    charge = waiting.payment.telegram_charge_id,
                    "the ledger does not take a payment in Telegram; an operator has to look. It is told again"
                );
                reassure(deps, &waiting).await?;
            }
        }
    }
    Ok(())
}

fn tell_of(waiting: &ReceivedPayment, outcome: PaymentOutcome) {
    let payload = &waiting.payment.payload;
    match outcome {
        PaymentOutcome::Paid | PaymentOutcome::AlreadyApplied => {
            tracing::info!(payload, outcome = outcome.as_str(), "a payment in Telegram is recorded");
        }
        PaymentOutcome::Questioned | PaymentOutcome::Unplaced => {
            tracing::warn!(
                payload,
                outcome = outcome.as_str(),
                "a payment in Telegram is a question to staff"
            );
        }
    }
}

/// The shopper has paid and hears nothing: says once that the money is known. Best effort.
async fn reassure(deps: &HandlerDeps, waiting: &ReceivedPayment) -> Result<(), PortError> {
    if waiting.is_told {
        return Ok(());
    }
    payments::change(deps.documents(), waiting, |payment| payment.is_told = true).await?;
    let user_id = waiting.payment.user_id;
    let text = t!(deps.language_of(user_id).await, "invoice-payment-kept");
    if let Err(error) = deps.send_to(user_id, &Screen::new(text)).await {
        tracing::debug!(%error, "a payer could not be told that a payment is being recorded");
    }
    Ok(())
}
