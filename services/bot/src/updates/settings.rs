//! BOT_UPDATES: how updates come.

use std::net::SocketAddr;

use tolov_kit::{env::Env, http::TrustedProxies, secret::Secret};
use url::Url;

/// The path of the webhook for updates. A proxy forwards it as it is.
pub(crate) const TELEGRAM_WEBHOOK_PATH: &str = "/telegram/webhook";
/// Shorter ones can be guessed.
const SECRET_MIN: usize = 16;
/// Telegram's limit.
const SECRET_MAX: usize = 256;

/// How updates come.
#[derive(Debug, Clone)]
pub enum Updates {
    /// One bot asks for them; those beside it stand by.
    Polling,
    /// Telegram posts them, to any of the bots.
    Webhook(UpdatesWebhook),
}

#[derive(Debug, Clone)]
pub struct UpdatesWebhook {
    /// What Telegram is told, BOT_WEBHOOK_URL.
    pub url: Url,
    /// Where the bot listens, BOT_WEBHOOK_ADDR.
    pub addr: SocketAddr,
    /// What Telegram shows with every update, BOT_WEBHOOK_SECRET.
    pub secret: Secret,
    /// TRUSTED_PROXIES: whose `X-Forwarded-For` names the sender.
    pub trusted_proxies: TrustedProxies,
}

impl Updates {
    /// BOT_UPDATES and what belongs to it. `is_own_server`: BOT_API_URL names a Bot API server, which may post without TLS.
    pub(crate) fn from_env(env: &Env, is_own_server: bool) -> Self {
        match env.text("BOT_UPDATES").as_deref() {
            None | Some("polling") => return Self::Polling,
            Some("webhook") => {}
            Some(other) => {
                env.problem("BOT_UPDATES", format_args!("{other:?} is neither polling nor webhook"));
                return Self::Polling;
            }
        }
        let url: Option<Url> = env.required_parsed(
            "BOT_WEBHOOK_URL",
            "where Telegram posts updates, https://DOMAIN/telegram/webhook",
        );
        let secret =
            env.secret("BOT_WEBHOOK_SECRET", "what Telegram shows with every update: openssl rand -hex 32");
        let text = secret.expose();
        let is_allowed = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        let is_good = is_allowed && (SECRET_MIN..=SECRET_MAX).contains(&text.len());
        // That it is missing is said already.
        if !is_good && !text.is_empty() {
            env.problem(
                "BOT_WEBHOOK_SECRET",
                format_args!(
                    "has {SECRET_MIN} to {SECRET_MAX} letters, digits, _ and -: openssl rand -hex 32"
                ),
            );
        }
        let addr = env.parsed("BOT_WEBHOOK_ADDR").unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8010)));
        let trusted_proxies = env.parsed("TRUSTED_PROXIES").unwrap_or_default();
        let Some(url) = url else { return Self::Polling };
        let is_secure = url.scheme() == "https" || is_own_server && url.scheme() == "http";
        if !is_secure || url.path() != TELEGRAM_WEBHOOK_PATH {
            env.problem(
                "BOT_WEBHOOK_URL",
                format_args!("must begin with https:// and end with {TELEGRAM_WEBHOOK_PATH}"),
            );
        }
        Self::Webhook(UpdatesWebhook { url, addr, secret, trusted_proxies })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(changed: &[(&str, &str)]) -> Result<Updates, String> {
        let mut settings = vec![
            ("BOT_UPDATES", "webhook"),
            ("BOT_WEBHOOK_URL", "https://pay.example.uz/telegram/webhook"),
            ("BOT_WEBHOOK_SECRET", "0123456789abcdef-_XYZ"),
        ];
        for (name, value) in changed {
            settings.retain(|(set, _)| set != name);
            settings.push((*name, *value));
        }
        let owned = settings.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let env = Env::new(owned);
        let updates = Updates::from_env(&env, changed.iter().any(|(name, _)| *name == "BOT_API_URL"));
        env.finish().map(|()| updates).map_err(|error| error.to_string())
    }

    #[test]
    fn updates_are_polled_unless_a_webhook_is_asked_for() {
        assert!(matches!(read(&[("BOT_UPDATES", "")]), Ok(Updates::Polling)));
        let Ok(Updates::Webhook(webhook)) = read(&[]) else { panic!() };
        assert_eq!(webhook.addr.to_string(), "127.0.0.1:8010");
        assert!(!format!("{webhook:?}").contains("0123456789"));
        assert!(
            read(&[("BOT_API_URL", "x"), ("BOT_WEBHOOK_URL", "http://127.0.0.1:1/telegram/webhook")]).is_ok()
        );
    }

    #[test]
    fn settings_that_telegram_would_refuse_are_refused_at_the_start() {
        for (name, value) in [
            ("BOT_UPDATES", "push"),
            ("BOT_WEBHOOK_URL", "http://pay.example.uz/telegram/webhook"),
            ("BOT_WEBHOOK_URL", "https://pay.example.uz/"),
            ("BOT_WEBHOOK_SECRET", ""),
            ("BOT_WEBHOOK_SECRET", "short"),
            ("BOT_WEBHOOK_SECRET", "0123456789 0123456789"),
        ] {
            let error = read(&[(name, value)]).unwrap_err();
            assert!(error.contains(name) && !error.contains("0123456789"), "{error}");
        }
    }
}
