//! What notifications need of Telegram, so that they can be run without a network and on simulated time.

use std::{fmt, io, sync::Arc, time::Duration};

use async_trait::async_trait;
use teloxide::ApiError;

use crate::telegram::errors::SendError;

/// Takes the place of the Bot API.
#[async_trait]
pub trait BotApi: Send + Sync + fmt::Debug {
    /// Takes a notification or a post. `chat`: an id, or a channel's @name.
    async fn send(&self, chat: &str, html: &str) -> BotApiAnswer;

    /// Takes the message in which a shopper sees an order, new or edited.
    async fn show(&self, chat: &str, html: &str) -> BotApiAnswer;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BotApiAnswer {
    Sent {
        message_id: i32,
    },
    /// 429: not sent.
    Wait(Duration),
    /// 403: not sent, and never will be.
    Blocked,
    /// 5xx: not sent.
    Failed,
    /// No answer: perhaps sent.
    Lost,
}

impl BotApiAnswer {
    /// The id of the message. `was_down`: whether Telegram failed before.
    pub(super) fn message_id(self, was_down: bool) -> Result<i32, SendError> {
        match self {
            Self::Sent { message_id } => Ok(message_id),
            Self::Wait(wait) => Err(SendError::Wait(wait)),
            Self::Blocked => Err(SendError::ChatClosed(ApiError::BotBlocked)),
            Self::Failed => {
                let error = ApiError::Unknown("Bad Gateway".to_owned());
                Err(SendError::ServerFailed { error, was_down })
            }
            Self::Lost => Err(SendError::Unknown(Arc::new(io::Error::other("the answer was lost")))),
        }
    }
}
