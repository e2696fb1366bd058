//! The queue of updates: getUpdates with its long poll, and delivery to a webhook.

use std::{collections::VecDeque, time::Duration};

use serde_json::{Value, json};
use tolov_kit::{
    lifecycle::{Stop, pause},
    retry::Pauses,
};

use super::{Telegram, params::Params, refusal::Refusal};

/// Telegram keeps updates for a day; here the oldest go first.
const MAX_PENDING: usize = 10_000;
/// What Telegram allows at most.
const MAX_POLL: Duration = Duration::from_secs(50);
const MAX_LIMIT: usize = 100;
/// Kinds that a bot gets only when it asks for them by name.
const ONLY_ON_REQUEST: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];

#[derive(Debug)]
pub(crate) struct Updates {
    pending: VecDeque<(i64, Value)>,
    next_id: i64,
    /// Empty: everything but [`ONLY_ON_REQUEST`]. Kept between calls, as Telegram does.
    allowed: Vec<String>,
    /// Counts the polls: a newer one ends the one that waits.
    poll: u64,
    webhook: Option<Webhook>,
}

/// Where updates go instead of into getUpdates.
#[derive(Debug, Clone)]
struct Webhook {
    url: String,
    secret_token: Option<tolov_kit::secret::Secret>,
    max_connections: i64,
    last_error: Option<(i64, String)>,
}

impl Updates {
    /// Ids begin with the clock, so that they also grow from one start of the sandbox to the next.
    pub(crate) fn new(now_ms: i64) -> Self {
        // Seconds since 2001: stays inside the i32 of getUpdates' offset for decades.
        let first = (now_ms / 1000 - 978_307_200).max(1);
        Self { pending: VecDeque::new(), next_id: first, allowed: Vec::new(), poll: 0, webhook: None }
    }

    pub(crate) fn push(&mut self, kind: &str, payload: &Value) {
        let wanted = if self.allowed.is_empty() {
            !ONLY_ON_REQUEST.contains(&kind)
        } else {
            self.allowed.iter().any(|allowed| allowed == kind)
        };
        if !wanted {
            return;
        }
        let update_id = self.next_id;
        self.next_id += 1;
        self.pending.push_back((update_id, json!({ "update_id": update_id, kind: payload })));
        if self.pending.len() > MAX_PENDING {
            self.pending.pop_front();
        }
    }

    pub(crate) fn pending(&self) -> usize {
        self.pending.len()
    }

    /// The id of the newest update, and how many up to an id the bot has not confirmed.
    pub(crate) fn newest(&self) -> i64 {
        self.next_id - 1
    }

    pub(crate) fn pending_up_to(&self, id: i64) -> usize {
        self.pending.iter().filter(|(pending, _)| *pending <= id).count()
    }

    pub(crate) fn clear(&mut self) {
        self.pending.clear();
    }

    /// Forgets what the caller has seen: everything below `offset`, or all but the last `-offset`.
    fn confirm(&mut self, offset: i64) {
        if offset < 0 {
            let keep = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
            let seen = self.pending.len().saturating_sub(keep);
            self.pending.drain(..seen);
        } else {
            while self.pending.front().is_some_and(|(id, _)| *id < offset) {
                self.pending.pop_front();
            }
        }
    }

    fn first(&self, limit: usize) -> Vec<Value> {
        self.pending.iter().take(limit).map(|(_, update)| update.clone()).collect()
    }

    fn set_allowed(&mut self, params: &Params) -> Result<(), Refusal> {
        if let Some(allowed) = params.json("allowed_updates")? {
            self.allowed = serde_json::from_value(allowed)
                .map_err(|_| Refusal::bad_request("can't parse allowed_updates JSON array"))?;
        }
        Ok(())
    }

    pub(crate) fn set_webhook(&mut self, params: &Params) -> Result<Value, Refusal> {
        let url = params.text("url").unwrap_or_default();
        if url.is_empty() {
            return Ok(self.delete_webhook(params));
        }
        // Telegram wants HTTPS; in here plain HTTP on the same machine must do.
        let parsed = url::Url::parse(&url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        if parsed.is_none() {
            return Err(Refusal::bad_request("bad webhook: invalid webhook URL specified"));
        }
        self.set_allowed(params)?;
        if params.flag("drop_pending_updates") {
            self.clear();
        }
        self.webhook = Some(Webhook {
            url,
            secret_token: params.text("secret_token").map(tolov_kit::secret::Secret::new),
            max_connections: params.integer("max_connections")?.unwrap_or(40),
            last_error: None,
        });
        Ok(true.into())
    }

    pub(crate) fn delete_webhook(&mut self, params: &Params) -> Value {
        self.webhook = None;
        if params.flag("drop_pending_updates") {
            self.clear();
        }
        true.into()
    }

    pub(crate) fn webhook_info(&self) -> Value {
        let mut info = json!({
            "url": "",
            "has_custom_certificate": false,
            "pending_update_count": self.pending(),
        });
        if !self.allowed.is_empty() {
            info["allowed_updates"] = json!(self.allowed);
        }
        if let Some(webhook) = &self.webhook {
            info["url"] = webhook.url.clone().into();
            info["max_connections"] = webhook.max_connections.into();
            if let Some((at_ms, message)) = &webhook.last_error {
                info["last_error_date"] = (at_ms / 1000).into();
                info["last_error_message"] = message.clone().into();
            }
        }
        info
    }
}

impl Telegram {
    /// Waits until there is an update, at most for the caller's `timeout`.
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
            state.updates.set_allowed(params)?;
            state.updates.confirm(offset.unwrap_or(0));
            state.updates.poll += 1;
            Ok(state.updates.poll)
        })?;
        let mut changes = self.changes();
        let answer = async {
            loop {
                let found = self.look(|state| {
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

    /// Posts updates to the webhook one by one, in order, until told to stop. Does nothing while none is set.
    pub(crate) async fn deliver_to_webhook(self, client: reqwest::Client, stop: Stop) {
        let mut changes = self.changes();
        let mut pauses = Pauses::new(Duration::from_millis(200), Duration::from_secs(5));
        while !stop.is_cancelled() {
            let next = self.look(|state| {
                let webhook = state.updates.webhook.clone()?;
                state.updates.pending.front().cloned().map(|(update_id, update)| (webhook, update_id, update))
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
                        let now_ms = state.now_ms;
                        if let Some(webhook) = &mut state.updates.webhook {
                            webhook.last_error = Some((now_ms, problem));
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
