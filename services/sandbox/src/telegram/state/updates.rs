//! The queue of updates.

use std::collections::VecDeque;

use serde_json::{Value, json};
use tolov_kit::secret::Secret;

/// Older updates are dropped; Telegram keeps them for a day.
const MAX_PENDING: usize = 10_000;
/// Types that a bot gets only if it asks for them.
const ONLY_ON_REQUEST: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];

#[derive(Debug)]
pub(crate) struct Updates {
    pub(crate) pending: VecDeque<(i64, Value)>,
    next_id: i64,
    /// Empty: everything but [`ONLY_ON_REQUEST`]. Kept until the bot changes it.
    pub(crate) allowed: Vec<String>,
    /// The number of the newest poll.
    pub(crate) poll: u64,
    pub(crate) webhook: Option<Webhook>,
}

/// Where updates are posted instead of being polled.
#[derive(Debug, Clone)]
pub(crate) struct Webhook {
    pub(crate) url: String,
    pub(crate) secret_token: Option<Secret>,
    pub(crate) max_connections: i64,
    pub(crate) last_error: Option<(i64, String)>,
}

impl Updates {
    /// Ids begin with the clock, so that they keep growing after a restart.
    pub(crate) fn new(now_ms: i64) -> Self {
        // Seconds since 2001 fit into the i32 of getUpdates' offset for decades.
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

    /// The id of the newest update.
    pub(crate) fn newest(&self) -> i64 {
        self.next_id - 1
    }

    /// How many updates up to an id the bot has not confirmed.
    pub(crate) fn pending_up_to(&self, id: i64) -> usize {
        self.pending.iter().filter(|(pending, _)| *pending <= id).count()
    }

    /// Drops the updates below `offset`, or all but the last `-offset`.
    pub(crate) fn confirm(&mut self, offset: i64) {
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

    pub(crate) fn first(&self, limit: usize) -> Vec<Value> {
        self.pending.iter().take(limit).map(|(_, update)| update.clone()).collect()
    }

    pub(crate) fn webhook_info(&self) -> Value {
        let mut info = json!({
            "url": "",
            "has_custom_certificate": false,
            "pending_update_count": self.pending.len(),
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
