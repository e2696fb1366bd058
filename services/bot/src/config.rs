//! What the bot has to be told.

use std::{fmt, str::FromStr, time::Duration};

use teloxide::types::{ChatId, Recipient};
use tolov_domain::{Language, Tiyin, UserId};
use tolov_kit::secret::Secret;
use url::Url;

/// All settings of the bot. [`BotConfig::new`] takes what has no usual value.
#[derive(Debug, Clone)]
pub struct BotConfig {
    pub token: Secret,
    /// Where staff read, DB_CHANNEL.
    pub db_channel: Channel,
    /// Another Bot API server; `None` is Telegram's own.
    pub api_url: Option<Url>,
    pub staff_language: Language,
    /// Messages of all kinds in a second, 1 to 1000. Telegram allows 30 to a bot that does not pay for more.
    pub messages_per_s: u32,
    /// Posts in any minute, 1 to 60. What does not fit is joined into digests.
    pub channel_posts_per_min: u32,
    /// Messages to shoppers that are on their way at the same time. It bounds the rate too: 32 at 100 ms each are
    /// 320 a second.
    pub in_flight_max: usize,
    /// Notices that wait for a post. The bus must hand out more than this and `in_flight_max` together, or waiting
    /// notices would hold back shoppers.
    pub staff_waiting_max: usize,
    /// One call of the Bot API, from connecting to the last byte of the answer (a poll's 10 s come on top). teloxide
    /// keeps an answer of 5xx back for 10 s, so below that such an answer looks like one that never came.
    pub request_timeout: Duration,
    /// How long one message may wait in place (its turn, Telegram's `retry_after`) before it is given back to the
    /// bus.
    pub patience: Duration,
    /// How long a batch is held while the shop store is away before it is given back to the bus.
    pub hold: Duration,
    /// Who may do everything, ADMIN_IDS.
    pub owners: Vec<UserId>,
    /// Where orders are registered, WEBHOOK_URL, and the password there, API_TOKEN.
    pub webhook_url: Url,
    pub api_token: Secret,
    /// What a delivery costs, DELIVERY_PRICE.
    pub delivery_price: Tiyin,
    /// Where orders are picked up, PICKUP_ADDRESS; `None`: nowhere, all are delivered.
    pub pickup_address: Option<String>,
}

impl BotConfig {
    pub fn new(token: Secret, db_channel: Channel, webhook_url: Url, api_token: Secret) -> Self {
        Self {
            token,
            db_channel,
            api_url: None,
            staff_language: Language::Uz,
            messages_per_s: 30,
            channel_posts_per_min: 20,
            in_flight_max: 32,
            staff_waiting_max: 96,
            request_timeout: Duration::from_secs(17),
            patience: Duration::from_mins(1),
            hold: Duration::from_mins(2),
            owners: Vec::new(),
            webhook_url,
            api_token,
            delivery_price: Tiyin::ZERO,
            pickup_address: None,
        }
    }

    /// Refuses settings that could not work, saying which.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if self.token.expose().is_empty() {
            return Err(ConfigError("BOT_TOKEN is empty: ask @BotFather for one"));
        }
        if self.api_token.expose().is_empty() {
            return Err(ConfigError("API_TOKEN is empty: give it the value that the webhook service has"));
        }
        if self.api_url.as_ref().is_some_and(|url| !matches!(url.scheme(), "http" | "https")) {
            return Err(ConfigError("the address of the Bot API must begin with http:// or https://"));
        }
        if !(1..=1000).contains(&self.messages_per_s) {
            return Err(ConfigError("messages_per_s must be from 1 to 1000"));
        }
        if !(1..=60).contains(&self.channel_posts_per_min) {
            return Err(ConfigError("channel_posts_per_min must be from 1 to 60"));
        }
        if self.in_flight_max == 0 || self.staff_waiting_max == 0 {
            return Err(ConfigError("in_flight_max and staff_waiting_max must be at least 1"));
        }
        Ok(())
    }
}

/// A setting that could not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(&'static str);

impl ConfigError {
    pub(crate) const CLIENT: Self =
        Self("the HTTP client cannot be made: see that the system's TLS certificates are there");
}

/// A channel or a group: its number, or the @name of a public one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel(pub(crate) Recipient);

impl FromStr for Channel {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        if text.starts_with('@') && text.len() > 1 {
            return Ok(Self(Recipient::ChannelUsername(text.to_owned())));
        }
        let id = text.parse().map_err(|_| {
            ConfigError("write the channel's number, for example -1001234567890, or its @name")
        })?;
        Ok(Self(Recipient::Id(ChatId(id))))
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_a_number_or_a_name() {
        for text in ["-1001234567890", "@shop_staff", "5551"] {
            assert_eq!(text.parse::<Channel>().unwrap().to_string(), text);
        }
        assert!("shop_staff".parse::<Channel>().is_err());
        assert!("@".parse::<Channel>().is_err());
    }

    fn test_config() -> BotConfig {
        let webhook_url = Url::parse("http://127.0.0.1:8000").unwrap();
        let channel = "@staff".parse().unwrap();
        BotConfig::new(Secret::new("1:token"), channel, webhook_url, Secret::new("api"))
    }

    #[test]
    fn settings_that_could_not_work_are_refused_and_the_token_is_not_shown() {
        let good = test_config();
        assert_eq!(good.check(), Ok(()));
        assert!(!format!("{good:?}").contains("1:token"));
        assert!(BotConfig { messages_per_s: 0, ..good.clone() }.check().is_err());
        assert!(BotConfig { channel_posts_per_min: 61, ..good.clone() }.check().is_err());
        assert!(BotConfig { api_token: Secret::new(""), ..good.clone() }.check().is_err());
        let url = Some(Url::parse("mailto:a@b").unwrap());
        assert!(BotConfig { api_url: url, ..good }.check().is_err());
    }
}
