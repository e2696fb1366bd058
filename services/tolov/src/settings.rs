//! Settings of the bot and the log, from the environment.

use tolov_bot::{BotConfig, Channel};
use tolov_domain::{Tiyin, UserId};
use tolov_kit::{
    env::Env,
    telemetry::{self, LogFormat},
};
use url::Url;

/// BOT_TOKEN, DB_CHANNEL, BOT_API_URL, the limits that Telegram sets, who the owners are, and where orders are registered. `None`: [`Env::finish`] says what is missing.
pub(crate) fn bot(env: &Env) -> Option<BotConfig> {
    let token = env.secret("BOT_TOKEN", "ask @BotFather for one");
    let channel: Option<Channel> =
        env.required_parsed("DB_CHANNEL", "the staff channel, for example -1001234567890");
    let api_url = env.parsed::<Url>("BOT_API_URL");
    let messages_per_s = env.parsed("BOT_MESSAGES_PER_S");
    let posts_per_min = env.parsed("BOT_CHANNEL_POSTS_PER_MIN");
    let webhook_url = env.parsed::<Url>("WEBHOOK_URL");
    let api_token = env.secret("API_TOKEN", "the same that the webhook service has");
    let owners = owners(env);
    let delivery_price = delivery_price(env);
    let webhook_url = webhook_url.or_else(|| "http://127.0.0.1:8000".parse().ok());
    let mut config = BotConfig::new(token, channel?, webhook_url?, api_token);
    config.owners = owners;
    config.delivery_price = delivery_price;
    config.pickup_address = env.text("PICKUP_ADDRESS");
    config.api_url = api_url;
    config.messages_per_s = messages_per_s.unwrap_or(config.messages_per_s);
    config.channel_posts_per_min = posts_per_min.unwrap_or(config.channel_posts_per_min);
    Some(config)
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
                format_args!("{id:?} is no Telegram id: write numbers such as 5551, 5552"),
            );
        }
        read.ok()
    };
    ids.filter_map(id).collect()
}

/// DELIVERY_PRICE, in so'm.
fn delivery_price(env: &Env) -> Tiyin {
    let Some(text) = env.text("DELIVERY_PRICE") else { return Tiyin::ZERO };
    Tiyin::parse_soum(&text).unwrap_or_else(|error| {
        env.problem("DELIVERY_PRICE", error);
        Tiyin::ZERO
    })
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
