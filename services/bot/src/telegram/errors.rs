//! Why Telegram did not take a message.

use std::time::Duration;

use teloxide::types::ChatId;

/// Why a message was not sent, sorted by what can be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SendError {
    /// 429: not sent, wait so long.
    Wait(Duration),
    /// The group has become a supergroup, with this number from now on.
    Migrated(ChatId),
    /// This chat cannot be reached: blocked, gone, or no right to post there.
    ChatClosed(String),
    /// Telegram does not take this message, however often it is sent.
    Refused(String),
    /// The token is not (or no longer) that of a bot.
    TokenRefused,
    /// Telegram itself is ill, 5xx. Not sent.
    ServerFailed { reason: String, was_away: bool },
    /// No connection came about. Not sent.
    NotConnected(String),
    /// The request was under way when contact was lost: perhaps sent.
    Unknown(String),
}

/// reqwest says "error sending request" and leaves the cause to its sources. The address that it names is without the
/// token: teloxide has taken that out.
pub(crate) fn with_causes(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
