//! The bot's token, its inline mode, its rights in the staff channel, and its owners. Sends no message.

use serde_json::{Value, json};
use tolov_bot::{Channel, Config as BotConfig, Updates};
use tolov_domain::UserId;

use super::{
    clock::ClockSeen,
    report::{Finding, why},
};

const TELEGRAM: &str = "https://api.telegram.org";

/// Why a method of the Bot API failed.
enum ApiError {
    NoAnswer(String),
    Refused { code: i64, description: String },
}

struct Api<'a> {
    http: &'a reqwest::Client,
    base: String,
    clock: Option<ClockSeen>,
}

pub(super) async fn check(http: &reqwest::Client, bot: &BotConfig) -> (Vec<Finding>, Option<ClockSeen>) {
    let server = bot.api_url.as_ref().map_or(TELEGRAM, |url| url.as_str());
    // The token is part of the address: it must reach no error and no log.
    let base = format!("{}/bot{}", server.trim_end_matches('/'), bot.token.expose());
    let mut api = Api { http, base, clock: None };
    let mut findings = Vec::new();
    match api.ask("getMe", json!({})).await {
        Ok(me) => {
            let name = me["username"].as_str().unwrap_or("?").to_owned();
            findings.push(Finding::good("token-good").with("bot", name));
            findings.push(check_inline(&me));
            findings.extend(check_updates(&mut api, &bot.updates).await);
            let channels =
                [Some((&bot.db_channel, STAFF_KEYS)), store_channel(bot).map(|it| (it, STORE_KEYS))];
            for (channel, keys) in channels.into_iter().flatten() {
                findings.push(check_channel(&mut api, channel, keys, &me["id"]).await);
            }
            for owner in &bot.owners {
                findings.push(check_owner(&mut api, *owner).await);
            }
        }
        Err(ApiError::Refused { code: 401 | 404, .. }) => findings.push(Finding::bad("token-refused")),
        Err(ApiError::Refused { description: detail, .. } | ApiError::NoAnswer(detail)) => {
            findings.push(Finding::bad("telegram-away").with("detail", detail));
        }
    }
    (findings, api.clock)
}

/// Shoppers share and find products through inline queries, which BotFather switches on.
fn check_inline(me: &Value) -> Finding {
    if me["supports_inline_queries"].as_bool() == Some(true) {
        Finding::good("inline-good")
    } else {
        Finding::doubtful("inline-off")
    }
}

/// What Telegram says of the webhook. Of polling there is nothing to say: the bot deletes a webhook by itself.
async fn check_updates(api: &mut Api<'_>, updates: &Updates) -> Option<Finding> {
    let Updates::Webhook(webhook) = updates else { return None };
    let info = match api.ask("getWebhookInfo", json!({})).await {
        Ok(info) => info,
        Err(ApiError::Refused { description: detail, .. } | ApiError::NoAnswer(detail)) => {
            return Some(Finding::bad("telegram-away").with("detail", detail));
        }
    };
    let waiting = info["pending_update_count"].as_i64().unwrap_or_default();
    Some(match info["last_error_message"].as_str() {
        _ if info["url"].as_str() != Some(webhook.url.as_str()) => {
            Finding::doubtful("updates-webhook-unset").with("url", webhook.url.as_str())
        }
        Some(detail) if waiting > 0 => {
            Finding::bad("updates-webhook-failing").with("detail", detail.to_owned()).with("count", waiting)
        }
        _ => Finding::good("updates-webhook-good").with("url", webhook.url.as_str()),
    })
}

/// The findings of a channel: good, unknown, and without the right to post.
type ChannelKeys = [&'static str; 3];

const STAFF_KEYS: ChannelKeys = ["channel-good", "channel-unknown", "channel-no-rights"];
const STORE_KEYS: ChannelKeys = ["store-channel-good", "store-channel-unknown", "store-channel-no-rights"];

/// The channel that keeps photos, where it is another one than the staff channel.
fn store_channel(bot: &BotConfig) -> Option<&Channel> {
    bot.store_channel.as_ref().filter(|channel| **channel != bot.db_channel)
}

async fn check_channel(
    api: &mut Api<'_>,
    channel: &Channel,
    [good, unknown, no_rights]: ChannelKeys,
    bot_id: &Value,
) -> Finding {
    let channel = channel.to_string();
    let chat = match api.ask("getChat", json!({"chat_id": channel})).await {
        Ok(chat) => chat,
        Err(ApiError::Refused { description: detail, .. } | ApiError::NoAnswer(detail)) => {
            return Finding::bad(unknown).with("channel", channel).with("detail", detail);
        }
    };
    let title = chat["title"].as_str().unwrap_or(&channel).to_owned();
    let member = match api.ask("getChatMember", json!({"chat_id": channel, "user_id": bot_id})).await {
        Ok(member) => member,
        Err(ApiError::Refused { description: detail, .. } | ApiError::NoAnswer(detail)) => {
            return Finding::bad(unknown).with("channel", channel).with("detail", detail);
        }
    };
    if may_post(chat["type"].as_str(), &member) {
        Finding::good(good).with("title", title)
    } else {
        Finding::bad(no_rights).with("title", title)
    }
}

/// A bot can ask only for users who have written to it, so a mistyped id is found as unknown.
async fn check_owner(api: &mut Api<'_>, owner: UserId) -> Finding {
    match api.ask("getChat", json!({"chat_id": owner})).await {
        Ok(chat) => {
            let name = chat["first_name"].as_str().unwrap_or("?").to_owned();
            Finding::good("owner-good").with("id", owner).with("name", name)
        }
        Err(ApiError::Refused { .. }) => Finding::doubtful("owner-unknown").with("id", owner),
        Err(ApiError::NoAnswer(detail)) => Finding::bad("telegram-away").with("detail", detail),
    }
}

/// In a channel only administrators with this right post; in a group every member who is not muted.
fn may_post(chat_type: Option<&str>, member: &Value) -> bool {
    let is_channel = chat_type == Some("channel");
    match member["status"].as_str() {
        Some("creator") => true,
        Some("administrator") => !is_channel || member["can_post_messages"].as_bool() == Some(true),
        Some("member") => !is_channel,
        Some("restricted") => !is_channel && member["can_send_messages"].as_bool() == Some(true),
        _ => false,
    }
}

impl Api<'_> {
    async fn ask(&mut self, method: &str, parameters: Value) -> Result<Value, ApiError> {
        let request = self.http.post(format!("{}/{method}", self.base)).json(&parameters);
        let answer = request.send().await.map_err(|error| ApiError::NoAnswer(why(error)))?;
        self.clock = ClockSeen::of(&answer).or(self.clock);
        let status = i64::from(answer.status().as_u16());
        let mut body: Value = answer.json().await.map_err(|error| ApiError::NoAnswer(why(error)))?;
        if body["ok"].as_bool() == Some(true) {
            return Ok(body["result"].take());
        }
        let description = body["description"].as_str().unwrap_or("?").to_owned();
        Err(ApiError::Refused { code: body["error_code"].as_i64().unwrap_or(status), description })
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tolov_kit::secret::Secret;

    use super::*;

    /// A Bot API that gives every caller the same answer.
    async fn says(status: &'static str, body: &'static str) -> BotConfig {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 4096];
                let read = stream.read(&mut request).await.unwrap();
                assert!(read > 0);
                let head = format!(
                    "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
            }
        });
        let webhook_url = "http://127.0.0.1:9".parse().unwrap();
        let (token, api_token) = (Secret::new("7:planted-token"), Secret::new("planted-password"));
        let mut bot = BotConfig::new(token, "@staff".parse().unwrap(), webhook_url, api_token);
        bot.owners = vec![UserId::parse("5551").unwrap()];
        bot.api_url = Some(url.parse().unwrap());
        bot
    }

    #[tokio::test]
    async fn a_refused_token_a_failing_server_and_no_server_are_distinguished_and_the_token_is_not_shown() {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let refused = r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#;
        let failing = r#"{"ok":false,"error_code":502,"description":"Bad Gateway"}"#;
        let mut nobody = says("200 OK", "").await;
        nobody.api_url = Some("http://127.0.0.1:9".parse().unwrap());
        for (bot, key) in [
            (says("401 Unauthorized", refused).await, "token-refused"),
            (says("502 Bad Gateway", failing).await, "telegram-away"),
            (says("200 OK", "<html>").await, "telegram-away"),
            (nobody, "telegram-away"),
        ] {
            let (findings, _) = check(&http, &bot).await;
            assert_eq!(findings.iter().map(|finding| finding.key).collect::<Vec<_>>(), [key]);
            assert!(!format!("{findings:?}").contains("planted-token"), "{findings:?}");
        }
    }

    #[tokio::test]
    async fn an_owner_who_never_wrote_to_the_bot_is_reported_by_id() {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let known = r#"{"ok":true,"result":{"id":5551,"type":"private","first_name":"Sardor"}}"#;
        let unknown = r#"{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}"#;
        for (bot, key) in [
            (says("200 OK", known).await, "owner-good"),
            (says("400 Bad Request", unknown).await, "owner-unknown"),
        ] {
            let base = bot.api_url.as_ref().unwrap().to_string();
            let mut api = Api { http: &http, base, clock: None };
            let found = check_owner(&mut api, bot.owners[0]).await;
            assert_eq!(found.key, key);
            assert!(format!("{found:?}").contains("5551"), "{found:?}");
        }
    }

    #[tokio::test]
    async fn a_channel_for_photos_is_checked_where_it_is_another_one() {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        // Of a channel and of a member of it.
        let silent = r#"{"ok":true,"result":{"type":"channel","title":"Photos","status":"member"}}"#;
        let mut bot = says("200 OK", silent).await;
        let channels = async |bot: &BotConfig| {
            let (findings, _) = check(&http, bot).await;
            findings
                .iter()
                .map(|finding| finding.key)
                .filter(|key| key.contains("channel"))
                .collect::<Vec<_>>()
        };
        assert_eq!(channels(&bot).await, ["channel-no-rights"]);
        bot.store_channel = Some("@photos".parse().unwrap());
        assert_eq!(channels(&bot).await, ["channel-no-rights", "store-channel-no-rights"]);
        bot.store_channel = Some("@staff".parse().unwrap());
        assert_eq!(channels(&bot).await, ["channel-no-rights"]);
    }

    #[tokio::test]
    async fn what_telegram_could_not_deliver_to_the_webhook_is_reported() {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = "https://pay.example.uz/telegram/webhook";
        let webhook = Updates::Webhook(tolov_bot::UpdatesWebhook {
            url: url.parse().unwrap(),
            addr: "127.0.0.1:0".parse().unwrap(),
            secret: Secret::new("planted-secret-of-the-webhook"),
            trusted_proxies: tolov_kit::http::TrustedProxies::default(),
        });
        for (answer, key) in [
            (r#"{"ok":true,"result":{"url":"","pending_update_count":0}}"#, "updates-webhook-unset"),
            (
                r#"{"ok":true,"result":{"url":"https://pay.example.uz/telegram/webhook","pending_update_count":3,"last_error_message":"Connection refused"}}"#,
                "updates-webhook-failing",
            ),
            (
                r#"{"ok":true,"result":{"url":"https://pay.example.uz/telegram/webhook","pending_update_count":0,"last_error_message":"Connection refused"}}"#,
                "updates-webhook-good",
            ),
        ] {
            let base = says("200 OK", answer).await.api_url.unwrap().to_string();
            let mut api = Api { http: &http, base, clock: None };
            let found = check_updates(&mut api, &webhook).await.unwrap();
            assert_eq!(found.key, key);
            assert!(!format!("{found:?}").contains("planted-secret"));
            assert!(check_updates(&mut api, &Updates::Polling).await.is_none());
        }
    }

    #[test]
    fn inline_mode_that_is_off_is_reported() {
        assert_eq!(check_inline(&json!({"supports_inline_queries": true})).key, "inline-good");
        assert_eq!(check_inline(&json!({"supports_inline_queries": false})).key, "inline-off");
        assert_eq!(check_inline(&json!({})).key, "inline-off");
    }

    #[test]
    fn the_right_to_post_is_known_for_channels_and_groups() {
        let administrator = |may: bool| json!({"status": "administrator", "can_post_messages": may});
        assert!(may_post(Some("channel"), &administrator(true)));
        assert!(!may_post(Some("channel"), &administrator(false)));
        assert!(!may_post(Some("channel"), &json!({"status": "member"})));
        assert!(may_post(Some("supergroup"), &json!({"status": "member"})));
        assert!(!may_post(Some("supergroup"), &json!({"status": "restricted", "can_send_messages": false})));
        assert!(!may_post(Some("supergroup"), &json!({"status": "kicked"})));
    }
}
