//! Telegram's error texts, exactly as Telegram writes them: clients compare them.

use serde_json::{Value, json};

const MAX_DESCRIPTION_CHARS: usize = 1_000;

/// An answer `{"ok": false, …}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) error_code: u16,
    pub(crate) description: String,
    pub(crate) parameters: Option<Parameters>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parameters {
    RetryAfter { seconds: u32 },
    MigrateToChat { chat_id: i64 },
}

impl Refusal {
    pub(crate) fn new(error_code: u16, description: impl Into<String>) -> Self {
        // It may repeat what the bot sent, and it is kept.
        let description: String = description.into();
        let description = description.chars().take(MAX_DESCRIPTION_CHARS).collect();
        Self { error_code, description, parameters: None }
    }

    pub(crate) fn bad_request(what: impl std::fmt::Display) -> Self {
        Self::new(400, format!("Bad Request: {what}"))
    }

    pub(crate) fn chat_not_found() -> Self {
        Self::bad_request("chat not found")
    }

    pub(crate) fn not_modified() -> Self {
        Self::bad_request(
            "message is not modified: specified new message content and reply markup are exactly the same as a \
             current content and reply markup of the message",
        )
    }

    pub(crate) fn blocked() -> Self {
        Self::new(403, "Forbidden: bot was blocked by the user")
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized")
    }

    pub(crate) fn method_not_found() -> Self {
        Self::new(404, "Not Found: method not found")
    }

    pub(crate) fn server_error() -> Self {
        Self::new(500, "Internal Server Error")
    }

    pub(crate) fn terminated_by_other_poll() -> Self {
        Self::new(
            409,
            "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
        )
    }

    pub(crate) fn webhook_is_active() -> Self {
        Self::new(
            409,
            "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook \
             first",
        )
    }

    pub(crate) fn too_large() -> Self {
        Self::new(413, "Request Entity Too Large")
    }

    pub(crate) fn too_many_requests(retry_after_s: u32) -> Self {
        Self {
            error_code: 429,
            description: format!("Too Many Requests: retry after {retry_after_s}"),
            parameters: Some(Parameters::RetryAfter { seconds: retry_after_s }),
        }
    }

    pub(crate) fn migrated(to_chat_id: i64) -> Self {
        Self {
            error_code: 400,
            description: "Bad Request: group chat was upgraded to a supergroup chat".to_owned(),
            parameters: Some(Parameters::MigrateToChat { chat_id: to_chat_id }),
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut answer =
            json!({ "ok": false, "error_code": self.error_code, "description": self.description });
        let parameters = match self.parameters {
            Some(Parameters::RetryAfter { seconds }) => json!({ "retry_after": seconds }),
            Some(Parameters::MigrateToChat { chat_id }) => json!({ "migrate_to_chat_id": chat_id }),
            None => return answer,
        };
        answer["parameters"] = parameters;
        answer
    }
}
