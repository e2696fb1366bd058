//! getUpdates with its long poll, and delivery to a webhook.

use std::time::Duration;

use serde_json::{Value, json};
use tolov_kit::{
    lifecycle::{Stop, pause},
    retry::Pauses,
};

use super::{methods::set_allowed, params::Params};
use crate::telegram::{emulator::Telegram, refusal::Refusal, state::updates::Webhook};

/// Telegram's maxima.
const MAX_POLL: Duration = Duration::from_secs(50);
const MAX_LIMIT: usize = 100;

impl Telegram {
    /// Waits for an update, at most for the call's `timeout`.
    pub(crate) async fn get_updates(&self, params: &Params) -> Result<Value, Refusal> {
        let offset = params.integer("offset")?;
        let limit =
            params.integer("limit")?.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(MAX_LIMIT);
        let limit = limit.clamp(1, MAX_LIMIT);
        let timeout = u64::try_from(params.integer("timeout")?.unwrap_or(0)).unwrap_or(0);
        let timeout = Duration::from_secs(timeout).min(MAX_POLL);
        let poll = self.change(|state| {
            if state.updates.webhook.is_some() {
                return Err(Refusal::webhook_is_active());
            }
            set_allowed(state, params)?;
            state.updates.confirm(offset.unwrap_or(0));
            state.updates.poll += 1;
            Ok(state.updates.poll)
        })?;
        let mut changes = self.changes();
        let answer = async {
            loop {
                let found = self.read(|state| {
                    if state.updates.poll != poll {
                        return Some(Err(Refusal::terminated_by_other_poll()));
                    }
                    let updates = state.updates.first(limit);
                    (!updates.is_empty()).then_some(Ok(Value::Array(updates)))
                });
                if let Some(found) = found {
                    return found;
                }
                if changes.changed().await.is_err() {
                    return Ok(json!([]));
                }
            }
        };
        tokio::select! {
            found = tokio::time::timeout(timeout, answer) => found.unwrap_or_else(|_| Ok(json!([]))),
            () = self.stopping() => Ok(json!([])),
        }
    }

    /// Posts updates to the webhook one by one, in order, until `stop`. Waits while no webhook is set.
    pub(crate) async fn deliver_to_webhook(self, client: reqwest::Client, stop: Stop) {
        let mut changes = self.changes();
        let mut pauses = Pauses::new(Duration::from_millis(200), Duration::from_secs(5));
        while !stop.is_cancelled() {
            let next = self.read(|state| {
                let webhook = state.updates.webhook.clone()?;
                let (update_id, update) = state.updates.pending.front()?.clone();
                Some((webhook, update_id, update))
            });
            let Some((webhook, update_id, update)) = next else {
                tokio::select! {
                    seen = changes.changed() => if seen.is_err() { return },
                    () = stop.cancelled() => return,
                }
                continue;
            };
            let delivered = tokio::select! {
                delivered = deliver(&client, &webhook, &update) => delivered,
                () = stop.cancelled() => return,
            };
            match delivered {
                Ok(()) => {
                    pauses.reset();
                    self.change(|state| state.updates.confirm(update_id + 1));
                }
                Err(problem) => {
                    self.change(|state| {
                        if let Some(webhook) = &mut state.updates.webhook {
                            webhook.last_error = Some((state.now_ms, problem));
                        }
                    });
                    if !pause(&stop, pauses.next_pause()).await {
                        return;
                    }
                }
            }
        }
    }
}

async fn deliver(client: &reqwest::Client, webhook: &Webhook, update: &Value) -> Result<(), String> {
    let mut request = client.post(&webhook.url).json(update);
    if let Some(secret) = &webhook.secret_token {
        request = request.header("X-Telegram-Bot-Api-Secret-Token", secret.expose());
    }
    let answer = request.send().await.map_err(|error| error.without_url().to_string())?;
    if answer.status().is_success() {
        return Ok(());
    }
    Err(format!("Wrong response from the webhook: {}", answer.status()))
}
