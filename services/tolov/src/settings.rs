//! Settings of the bot and of the sandbox, from the environment.

use std::net::SocketAddr;

use tolov_bot::{BotConfig, Channel};
use tolov_domain::{Tiyin, UserId};
use tolov_kit::env::Env;
use tolov_sandbox::{SandboxConfig, click::ClickConfig, telegram::Channel as SandboxChannel};
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

/// SANDBOX_ADDR, the merchant's side of CLICK, and WEBHOOK_URL, where the simulated CLICK calls.
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

/// The staff channel that the simulated Telegram has from the start, when DB_CHANNEL is given.
pub(crate) fn sandbox_channel(env: &Env) -> Option<SandboxChannel> {
    let id = env.parsed("DB_CHANNEL")?;
    Some(SandboxChannel { id, title: "Staff".to_owned(), username: None })
}
