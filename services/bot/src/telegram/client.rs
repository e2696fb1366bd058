//! The Bot API: sending messages, and whether it can be reached.

use std::{fmt, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use teloxide::{
    Bot, RequestError,
    payloads::SendMessageSetters,
    requests::Requester,
    types::{ChatId, InlineKeyboardMarkup, LinkPreviewOptions, ParseMode, Recipient},
};
use tokio::time::Instant;
use tolov_kit::availability::Availability;

use crate::{
    config::{Config, ConfigError},
    metrics,
    telegram::{
        chat_limits::ChatLimits,
        errors::{SendError, sort},
        limits::{GlobalLimit, RateLimiter},
        stand_in::BotApi,
    },
};

/// How long Telegram holds a poll without updates.
pub(crate) const POLL: Duration = Duration::from_secs(10);

pub(super) const NO_PREVIEW: LinkPreviewOptions = LinkPreviewOptions {
    is_disabled: true,
    url: None,
    prefer_small_media: false,
    prefer_large_media: false,
    show_above_text: false,
};

/// A message in its chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MessageRef {
    #[serde(rename = "chat_id")]
    pub(crate) chat: ChatId,
    pub(crate) message_id: i32,
}

pub(crate) struct Telegram {
    /// For notifications, posts and broadcasts.
    pub(super) notifying: Bot,
    /// For polls and answers, with connections of their own, so that neither side waits for a connection of the other.
    pub(crate) listening: Bot,
    pub(super) availability: Availability,
    /// Of all messages that the bot sends.
    pub(crate) rate_limiter: Arc<RateLimiter>,
    /// Of notifications to one person.
    pub(crate) chat_limits: ChatLimits,
    global_limit: GlobalLimit,
    /// BOT_API_URL names another server than Telegram's.
    pub(super) is_own_server: bool,
    /// The same, as polling sees it.
    pub(crate) polling: Availability,
    /// Takes what would go to the Bot API, in a simulation.
    pub(super) stand_in: Option<Arc<dyn BotApi>>,
}

impl fmt::Debug for Telegram {
    /// teloxide's `Bot` shows its token in `Debug`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Telegram").finish_non_exhaustive()
    }
}

impl Telegram {
    pub(crate) fn new(config: &Config) -> Result<Self, ConfigError> {
        Ok(Self {
            notifying: bot(config, config.request_timeout)?,
            listening: bot(config, POLL + config.request_timeout)?,
            availability: Availability::new("Telegram"),
            rate_limiter: Arc::new(RateLimiter::new(
                config.messages_per_s,
                Duration::from_secs(1),
                config.messages_per_s / 10,
            )),
            chat_limits: ChatLimits::default(),
            global_limit: GlobalLimit::default(),
            is_own_server: config.api_url.is_some(),
            polling: Availability::new("Telegram (for listening)"),
            stand_in: None,
        })
    }

    /// Sends nothing over the network.
    pub(crate) fn with_stand_in(self, api: Arc<dyn BotApi>) -> Self {
        Self { stand_in: Some(api), ..self }
    }

    /// Sends one message, once. Bounded by the request timeout.
    pub(crate) async fn send(
        &self,
        chat: Recipient,
        html: String,
        buttons: InlineKeyboardMarkup,
    ) -> Result<MessageRef, SendError> {
        if let Some(api) = &self.stand_in {
            let answer = api.send(&chat.to_string(), &html).await;
            let sent = answer.message_id(self.availability.is_down());
            let sent = sent.map(|message_id| MessageRef { chat: chat_id(&chat), message_id });
            return sent.inspect_err(|error| self.note(error)).inspect(|_| self.availability.mark_up());
        }
        let mut request = self.notifying.send_message(chat, html).parse_mode(ParseMode::Html);
        if !buttons.inline_keyboard.is_empty() {
            request = request.reply_markup(buttons);
        }
        let sent = match self.call(request.link_preview_options(NO_PREVIEW)).await {
            Ok(message) => Ok(MessageRef { chat: message.chat.id, message_id: message.id.0 }),
            Err(error) => message_in(&error).ok_or_else(|| self.failed(&error)),
        };
        self.record("sendMessage", &sent);
        sent
    }

    /// Records that Telegram asks to wait with a chat. Where it is the limit of the whole bot, notifications wait as well.
    pub(crate) fn record_wait(&self, chat: &Recipient, wait: Duration) {
        // Channels and groups have a low limit of their own.
        if !matches!(chat, Recipient::Id(id) if id.is_user()) {
            return;
        }
        let until = Instant::now() + wait;
        if self.global_limit.is_hit(chat, until) {
            self.rate_limiter.pause_until(until);
        }
    }

    /// Counts a send, and records that Telegram answered.
    pub(super) fn record<T>(&self, method: &'static str, sent: &Result<T, SendError>) {
        let is_answered = !matches!(
            sent,
            Err(SendError::ServerFailed { .. }
                | SendError::NotConnected(_)
                | SendError::Unknown(_)
                | SendError::TokenRefused)
        );
        if is_answered {
            self.availability.mark_up();
        }
        metrics::record_send(method, sent);
    }

    /// Whether Telegram answered the last time.
    pub(crate) fn is_reachable(&self) -> bool {
        !self.availability.is_down() && !self.polling.is_down()
    }

    /// What a failed call means; records where Telegram cannot be reached.
    pub(crate) fn failed(&self, error: &RequestError) -> SendError {
        let error = sort(error, self.availability.is_down());
        self.note(&error);
        error
    }

    fn note(&self, error: &SendError) {
        match error {
            SendError::TokenRefused
            | SendError::ServerFailed { .. }
            | SendError::NotConnected(_)
            | SendError::Unknown(_) => {
                self.availability.mark_down(error);
            }
            SendError::Wait(_)
            | SendError::Migrated(_)
            | SendError::ChatClosed(_)
            | SendError::Refused(_) => {}
        }
    }
}

/// Of a channel with a name the id is not known before Telegram has answered.
fn chat_id(chat: &Recipient) -> ChatId {
    match chat {
        Recipient::Id(id) => *id,
        Recipient::ChannelUsername(_) => ChatId(0),
    }
}

fn bot(config: &Config, timeout: Duration) -> Result<Bot, ConfigError> {
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

#[derive(Deserialize)]
struct Answer<T> {
    ok: bool,
    result: T,
}

#[derive(Deserialize)]
struct AnsweredId {
    message_id: i32,
}

#[derive(Deserialize)]
struct AnsweredMessage {
    message_id: i32,
    chat: AnsweredChat,
}

#[derive(Deserialize)]
struct AnsweredChat {
    id: ChatId,
}

/// The message in an answer that teloxide cannot read, because Telegram has added fields: it was sent all the same.
fn message_in(error: &RequestError) -> Option<MessageRef> {
    let AnsweredMessage { message_id, chat } = result_in(error)?;
    Some(MessageRef { chat: chat.id, message_id })
}

/// The same where the answer holds nothing but the id.
pub(super) fn message_id_in(error: &RequestError) -> Option<i32> {
    result_in(error).map(|AnsweredId { message_id }| message_id)
}

/// The same of several messages.
pub(super) fn message_ids_in(error: &RequestError) -> Option<Vec<i32>> {
    let ids: Vec<AnsweredId> = result_in(error)?;
    Some(ids.into_iter().map(|AnsweredId { message_id }| message_id).collect())
}

fn result_in<T: for<'de> Deserialize<'de>>(error: &RequestError) -> Option<T> {
    let RequestError::InvalidJson { raw, .. } = error else { return None };
    let answer: Answer<T> = serde_json::from_str(raw).ok()?;
    answer.ok.then_some(answer.result)
}

#[cfg(test)]
mod tests {
    use tolov_kit::secret::Secret;

    use super::*;

    fn unreadable(raw: &str) -> RequestError {
        let source = serde_json::from_str::<i32>("x").unwrap_err().into();
        RequestError::InvalidJson { source, raw: raw.into() }
    }

    #[test]
    fn an_answer_that_teloxide_cannot_read_still_yields_the_message_id() {
        let answer =
            unreadable(r#"{"ok":true,"result":{"message_id":77,"chat":{"id":5,"kind":{}},"news":{}}}"#);
        assert_eq!(message_in(&answer), Some(MessageRef { chat: ChatId(5), message_id: 77 }));
        assert_eq!(message_id_in(&answer), Some(77));
        let page = unreadable("<html>502 Bad Gateway</html>");
        assert_eq!((message_in(&page), message_id_in(&page)), (None, None));
        let album = unreadable(r#"{"ok":true,"result":[{"message_id":7,"news":1},{"message_id":8}]}"#);
        assert_eq!(message_ids_in(&album), Some(vec![7, 8]));
    }

    #[test]
    fn debug_output_does_not_show_the_token() {
        let webhook_url = url::Url::parse("http://127.0.0.1:8000").unwrap();
        let channel = "@staff".parse().unwrap();
        let config = Config::new(Secret::new("1:token"), channel, webhook_url, Secret::new("api"));
        assert!(!format!("{:?}", Telegram::new(&config).unwrap()).contains("token"));
    }
}
