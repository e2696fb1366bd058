//! Why Telegram did not take a message, sorted by what can be done about it.

use std::{error::Error, sync::Arc, time::Duration};

use teloxide::{ApiError, RequestError, types::ChatId};

#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    /// 429: not sent; it may be sent after this time.
    #[error("Telegram asks to wait {} s", .0.as_secs())]
    Wait(Duration),
    /// The group has become this supergroup.
    #[error("the group has become the supergroup {0}")]
    Migrated(ChatId),
    /// This chat cannot be written to: blocked, deleted, or no right to post there.
    #[error("{0}")]
    ChatClosed(#[source] ApiError),
    /// Telegram does not take this message, however often it is sent.
    #[error("{0}")]
    Refused(#[source] ApiError),
    #[error("Telegram refuses the token: correct BOT_TOKEN, or the address of the Bot API")]
    TokenRefused,
    /// Telegram answered 5xx: not sent. `was_down`: so it did before.
    #[error("Telegram failed: {error}")]
    ServerFailed {
        #[source]
        error: ApiError,
        was_down: bool,
    },
    /// Not sent.
    #[error("no connection to Telegram: {}", with_causes(.0))]
    NotConnected(#[source] Arc<reqwest::Error>),
    /// The connection was lost after the request was sent, or the answer cannot be read: perhaps sent.
    #[error("no answer from Telegram: {}", with_causes(.0))]
    Unknown(#[source] Arc<dyn Error + Send + Sync>),
}

impl SendError {
    /// This message can never be sent to this chat, however often it is tried.
    pub(crate) const fn is_permanent(&self) -> bool {
        matches!(self, Self::ChatClosed(_) | Self::Refused(_))
    }
}

/// What a failed call means. `was_down`: whether Telegram failed before.
pub(super) fn sort(error: &RequestError, was_down: bool) -> SendError {
    match error {
        RequestError::RetryAfter(wait) => SendError::Wait(wait.duration()),
        RequestError::MigrateToChatId(chat) => SendError::Migrated(*chat),
        RequestError::Api(error) => sort_refusal(error, was_down),
        RequestError::Network(error) if error.is_connect() || error.is_builder() => {
            SendError::NotConnected(Arc::clone(error))
        }
        RequestError::Network(error) => {
            let error: Arc<reqwest::Error> = Arc::clone(error);
            SendError::Unknown(error)
        }
        // The answer itself is left out: it may be a proxy's page, of any length.
        RequestError::InvalidJson { source, .. } => {
            let error: Arc<serde_json::Error> = Arc::clone(source);
            SendError::Unknown(error)
        }
        RequestError::Io(error) => {
            let error: Arc<std::io::Error> = Arc::clone(error);
            SendError::Unknown(error)
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the other descriptions are sorted by their text")]
fn sort_refusal(error: &ApiError, was_down: bool) -> SendError {
    match error {
        ApiError::InvalidToken => SendError::TokenRefused,
        ApiError::BotBlocked
        | ApiError::BotKicked
        | ApiError::BotKickedFromSupergroup
        | ApiError::BotKickedFromChannel
        | ApiError::CantInitiateConversation
        | ApiError::CantTalkWithBots
        | ApiError::ChatNotFound
        | ApiError::GroupDeactivated
        | ApiError::NotEnoughRightsToPostMessages
        | ApiError::UserDeactivated
        | ApiError::UserNotFound => SendError::ChatClosed(error.clone()),
        ApiError::Unknown(text) => sort_text(error, text, was_down),
        // teloxide knows no description of a 5xx.
        _ => SendError::Refused(error.clone()),
    }
}

/// Sorts a description that teloxide does not know. It keeps no status: descriptions of 4xx begin with the name of their
/// status, all others are 5xx.
fn sort_text(error: &ApiError, text: &str, was_down: bool) -> SendError {
    const CHAT_CLOSED: [&str; 9] = [
        "chat not found",
        "user not found",
        "deactivated",
        "rights",
        "peer_id_invalid",
        "chat_write_forbidden",
        "chat_admin_required",
        "user_is_blocked",
        "group is",
    ];
    let text = text.to_ascii_lowercase();
    let begins = |names: &[&str]| names.iter().any(|name| text.starts_with(name));
    if begins(&["forbidden"])
        || (begins(&["bad request"]) && CHAT_CLOSED.iter().any(|words| text.contains(words)))
    {
        SendError::ChatClosed(error.clone())
    } else if begins(&["too many requests"]) {
        // Telegram always says how long; another server may not.
        SendError::Wait(Duration::from_secs(5))
    } else if begins(&["bad request", "request entity too large", "conflict"]) {
        SendError::Refused(error.clone())
    } else {
        SendError::ServerFailed { error: error.clone(), was_down }
    }
}

/// An error with its causes: reqwest's own text leaves them out. Its address does not hold the token, which teloxide has
/// removed.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// The description of an API error, as Telegram wrote it.
pub(crate) fn description(error: &ApiError) -> String {
    if let ApiError::Unknown(text) = error { text.clone() } else { error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(description: &str) -> SendError {
        let error: ApiError = serde_json::from_str(&format!("{description:?}")).unwrap();
        sort(&RequestError::Api(error), false)
    }

    #[test]
    fn a_refusal_is_sorted_by_what_can_be_done_about_it() {
        for closed in [
            "Forbidden: bot was blocked by the user",
            "Forbidden: user is deactivated",
            "Forbidden: bot can't initiate conversation with a user",
            "Bad Request: chat not found",
            "Bad Request: need administrator rights in the channel chat",
            "Bad Request: not enough rights to send text messages to the chat",
        ] {
            assert!(matches!(sorted(closed), SendError::ChatClosed(_)), "{closed}");
            assert!(sorted(closed).is_permanent());
        }
        for refused in ["Bad Request: message is too long", "Bad Request: can't parse entities: x"] {
            assert!(matches!(sorted(refused), SendError::Refused(_)), "{refused}");
            assert!(sorted(refused).is_permanent());
        }
        for failed in ["Internal Server Error", "Bad Gateway", "restart"] {
            assert!(matches!(sorted(failed), SendError::ServerFailed { .. }), "{failed}");
            assert!(!sorted(failed).is_permanent());
        }
        assert!(matches!(sorted("Unauthorized"), SendError::TokenRefused));
    }

    #[test]
    fn an_error_keeps_its_source() {
        let error = sorted("Bad Gateway");
        assert_eq!(error.source().unwrap().to_string(), ApiError::Unknown("Bad Gateway".into()).to_string());
    }
}
