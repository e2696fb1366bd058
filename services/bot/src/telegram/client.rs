//! Sending a message, and what it means when that fails.

use std::{fmt, time::Duration};

use serde::Deserialize;
use teloxide::{
    ApiError, Bot, RequestError,
    payloads::SendMessageSetters,
    requests::Requester,
    types::{InlineKeyboardMarkup, LinkPreviewOptions, ParseMode, Recipient},
};

use tolov_kit::availability::Availability;

use crate::{
    config::{BotConfig, ConfigError},
    metrics,
    telegram::errors::{SendError, with_causes},
};

/// Telegram's number of a message in its chat.
pub(crate) type MessageId = i64;

/// How long Telegram holds a poll without news.
pub(crate) const POLL: Duration = Duration::from_secs(10);

/// The Bot API.
pub(crate) struct Telegram {
    pub(crate) notifying: Bot,
    /// For polls and for answers: other connections, so that neither side ever waits for a connection of the other.
    pub(crate) listening: Bot,
    pub(super) availability: Availability,
    /// The same, as polling sees it.
    pub(crate) polling: Availability,
}

impl fmt::Debug for Telegram {
    /// teloxide's `Bot` shows its token in `Debug`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Telegram").finish_non_exhaustive()
    }
}

impl Telegram {
    pub(crate) fn new(config: &BotConfig) -> Result<Self, ConfigError> {
        Ok(Self {
            notifying: bot(config, config.request_timeout)?,
            listening: bot(config, POLL + config.request_timeout)?,
            availability: Availability::new("Telegram"),
            polling: Availability::new("Telegram (for listening)"),
        })
    }

    /// Sends one message, once. Bounded by the request timeout.
    pub(crate) async fn send(&self, chat: Recipient, html: String) -> Result<MessageId, SendError> {
        self.send_with(chat, html, InlineKeyboardMarkup::default()).await
    }

    /// The same with buttons.
    pub(crate) async fn send_with(
        &self,
        chat: Recipient,
        html: String,
        buttons: InlineKeyboardMarkup,
    ) -> Result<MessageId, SendError> {
        let no_preview = LinkPreviewOptions {
            is_disabled: true,
            url: None,
            prefer_small_media: false,
            prefer_large_media: false,
            show_above_text: false,
        };
        let mut request = self.notifying.send_message(chat, html).parse_mode(ParseMode::Html);
        if !buttons.inline_keyboard.is_empty() {
            request = request.reply_markup(buttons);
        }
        let sent = match request.link_preview_options(no_preview).await {
            Ok(message) => Ok(i64::from(message.id.0)),
            Err(error) => sent_all_the_same(&error).ok_or_else(|| self.sort(&error)),
        };
        self.heard(&sent);
        metrics::record_send("sendMessage", &sent);
        sent
    }

    /// Takes note where Telegram has answered.
    pub(super) fn heard(&self, sent: &Result<MessageId, SendError>) {
        let answered = !matches!(
            sent,
            Err(SendError::ServerFailed { .. }
                | SendError::NotConnected(_)
                | SendError::Unknown(_)
                | SendError::TokenRefused)
        );
        if answered {
            self.availability.mark_up();
        }
    }

    /// Whether Telegram answered the last time.
    pub(crate) fn is_reachable(&self) -> bool {
        !self.availability.is_down() && !self.polling.is_down()
    }

    /// What a failed call means.
    pub(crate) fn sort(&self, error: &RequestError) -> SendError {
        match error {
            RequestError::RetryAfter(wait) => SendError::Wait(wait.duration()),
            RequestError::MigrateToChatId(chat) => SendError::Migrated(*chat),
            RequestError::Api(error) => self.sort_refusal(error),
            RequestError::Network(error) => {
                let reason = with_causes(error);
                self.availability.mark_down(&reason);
                if error.is_connect() || error.is_builder() {
                    SendError::NotConnected(reason)
                } else {
                    SendError::Unknown(reason)
                }
            }
            // The raw answer is not shown: it may be a page of a proxy, of any length.
            RequestError::InvalidJson { source, .. } => {
                self.availability.mark_down(source);
                SendError::Unknown(format!("the answer is not Telegram's: {source}"))
            }
            RequestError::Io(error) => SendError::Unknown(error.to_string()),
        }
    }

    /// Sorts by the description, because teloxide keeps no status. 4xx descriptions begin with the name of their
    /// status; whatever else Telegram says is 5xx.
    fn sort_refusal(&self, error: &ApiError) -> SendError {
        if *error == ApiError::InvalidToken {
            self.availability
                .mark_down("the token is refused: correct BOT_TOKEN, or the address of the Bot API");
            return SendError::TokenRefused;
        }
        let text = if let ApiError::Unknown(text) = error { text.clone() } else { error.to_string() };
        let lower = text.to_ascii_lowercase();
        let chat_closed = ["chat not found", "user not found", "deactivated", "rights", "peer_id_invalid"]
            .into_iter()
            .chain(["chat_write_forbidden", "chat_admin_required", "user_is_blocked", "group is"])
            .any(|words| lower.contains(words));
        if lower.starts_with("forbidden") || (lower.starts_with("bad request") && chat_closed) {
            SendError::ChatClosed(text)
        } else if lower.starts_with("too many requests") {
            // Telegram always says how long; a server that does not gets a moment.
            SendError::Wait(Duration::from_secs(5))
        } else if ["bad request", "request entity too large", "conflict"].iter().any(|s| lower.starts_with(s))
        {
            SendError::Refused(text)
        } else {
            let was_away = self.availability.is_down();
            self.availability.mark_down(&text);
            SendError::ServerFailed { reason: text, was_away }
        }
    }
}

fn bot(config: &BotConfig, timeout: Duration) -> Result<Bot, ConfigError> {
    let client = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(5).min(timeout))
        .timeout(timeout)
        .tcp_nodelay(true)
        // An address that redirects would be shown the token.
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|_| ConfigError::CLIENT)?;
    let bot = Bot::with_client(config.token.expose(), client);
    Ok(match &config.api_url {
        Some(url) => bot.set_api_url(url.clone()),
        None => bot,
    })
}

/// Telegram adds fields to its messages, which teloxide may not be able to read; but sent is sent.
pub(super) fn sent_all_the_same(error: &RequestError) -> Option<MessageId> {
    #[derive(Deserialize)]
    struct Answer {
        ok: bool,
        result: Sent,
    }
    #[derive(Deserialize)]
    struct Sent {
        message_id: MessageId,
    }
    let RequestError::InvalidJson { raw, .. } = error else { return None };
    let answer: Answer = serde_json::from_str(raw).ok()?;
    answer.ok.then_some(answer.result.message_id)
}

#[cfg(test)]
mod tests {
    use tolov_kit::secret::Secret;

    use super::*;

    fn config() -> BotConfig {
        let webhook_url = url::Url::parse("http://127.0.0.1:8000").unwrap();
        let channel = "@staff".parse().unwrap();
        BotConfig::new(Secret::new("1:token"), channel, webhook_url, Secret::new("api"))
    }

    fn sorted(description: &str) -> SendError {
        let telegram = Telegram::new(&config()).unwrap();
        let error: ApiError = serde_json::from_str(&format!("{description:?}")).unwrap();
        telegram.sort(&RequestError::Api(error))
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
        }
        for refused in ["Bad Request: message is too long", "Bad Request: can't parse entities: x"] {
            assert!(matches!(sorted(refused), SendError::Refused(_)), "{refused}");
        }
        for ill in ["Internal Server Error", "Bad Gateway", "restart"] {
            assert!(matches!(sorted(ill), SendError::ServerFailed { .. }), "{ill}");
        }
        assert_eq!(sorted("Unauthorized"), SendError::TokenRefused);
    }

    #[test]
    fn an_answer_that_teloxide_cannot_read_still_tells_that_the_message_was_sent() {
        let unread = |raw: &str| {
            let source = serde_json::from_str::<i32>("x").unwrap_err().into();
            sent_all_the_same(&RequestError::InvalidJson { source, raw: raw.into() })
        };
        assert_eq!(unread(r#"{"ok":true,"result":{"message_id":77,"news":{}}}"#), Some(77));
        assert_eq!(unread("<html>502 Bad Gateway</html>"), None);
    }

    #[test]
    fn the_token_is_not_shown() {
        assert!(!format!("{:?}", Telegram::new(&config()).unwrap()).contains("token"));
    }
}
