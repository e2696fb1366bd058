//! Bots, before a Bot API that takes every message at once.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Result;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tolov_bot::{Config, Deps, Service};
use tolov_domain::ports::ShopStore;
use tolov_kit::{
    clock::SystemClock,
    lifecycle::{Stop, TaskError},
    secret::Secret,
};
use warp::Filter;

use super::bus::MemoryBus;

const CHANNEL: &str = "-1001000000001";
/// What a bot that pays Telegram for it may send.
const MESSAGES_PER_S: u32 = 1_000;
const POSTS_PER_MIN: u32 = 60;

pub(super) struct RunningBots {
    pub(super) bus: Arc<MemoryBus>,
    stop: Stop,
    ended: Vec<JoinHandle<Result<(), TaskError>>>,
}

impl RunningBots {
    /// Bots on this store, which send what is delivered to `bus`.
    pub(super) async fn start(shop: Arc<dyn ShopStore>, count: usize) -> Result<Self> {
        let stop = Stop::new();
        let api = serve_bot_api(stop.clone()).await?;
        let nowhere = "http://127.0.0.1:9/".parse()?;
        let mut config = Config::new(Secret::new("1:bench"), CHANNEL.parse()?, nowhere, Secret::new("bench"));
        config.api_url = Some(format!("http://{api}/").parse()?);
        config.messages_per_s = MESSAGES_PER_S;
        config.channel_posts_per_min = POSTS_PER_MIN;
        let bus = Arc::new(MemoryBus::default());
        let bot = || {
            let (shop, clock) = (Arc::clone(&shop), Arc::new(SystemClock));
            let deps = Deps { consumer: bus.clone(), shop, clock, trace: None };
            Ok(tokio::spawn(Service::new(config.clone(), &deps)?.run(stop.clone())))
        };
        let ended = (0..count).map(|_| bot()).collect::<Result<_>>()?;
        Ok(Self { bus, stop, ended })
    }

    pub(super) async fn close(self) -> Result<()> {
        self.stop.cancel();
        for ended in self.ended {
            ended.await??;
        }
        Ok(())
    }
}

async fn serve_bot_api(stop: Stop) -> Result<SocketAddr> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    let api = warp::path!(String / String).and(warp::post()).and(warp::body::json()).then(
        |_token, method: String, call: Value| async move {
            let result = result_of(&method, &call).await;
            warp::reply::json(&json!({ "ok": true, "result": result }))
        },
    );
    tokio::spawn(warp::serve(api).incoming(listener).graceful(async move { stop.cancelled().await }).run());
    Ok(addr)
}

async fn result_of(method: &str, call: &Value) -> Value {
    match method.to_ascii_lowercase().as_str() {
        "getupdates" => {
            tokio::time::sleep(Duration::from_secs(1)).await;
            json!([])
        }
        "getme" => json!({
            "id": 1, "is_bot": true, "first_name": "Bench", "username": "bench_bot", "can_join_groups": true,
            "can_read_all_group_messages": false, "supports_inline_queries": true,
            "can_connect_to_business": false, "has_main_web_app": false,
        }),
        "sendmessage" => {
            let id = &call["chat_id"];
            let chat = match id.as_i64() {
                Some(number) if number > 0 => json!({ "id": id, "type": "private", "first_name": "Shopper" }),
                _ => json!({ "id": id, "type": "channel", "title": "Staff" }),
            };
            json!({ "message_id": 1, "date": 0, "chat": chat, "text": call["text"] })
        }
        _ => json!(true),
    }
}
