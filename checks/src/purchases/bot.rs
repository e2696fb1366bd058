//! Bots, before a Bot API that takes every message at once.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Result;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tolov_bot::{Config, Deps, Service};
use tolov_domain::ports::{ShopStore, bus::Consumer};
use tolov_kit::{
    clock::SystemClock,
    lifecycle::{Stop, TaskError},
    secret::Secret,
};

use crate::bot_api;

const CHANNEL: &str = "-1001000000001";
/// What a bot that pays Telegram for it may send.
const MESSAGES_PER_S: u32 = 1_000;
const POSTS_PER_MIN: u32 = 60;

pub(crate) struct RunningBots {
    pub(crate) api: Arc<BotApi>,
    stop: Stop,
    ended: Vec<JoinHandle<Result<(), TaskError>>>,
}

impl RunningBots {
    /// Bots on this store, which send what they read.
    pub(crate) async fn start(
        shop: Arc<dyn ShopStore>,
        consumer: Arc<dyn Consumer>,
        count: usize,
    ) -> Result<Self> {
        let stop = Stop::new();
        let api = Arc::new(BotApi::default());
        let addr = api.serve(stop.clone()).await?;
        let nowhere = "http://127.0.0.1:9/".parse()?;
        let mut config = Config::new(Secret::new("1:bench"), CHANNEL.parse()?, nowhere, Secret::new("bench"));
        config.api_url = Some(format!("http://{addr}/").parse()?);
        config.messages_per_s = MESSAGES_PER_S;
        config.channel_posts_per_min = POSTS_PER_MIN;
        let bot = || {
            let (shop, clock) = (Arc::clone(&shop), Arc::new(SystemClock));
            let deps = Deps { consumer: Arc::clone(&consumer), shop, clock, trace: None };
            Ok(tokio::spawn(Service::new(config.clone(), &deps)?.run(stop.clone())))
        };
        let ended = (0..count).map(|_| bot()).collect::<Result<_>>()?;
        Ok(Self { api, stop, ended })
    }

    pub(crate) async fn close(self) -> Result<()> {
        self.stop.cancel();
        for ended in self.ended {
            ended.await??;
        }
        Ok(())
    }
}

/// Takes every message, and notes when.
#[derive(Debug, Default)]
pub(crate) struct BotApi {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// By the chat of the first message to it.
    told: HashMap<i64, Instant>,
    calls: u64,
}

impl BotApi {
    /// When somebody was told first.
    pub(crate) fn told(&self, user: i64) -> Option<Instant> {
        self.with(|state| state.told.get(&user).copied())
    }

    /// Calls that reached it, but those for updates.
    pub(crate) fn calls(&self) -> u64 {
        self.with(|state| state.calls)
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn serve(self: &Arc<Self>, stop: Stop) -> Result<SocketAddr> {
        let bot_api = Arc::clone(self);
        bot_api::serve(stop, move |method, call| {
            let bot_api = Arc::clone(&bot_api);
            async move { bot_api.result_of(&method, &call).await }
        })
        .await
    }

    async fn result_of(&self, method: &str, call: &Value) -> Value {
        if method == "getupdates" {
            tokio::time::sleep(Duration::from_secs(1)).await;
            return json!([]);
        }
        self.with(|state| state.calls += 1);
        match method {
            "getme" => bot_api::get_me(),
            "sendmessage" => {
                let id = &call["chat_id"];
                let chat = match id.as_i64() {
                    Some(number) if number > 0 => {
                        self.with(|state| {
                            state.told.entry(number).or_insert_with(Instant::now);
                        });
                        json!({ "id": id, "type": "private", "first_name": "Shopper" })
                    }
                    _ => json!({ "id": id, "type": "channel", "title": "Staff" }),
                };
                json!({ "message_id": 1, "date": 0, "chat": chat, "text": call["text"] })
            }
            _ => json!(true),
        }
    }
}
