//! Records of what the bot called and answered.

use serde::{Deserialize, Serialize};

/// One call of the bot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    pub at_ms: i64,
    pub method: String,
    pub chat_id: Option<i64>,
    /// The message that the call made or changed.
    pub message_id: Option<i64>,
    /// The text or caption as it was sent.
    pub text: Option<String>,
    pub outcome: CallOutcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallOutcome {
    Done,
    /// Executed, but a fault lost the answer.
    AnswerLost,
    Refused {
        error_code: u16,
        description: String,
    },
}

/// A tap on an inline button, and what the bot answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackQuery {
    pub id: String,
    pub shopper_id: i64,
    pub chat_id: i64,
    pub message_id: i64,
    pub data: String,
    pub tapped_at_ms: i64,
    pub answer: Option<CallbackAnswer>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackAnswer {
    pub text: Option<String>,
    pub show_alert: bool,
    pub url: Option<String>,
}
