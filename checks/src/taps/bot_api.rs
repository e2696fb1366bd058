//! A Bot API that hands out taps and notes when each is answered.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tolov_kit::lifecycle::Stop;

use crate::bot_api;

/// As many as Telegram hands out at once.
const UPDATES_MAX: usize = 100;
/// Longer than any tap may take.
const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Debug, Default)]
pub(super) struct BotApi {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Value>,
    /// By the id of the query: when the bot got it.
    handed_out: HashMap<String, Instant>,
    took: HashMap<String, Duration>,
    updates: i64,
}

impl BotApi {
    pub(super) async fn serve(self: &Arc<Self>, stop: Stop) -> Result<SocketAddr> {
        let bot_api = Arc::clone(self);
        bot_api::serve(stop, move |method, call| {
            let bot_api = Arc::clone(&bot_api);
            async move { bot_api.result_of(&method, &call).await }
        })
        .await
    }

    /// Brings all updates at once, and waits until every one is answered. Returns how long each took, by its id.
    pub(super) async fn bring(&self, updates: Vec<(String, Value)>) -> Result<Vec<(String, Duration)>> {
        let ids: Vec<String> = updates.iter().map(|(id, _)| id.clone()).collect();
        {
            let mut state = self.state();
            for (_, mut update) in updates {
                state.updates += 1;
                update["update_id"] = json!(state.updates);
                state.waiting.push_back(update);
            }
        }
        self.changed.notify_waiters();
        let deadline = Instant::now() + PATIENCE;
        loop {
            {
                let mut state = self.state();
                if ids.iter().all(|id| state.took.contains_key(id)) {
                    return Ok(ids.into_iter().filter_map(|id| state.took.remove_entry(&id)).collect());
                }
            }
            ensure!(Instant::now() < deadline, "taps were not answered");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hand_out(&self) -> Vec<Value> {
        let mut state = self.state();
        let count = state.waiting.len().min(UPDATES_MAX);
        let updates: Vec<Value> = state.waiting.drain(..count).collect();
        let now = Instant::now();
        for update in &updates {
            let query = update.get("callback_query").or_else(|| update.get("inline_query"));
            if let Some(id) = query.and_then(|query| query["id"].as_str()) {
                state.handed_out.insert(id.to_owned(), now);
            }
        }
        updates
    }

    async fn result_of(&self, method: &str, call: &Value) -> Value {
        match method {
            "getupdates" => {
                let changed = self.changed.notified();
                let updates = self.hand_out();
                if !updates.is_empty() {
                    return json!(updates);
                }
                // A long poll, which ends when something has come.
                let _ = tokio::time::timeout(Duration::from_secs(1), changed).await;
                json!(self.hand_out())
            }
            "getme" => bot_api::get_me(),
            "answercallbackquery" => self.answered(&call["callback_query_id"]),
            "answerinlinequery" => self.answered(&call["inline_query_id"]),
            "sendmessage" | "editmessagetext" | "sendphoto" | "editmessagemedia" => {
                let chat = json!({ "id": call["chat_id"], "type": "private", "first_name": "Shopper" });
                json!({ "message_id": 2, "date": 0, "chat": chat, "text": "…" })
            }
            _ => json!(true),
        }
    }

    fn answered(&self, id: &Value) -> Value {
        let mut state = self.state();
        if let Some(id) = id.as_str()
            && let Some(at) = state.handed_out.remove(id)
        {
            state.took.insert(id.to_owned(), at.elapsed());
        }
        json!(true)
    }
}
