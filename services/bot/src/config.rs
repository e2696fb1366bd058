//! The settings of the bot.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use teloxide::types::{ChatId, Recipient};
use tolov_domain::{Language, Tiyin, UserId};
use tolov_kit::{env::Env, secret::Secret};
use url::Url;

use crate::{orders::receipt::ReceiptDefaults, updates::settings::Updates};

/// All settings of the bot. [`Config::new`] takes those that have no default.
#[derive(Debug, Clone)]
pub struct Config {
    pub token: Secret,
    /// The staff channel, DB_CHANNEL.
    pub db_channel: Channel,
    /// Another Bot API server; `None` is Telegram's own.
    pub api_url: Option<Url>,
    /// How updates come, BOT_UPDATES.
    pub updates: Updates,
    /// What the staff channel speaks, STAFF_LANGUAGE.
    pub staff_language: Language,
    /// Where photos of the catalogue are kept, STORE_CHANNEL. `None`: in the staff channel.
    pub store_channel: Option<Channel>,
    /// Messages of all kinds in a second, 1 to 1000. Telegram allows 30 to a bot that does not pay for more.
    pub messages_per_s: u32,
    /// Posts in any minute, 1 to 60. Beyond that they are joined into digests.
    pub channel_posts_per_min: u32,
    /// Messages to shoppers that are in flight at the same time, from the bus until the order's own message is up to date. Of
    /// these 32 are sent at the same time, which bounds the rate: at 100 ms each they are 320 a second.
    pub in_flight_max: usize,
    /// Notifications that wait for a post. The bus must hand out more than this and `in_flight_max` together, or they would
    /// hold back shoppers.
    pub staff_waiting_max: usize,
    /// One call of the Bot API, from connecting to the last byte of the answer (a poll takes 10 s more). Above 10 s, because
    /// teloxide holds an answer of 5xx back for that long. After a crash a message that was being sent is sent again once
    /// this time is over.
    pub request_timeout: Duration,
    /// How long one message may wait in place (its turn, Telegram's `retry_after`) before it is given back to the
    /// bus.
    pub patience: Duration,
    /// How long a batch is held while the shop store is away before it is given back to the bus.
    pub hold: Duration,
    /// How often the bots that run side by side tell each other that they do. One that was silent four times as long is taken for
    /// dead.
    pub renew_every: Duration,
    /// Where the bot keeps its number in the roster, so that one that is started again after a kill goes on at once. `None`: nowhere.
    pub data_folder: Option<PathBuf>,
    /// The owners, who may do everything, ADMIN_IDS.
    pub owners: Vec<UserId>,
    /// The webhook service, WEBHOOK_URL, and its API_TOKEN.
    pub webhook_url: Url,
    pub api_token: Secret,
    /// The price of a delivery, DELIVERY_PRICE.
    pub delivery_price: Tiyin,
    /// What is done by itself with late money for goods that are sold out, LATE_MONEY.
    pub late_money: LateMoney,
    /// Where orders are picked up, PICKUP_ADDRESS. `None`: all orders are delivered.
    pub pickup_address: Option<String>,
    /// CLICK's token for Telegram's invoices, CLICK_PROVIDER_TOKEN. `None`: orders are paid on CLICK's page alone.
    pub provider_token: Option<Secret>,
    /// CLICK_RECEIPTS; `None`: CLICK makes no receipts for this shop.
    pub receipts: Option<ReceiptDefaults>,
    /// How often the clock is looked at: unpaid orders count down, and are reminded of.
    pub maintenance_every: Duration,
}

impl Config {
    pub fn new(token: Secret, db_channel: Channel, webhook_url: Url, api_token: Secret) -> Self {
        Self {
            token,
            db_channel,
            api_url: None,
            updates: Updates::Polling,
            staff_language: Language::Uz,
            store_channel: None,
            messages_per_s: 30,
            channel_posts_per_min: 20,
            in_flight_max: 128,
            staff_waiting_max: 96,
            request_timeout: Duration::from_secs(15),
            patience: Duration::from_mins(1),
            hold: Duration::from_mins(2),
            renew_every: Duration::from_secs(2),
            data_folder: None,
            owners: Vec::new(),
            webhook_url,
            api_token,
            delivery_price: Tiyin::ZERO,
            late_money: LateMoney::Ask,
            pickup_address: None,
            provider_token: None,
            receipts: None,
            maintenance_every: Duration::from_mins(1),
        }
    }

    /// BOT_TOKEN, the channels, STAFF_LANGUAGE, BOT_API_URL, the limits of Telegram, ADMIN_IDS, the terms of delivery,
    /// WEBHOOK_URL and API_TOKEN. The values count only when [`Env::finish`] succeeds.
    pub fn from_env(env: &Env) -> Self {
        let token = env.secret("BOT_TOKEN", "ask @BotFather for one");
        let channel = env.required_parsed("DB_CHANNEL", "the staff channel, for example -1001234567890");
        let webhook_url = env.parsed("WEBHOOK_URL").unwrap_or_else(default_webhook_url);
        let api_token = env.secret("API_TOKEN", "the same that the webhook service has");
        let mut config = Self::new(token, channel.unwrap_or_default(), webhook_url, api_token);
        config.store_channel = env.parsed("STORE_CHANNEL");
        config.staff_language = staff_language(env);
        config.api_url = env.parsed::<Url>("BOT_API_URL");
        config.updates = Updates::from_env(env, config.api_url.is_some());
        config.messages_per_s = env.parsed("BOT_MESSAGES_PER_S").unwrap_or(config.messages_per_s);
        config.channel_posts_per_min =
            env.parsed("BOT_CHANNEL_POSTS_PER_MIN").unwrap_or(config.channel_posts_per_min);
        config.owners = owners(env);
        config.delivery_price = delivery_price(env);
        config.late_money = late_money(env);
        config.pickup_address = env.text("PICKUP_ADDRESS");
        config.provider_token = provider_token(env);
        config.receipts = ReceiptDefaults::from_env(env);
        config
    }

    /// Refuses settings that cannot work, and says which.
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

fn default_webhook_url() -> Url {
    #[expect(clippy::expect_used, reason = "a literal that a test reads")]
    Url::parse("http://127.0.0.1:8000").expect("a valid address")
}

/// STAFF_LANGUAGE: uz, ru or en.
fn staff_language(env: &Env) -> Language {
    let Some(text) = env.text("STAFF_LANGUAGE") else { return Language::Uz };
    Language::ALL.into_iter().find(|language| language.as_str() == text).unwrap_or_else(|| {
        env.problem("STAFF_LANGUAGE", format_args!("{text:?} is none of the languages: write uz, ru or en"));
        Language::Uz
    })
}

/// ADMIN_IDS: Telegram ids, with commas or blanks between them.
fn owners(env: &Env) -> Vec<UserId> {
    let text = env.text("ADMIN_IDS").unwrap_or_default();
    let ids = text.split([',', ' ', ';']).filter(|id| !id.is_empty());
    let id = |id: &str| {
        let read = UserId::parse(id);
        if read.is_err() {
            env.problem(
                "ADMIN_IDS",
                format_args!("{id:?} is not a Telegram id: write numbers such as 5551, 5552"),
            );
        }
        read.ok()
    };
    ids.filter_map(id).collect()
}

/// LATE_MONEY: ask, give_back or wait.
fn late_money(env: &Env) -> LateMoney {
    match env.text("LATE_MONEY").as_deref() {
        None | Some("ask") => LateMoney::Ask,
        Some("give_back") => LateMoney::GiveBack,
        Some("wait") => LateMoney::Wait,
        Some(other) => {
            env.problem("LATE_MONEY", format_args!("{other:?} is none of ask, give_back and wait"));
            LateMoney::Ask
        }
    }
}

/// DELIVERY_PRICE, in so'm.
fn delivery_price(env: &Env) -> Tiyin {
    let Some(text) = env.text("DELIVERY_PRICE") else { return Tiyin::ZERO };
    Tiyin::parse_soum(&text).unwrap_or_else(|error| {
        env.problem("DELIVERY_PRICE", format_args!("cannot be read: {error}"));
        Tiyin::ZERO
    })
}

/// CLICK_PROVIDER_TOKEN, as @BotFather shows it: the provider's number, TEST or LIVE, and the rest.
fn provider_token(env: &Env) -> Option<Secret> {
    let text = env.text("CLICK_PROVIDER_TOKEN")?;
    let mut parts = text.splitn(3, ':');
    let is_number = parts.next().is_some_and(|number| number.parse::<u64>().is_ok());
    let is_of_a_kind = parts.next().is_some_and(|kind| matches!(kind, "TEST" | "LIVE"));
    let is_whole =
        parts.next().is_some_and(|rest| rest.len() >= 6 && rest.bytes().all(|b| b.is_ascii_graphic()));
    if !(is_number && is_of_a_kind && is_whole) {
        env.problem("CLICK_PROVIDER_TOKEN", "is no payment token: copy it from @BotFather, Payments, CLICK");
        return None;
    }
    Some(Secret::new(text))
}

/// Whether payments by a provider token are for trying out only.
pub fn is_test_provider_token(token: &Secret) -> bool {
    token.expose().split(':').nth(1) == Some("TEST")
}

/// What is done by itself with late money for goods that are sold out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LateMoney {
    /// Nothing: the post of the order asks staff.
    Ask,
    /// The whole payment goes back.
    GiveBack,
    /// The shopper is told to wait for the goods.
    Wait,
}

/// A setting that cannot work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(&'static str);

impl ConfigError {
    pub(crate) const CLIENT: Self =
        Self("the HTTP client cannot be created: check that the system's TLS certificates are installed");
}

/// A channel or a group: its number, or the @name of a public one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel(pub(crate) Recipient);

impl Default for Channel {
    /// No channel at all.
    fn default() -> Self {
        Self(Recipient::Id(ChatId(0)))
    }
}

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

    fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> [(String, String); N] {
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned()))
    }

    #[test]
    fn settings_come_from_the_environment() {
        let env = Env::new(pairs([
            ("BOT_TOKEN", "1:token"),
            ("DB_CHANNEL", "@staff"),
            ("API_TOKEN", "api"),
            ("ADMIN_IDS", "5551, 5552"),
            ("DELIVERY_PRICE", "15000"),
            ("STAFF_LANGUAGE", "ru"),
            ("STORE_CHANNEL", "-1007"),
            ("LATE_MONEY", "give_back"),
        ]));
        let config = Config::from_env(&env);
        assert!(env.finish().is_ok());
        assert_eq!(config.webhook_url.as_str(), "http://127.0.0.1:8000/");
        assert_eq!((config.owners.len(), config.delivery_price), (2, Tiyin::from_soum(15_000).unwrap()));
        assert_eq!((config.staff_language, config.late_money), (Language::Ru, LateMoney::GiveBack));
        assert_eq!(config.store_channel, "-1007".parse().ok());
        assert!(config.provider_token.is_none());
        let env = Env::new(pairs([
            ("ADMIN_IDS", "Ali"),
            ("STAFF_LANGUAGE", "russian"),
            ("CLICK_PROVIDER_TOKEN", "333605228:token"),
            ("LATE_MONEY", "keep"),
        ]));
        Config::from_env(&env);
        let problems = env.finish().unwrap_err().to_string();
        for name in [
            "BOT_TOKEN",
            "DB_CHANNEL",
            "API_TOKEN",
            "ADMIN_IDS",
            "STAFF_LANGUAGE",
            "LATE_MONEY",
            "CLICK_PROVIDER_TOKEN",
        ] {
            assert!(problems.contains(name), "{problems}");
        }
        assert!(!problems.contains("333605228"), "a token is not shown");
    }

    #[test]
    fn a_provider_token_is_for_tests_or_for_money() {
        let read = |text| provider_token(&Env::new(pairs([("CLICK_PROVIDER_TOKEN", text)])));
        let test = read("398062629:TEST:999999999_F91D8F69C042267444B74CC0B3C747757EB0E065").unwrap();
        let live = read("333605228:LIVE:17842_0123456789012345678901234567890123456789").unwrap();
        assert!(is_test_provider_token(&test) && !is_test_provider_token(&live));
        assert!(!format!("{live:?}").contains("17842"));
        for wrong in ["x:LIVE:17842_01", "1:PROD:17842_01", "1:LIVE:", "1:LIVE", "1:LIVE:178 42_01"] {
            assert!(read(wrong).is_none(), "{wrong}");
        }
    }

    fn test_config() -> Config {
        let webhook_url = Url::parse("http://127.0.0.1:8000").unwrap();
        let channel = "@staff".parse().unwrap();
        Config::new(Secret::new("1:token"), channel, webhook_url, Secret::new("api"))
    }

    #[test]
    fn settings_that_cannot_work_are_refused_and_the_token_is_not_shown() {
        let good = test_config();
        assert_eq!(good.check(), Ok(()));
        assert!(!format!("{good:?}").contains("1:token"));
        assert!(Config { messages_per_s: 0, ..good.clone() }.check().is_err());
        assert!(Config { channel_posts_per_min: 61, ..good.clone() }.check().is_err());
        assert!(Config { api_token: Secret::new(""), ..good.clone() }.check().is_err());
        let url = Some(Url::parse("mailto:a@b").unwrap());
        assert!(Config { api_url: url, ..good }.check().is_err());
    }
}
