//! Where the sandbox listens, and which bot and merchant it simulates the other side for.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tolov_kit::{
    clock::{Clock, SystemClock},
    env::Env,
};
use url::Url;

use crate::{
    click::ClickConfig,
    telegram::{Channel, TelegramConfig},
};

/// What a secret key must contain, so that a callback that the sandbox signs can pay nothing real.
pub const KEY_MARK: &str = "sandbox-only";

/// Where Tolov's webhook service takes callbacks, below WEBHOOK_URL.
const CALLBACK_PATH: &str = "/payments/click/webhook";

#[derive(Debug, Clone)]
pub struct Config {
    /// SANDBOX_ADDR. Port 0 takes a free one.
    pub addr: SocketAddr,
    /// SANDBOX_URL: the address that browsers use, where it is not `addr`.
    pub public_url: Option<Url>,
    pub telegram: TelegramConfig,
    pub click: ClickConfig,
    pub clock: Arc<dyn Clock>,
    /// How long requests under way may take after a stop.
    pub stop_timeout: Duration,
}

impl Config {
    pub fn new(addr: SocketAddr, click: ClickConfig) -> Self {
        Self {
            addr,
            public_url: None,
            telegram: TelegramConfig::default(),
            click,
            clock: Arc::new(SystemClock),
            stop_timeout: Duration::from_secs(5),
        }
    }

    /// SANDBOX_ADDR, SANDBOX_URL, DB_CHANNEL, WEBHOOK_URL and CLICK's numbers and key. The values count only when
    /// [`Env::finish`] succeeds.
    pub fn from_env(env: &Env) -> Self {
        let numbers = "any number will do, but the webhook service must have the same";
        let mut click = ClickConfig::new(
            env.required_parsed("CLICK_SERVICE_ID", numbers).unwrap_or_default(),
            env.required_parsed("CLICK_MERCHANT_ID", numbers).unwrap_or_default(),
            env.secret(
                "CLICK_SECRET_KEY",
                "a text that contains sandbox-only; the webhook service must have the same",
            ),
        );
        click.merchant_user_id = env.parsed("CLICK_MERCHANT_USER_ID");
        let webhook = env.required_parsed::<Url>("WEBHOOK_URL", "where the webhook service is");
        if let Some(url) = webhook.and_then(|url| url.join(CALLBACK_PATH).ok()) {
            click = click.with_webhook(url);
        }
        let mut config =
            Self::new(env.parsed("SANDBOX_ADDR").unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8080))), click);
        config.public_url = env.parsed::<Url>("SANDBOX_URL");
        // Telegram's users outlive a restart of the sandbox.
        config.telegram.accept_unknown_users = true;
        let channel =
            env.parsed("DB_CHANNEL").map(|id| Channel { id, title: "Staff".to_owned(), username: None });
        config.telegram.channels.extend(channel);
        config
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_settings_nothing_listens_beyond_this_machine() {
        let config = Config::from_env(&Env::new([]));
        assert!(config.addr.ip().is_loopback());
        assert!(!config.click.allow_real_key && !config.click.allow_any_merchant);
    }
}
