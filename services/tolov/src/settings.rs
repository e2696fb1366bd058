//! Settings of the sandbox and the log, from the environment.

use std::net::SocketAddr;

use tolov_kit::{
    env::Env,
    telemetry::{self, LogFormat},
};
use tolov_sandbox::{SandboxConfig, click::ClickConfig, telegram::Channel as SandboxChannel};
use url::Url;

/// SANDBOX_ADDR, the merchant's side of CLICK, and WEBHOOK_URL, where the pretend CLICK calls.
pub(crate) fn sandbox(env: &Env) -> SandboxConfig {
    let of_the_merchant = "any number will do, but the webhook service must have the same";
    let click = ClickConfig::new(
        env.required_parsed("CLICK_SERVICE_ID", of_the_merchant).unwrap_or_default(),
        env.required_parsed("CLICK_MERCHANT_ID", of_the_merchant).unwrap_or_default(),
        env.secret("CLICK_SECRET_KEY", "any text will do, but the webhook service must have the same"),
    );
    let webhook = env.required_parsed::<Url>("WEBHOOK_URL", "where the webhook service is");
    let callback_url = webhook.and_then(|url| url.join(tolov_webhook::http::CLICK_PATH).ok());
    let addr = env.parsed("SANDBOX_ADDR").unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8080)));
    let merchant_user_id = env.parsed("CLICK_MERCHANT_USER_ID");
    let click = match callback_url {
        Some(url) => click.with_webhook(url),
        None => click,
    };
    let click = ClickConfig { merchant_user_id, ..click };
    let mut config = SandboxConfig::new(addr, click);
    // The bot's shoppers outlive a restart of the sandbox, as they outlive one of Telegram's servers.
    config.telegram.everybody_is_here = true;
    config
}

/// The staff channel that the pretend Telegram has from the start, when DB_CHANNEL is given.
pub(crate) fn sandbox_channel(env: &Env) -> Option<SandboxChannel> {
    let id = env.parsed("DB_CHANNEL")?;
    Some(SandboxChannel { id, title: "Staff".to_owned(), username: None })
}

/// Libraries that say too much: lapin writes the body of every returned message, teloxide every retry of a poll. What
/// RUST_LOG says of them comes later and counts.
const QUIETER_LIBRARIES: &str = "lapin=error,teloxide=warn";

/// RUST_LOG and LOG_FORMAT.
pub(crate) fn install_log(env: &Env, default_filter: &str) {
    let format = env.parsed::<LogFormat>("LOG_FORMAT").unwrap_or_default();
    let filter = env.text("RUST_LOG").unwrap_or_else(|| default_filter.to_owned());
    telemetry::install(format, &format!("{QUIETER_LIBRARIES},{filter}"));
}
