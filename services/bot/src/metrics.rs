//! The metrics of the bot (docs/metrics.md).

use tokio::time::Instant;

use crate::telegram::errors::SendError;

/// Counts a send: notifications, posts, broadcasts and messages of support.
pub(crate) fn record_send<T>(method: &'static str, outcome: &Result<T, SendError>) {
    let result = match outcome {
        Ok(_) => "sent",
        Err(SendError::Wait(_)) => "wait",
        Err(SendError::ChatClosed(_)) => "closed",
        Err(SendError::Refused(_) | SendError::Migrated(_)) => "refused",
        Err(SendError::TokenRefused | SendError::ServerFailed { .. } | SendError::NotConnected(_)) => {
            "failed"
        }
        Err(SendError::Unknown(_)) => "unknown",
    };
    metrics::counter!("tolov_sends_total", "method" => method, "result" => result).increment(1);
    if result == "wait" {
        metrics::counter!("tolov_telegram_429_total").increment(1);
    }
}

/// Answers an update, and counts it with its duration.
pub(crate) async fn record_update<E>(
    kind: &'static str,
    answer: impl Future<Output = Result<(), E>>,
) -> Result<(), E> {
    let began = Instant::now();
    let outcome = answer.await;
    let result = if outcome.is_ok() { "ok" } else { "failed" };
    metrics::counter!("tolov_updates_total", "kind" => kind, "result" => result).increment(1);
    metrics::histogram!("tolov_handler_seconds", "kind" => kind).record(began.elapsed());
    outcome
}
