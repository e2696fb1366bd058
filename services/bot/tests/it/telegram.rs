//! A fake Bot API that answers as a test tells it.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Notify, time::Instant};
use warp::{Filter, http::StatusCode, hyper::body::Bytes};

/// A message as it was received, whatever was answered.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    pub(crate) chat: String,
    pub(crate) text: String,
    pub(crate) at: Instant,
    /// Whether the chat shows it.
    pub(crate) shown: bool,
    /// The rows of buttons below it.
    pub(crate) buttons: Value,
}

/// An edit of a message.
#[derive(Debug, Clone)]
pub(crate) struct Edited {
    pub(crate) chat: String,
    pub(crate) message_id: i64,
    pub(crate) text: String,
    pub(crate) buttons: Value,
}

/// What is answered to one message.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Refuse(u16, &'static str),
    RetryAfter(u64),
    MigrateTo(i64),
    /// The chat shows the message, but the answer never comes.
    ShowAndHang,
}

/// The fields of a multipart form.
fn form(body: &[u8]) -> Value {
    let text = String::from_utf8_lossy(body);
    let fields = text.split("name=\"").skip(1).filter_map(|part| {
        let (name, rest) = part.split_once('"')?;
        let value = rest.split_once("\r\n\r\n")?.1.split("\r\n--").next()?;
        Some((name.to_owned(), json!(value)))
    });
    Value::Object(fields.collect())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RefusedEdits {
    /// The bot may edit nothing.
    All,
    /// As if the host of the link had no dot.
    WithLinks,
}

#[derive(Debug, Default)]
pub(crate) struct Telegram {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    arrived: Vec<Arrived>,
    edited: Vec<Edited>,
    /// The texts that answered taps.
    toasts: Vec<String>,
    /// How long the next edit has to wait, in seconds.
    edit_waits: Option<u32>,
    /// Edits in this chat are never answered.
    hanging_edits: Option<String>,
    /// Edits that are not taken.
    refused_edits: Option<RefusedEdits>,
    /// These messages have been deleted.
    gone: Vec<i64>,
    /// For each chat what is answered next; then every message is shown.
    answers: HashMap<String, VecDeque<Answer>>,
    updates: Vec<Value>,
    /// Every call but polls, with its body.
    calls: Vec<(String, Value)>,
    /// Updates up to this one are confirmed.
    confirmed: i64,
    /// getMe and getUpdates are refused.
    deaf: bool,
    has_webhook: bool,
    /// Files that people sent, by file_id.
    files: HashMap<String, Vec<u8>>,
    /// So many polls are answered at once, with nothing where there is nothing.
    hurried_polls: usize,
}

impl Telegram {
    pub(crate) async fn start() -> (Arc<Self>, SocketAddr) {
        let telegram = Arc::<Self>::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        telegram.serve(listener);
        (telegram, address)
    }

    pub(crate) fn serve(self: &Arc<Self>, listener: TcpListener) {
        let telegram = Arc::clone(self);
        let calls = warp::path!(String / String).and(warp::body::bytes()).then(
            move |_token: String, method: String, body: Bytes| {
                let telegram = Arc::clone(&telegram);
                async move {
                    let body = serde_json::from_slice(&body).unwrap_or_else(|_| form(&body));
                    let (status, json) = telegram.call(&method.to_ascii_lowercase(), body).await;
                    let status = StatusCode::from_u16(status).unwrap();
                    warp::reply::with_status(warp::reply::json(&json), status)
                }
            },
        );
        let telegram = Arc::clone(self);
        let files = warp::path!("file" / String / String).map(move |_token: String, name: String| {
            telegram.state.lock().unwrap().files.get(&name).cloned().unwrap_or_default()
        });
        tokio::spawn(warp::serve(files.or(calls)).incoming(listener).run());
    }

    async fn call(&self, method: &str, body: Value) -> (u16, Value) {
        if method != "getupdates" {
            self.state.lock().unwrap().calls.push((method.to_owned(), body.clone()));
            self.changed.notify_waiters();
        }
        match method {
            "getme" | "getupdates" if self.state.lock().unwrap().deaf => {
                (409, json!({"ok": false, "error_code": 409, "description": "Conflict: another bot"}))
            }
            "getme" => ok(&json!({
                "id": 1, "is_bot": true, "first_name": "Shop", "username": "shop_bot", "can_join_groups": true,
                "can_read_all_group_messages": false, "supports_inline_queries": false,
                "can_connect_to_business": false, "has_main_web_app": false,
            })),
            "getwebhookinfo" => {
                let url =
                    if self.state.lock().unwrap().has_webhook { "https://shop.example/hook" } else { "" };
                ok(&json!({"url": url, "has_custom_certificate": false, "pending_update_count": 0}))
            }
            "setwebhook" | "deletewebhook" => {
                self.state.lock().unwrap().has_webhook = method == "setwebhook";
                ok(&json!(true))
            }
            "getupdates" if self.state.lock().unwrap().has_webhook => (
                409,
                json!({
                    "ok": false, "error_code": 409,
                    "description": "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook",
                }),
            ),
            "getupdates" => ok(&self.updates(&body).await),
            "sendmessage" => {
                assert_eq!(body["parse_mode"], "HTML");
                let text = body["text"].as_str().unwrap().to_owned();
                self.message(&body, text).await
            }
            "sendphoto" => {
                let (status, mut answer) = self.message(&body, format!("photo {}", body["photo"])).await;
                let name = body["photo"].as_str().filter(|name| *name != "p");
                let kept = name.map_or("kept".to_owned(), |name| format!("kept-{name}"));
                let size =
                    json!({"file_id": kept, "file_unique_id": "k", "width": 9, "height": 9, "file_size": 9});
                if status == 200 {
                    answer["result"].as_object_mut().unwrap().remove("text");
                    answer["result"]["photo"] = json!([size]);
                }
                (status, answer)
            }
            "copymessage" | "forwardmessage" => {
                let text = format!("{method} {}:{}", body["from_chat_id"], body["message_id"]);
                self.message(&body, text).await
            }
            "copymessages" | "forwardmessages" => self.messages(method, &body).await,
            "getfile" => {
                let name = body["file_id"].as_str().unwrap();
                let size = self.state.lock().unwrap().files.get(name).map_or(0, Vec::len);
                ok(&json!({"file_id": name, "file_unique_id": name, "file_size": size, "file_path": name}))
            }
            "editmessagetext" => self.edit(&body).await,
            "answercallbackquery" => {
                let text = body["text"].as_str().unwrap_or_default().to_owned();
                self.state.lock().unwrap().toasts.push(text);
                self.changed.notify_waiters();
                ok(&json!(true))
            }
            "deletemessage" | "setmycommands" | "answerinlinequery" => ok(&json!(true)),
            other => (404, json!({"ok": false, "error_code": 404, "description": format!("no {other}")})),
        }
    }

    async fn updates(&self, body: &Value) -> Value {
        let offset = body["offset"].as_i64().unwrap_or(0);
        let poll = Duration::from_secs(body["timeout"].as_u64().unwrap_or(0));
        let waiting = || -> Vec<Value> {
            let mut state = self.state.lock().unwrap();
            state.confirmed = state.confirmed.max(offset - 1);
            let confirmed = state.confirmed;
            let new = state.updates.iter().filter(|update| update["update_id"].as_i64() > Some(confirmed));
            new.cloned().collect()
        };
        let until = Instant::now() + poll;
        loop {
            let changed = self.changed.notified();
            let updates = waiting();
            if self.is_hurried() {
                return Value::Array(updates);
            }
            if !updates.is_empty() || tokio::time::timeout_at(until, changed).await.is_err() {
                return Value::Array(updates);
            }
        }
    }

    fn is_hurried(&self) -> bool {
        let mut state = self.state.lock().unwrap();
        let is_hurried = state.hurried_polls > 0;
        state.hurried_polls = state.hurried_polls.saturating_sub(1);
        is_hurried
    }

    async fn edit(&self, body: &Value) -> (u16, Value) {
        let chat = &body["chat_id"];
        let chat = chat.as_str().map_or_else(|| chat.to_string(), str::to_owned);
        let hangs = self.state.lock().unwrap().hanging_edits.as_ref() == Some(&chat);
        if hangs {
            return std::future::pending().await;
        }
        let message_id = body["message_id"].as_i64().unwrap();
        let mut state = self.state.lock().unwrap();
        if let Some(seconds) = state.edit_waits.take() {
            let description = "Too Many Requests: retry later";
            let parameters = json!({"retry_after": seconds});
            let refusal = json!({
                "ok": false, "error_code": 429, "description": description, "parameters": parameters,
            });
            return (429, refusal);
        }
        if state.refused_edits == Some(RefusedEdits::All) {
            let description = "Forbidden: bot is not a member of the channel chat";
            return (403, json!({"ok": false, "error_code": 403, "description": description}));
        }
        let has_link = body["reply_markup"].to_string().contains("\"url\"");
        if state.refused_edits == Some(RefusedEdits::WithLinks) && has_link {
            let description =
                "Bad Request: inline keyboard button URL 'http://localhost:8080/' is invalid: Wrong HTTP URL";
            return (400, json!({"ok": false, "error_code": 400, "description": description}));
        }
        if state.gone.contains(&message_id) {
            let description = "Bad Request: message to edit not found";
            return (400, json!({"ok": false, "error_code": 400, "description": description}));
        }
        let text = body["text"].as_str().unwrap().to_owned();
        let buttons = body["reply_markup"]["inline_keyboard"].clone();
        state.edited.push(Edited { chat: chat.clone(), message_id, text, buttons });
        drop(state);
        self.changed.notify_waiters();
        ok(&shown_message(message_id, chat.parse().ok()))
    }

    /// Several messages in one call.
    async fn messages(&self, method: &str, body: &Value) -> (u16, Value) {
        let text = format!("{method} {}:{}", body["from_chat_id"], body["message_ids"]);
        let (status, mut answer) = self.message(body, text).await;
        if status == 200 {
            let first = answer["result"]["message_id"].as_i64().unwrap();
            let count = i64::try_from(body["message_ids"].as_array().unwrap().len()).unwrap();
            answer["result"] = (first..first + count).map(|id| json!({"message_id": id})).collect();
        }
        (status, answer)
    }

    async fn message(&self, body: &Value, text: String) -> (u16, Value) {
        let chat = &body["chat_id"];
        let chat = chat.as_str().map_or_else(|| chat.to_string(), str::to_owned);
        let (answer, number) = {
            let mut state = self.state.lock().unwrap();
            let answer = state.answers.get_mut(&chat).and_then(VecDeque::pop_front);
            let shown = matches!(answer, None | Some(Answer::ShowAndHang));
            let buttons = body["reply_markup"]["inline_keyboard"].clone();
            state.arrived.push(Arrived { chat: chat.clone(), text, at: Instant::now(), shown, buttons });
            (answer, state.arrived.len())
        };
        self.changed.notify_waiters();
        match answer {
            None => ok(&shown_message(i64::try_from(number).unwrap(), chat.parse().ok())),
            Some(Answer::Refuse(status, description)) => {
                (status, json!({"ok": false, "error_code": status, "description": description}))
            }
            Some(Answer::RetryAfter(seconds)) => (
                429,
                json!({
                    "ok": false, "error_code": 429, "description": "Too Many Requests: retry later",
                    "parameters": {"retry_after": seconds},
                }),
            ),
            Some(Answer::MigrateTo(id)) => (
                400,
                json!({
                    "ok": false, "error_code": 400, "description": "Bad Request: group chat was upgraded",
                    "parameters": {"migrate_to_chat_id": id},
                }),
            ),
            Some(Answer::ShowAndHang) => std::future::pending().await,
        }
    }

    pub(crate) fn will_answer(&self, chat: &str, answers: impl IntoIterator<Item = Answer>) {
        self.state.lock().unwrap().answers.insert(chat.to_owned(), answers.into_iter().collect());
    }

    /// The message_id under which a message with this text arrived.
    pub(crate) fn number_of(&self, text: &str) -> i64 {
        let state = self.state.lock().unwrap();
        let place = state.arrived.iter().position(|message| message.text == text).unwrap();
        i64::try_from(place + 1).unwrap()
    }

    /// A file that a person sends by this id.
    pub(crate) fn has_file(&self, file_id: &str, content: Vec<u8>) {
        self.state.lock().unwrap().files.insert(file_id.to_owned(), content);
    }

    pub(crate) fn is_deaf(&self) {
        self.state.lock().unwrap().deaf = true;
    }

    pub(crate) fn has_webhook(&self) {
        self.state.lock().unwrap().has_webhook = true;
    }

    /// The last update that the bot has confirmed.
    pub(crate) fn confirmed(&self) -> i64 {
        self.state.lock().unwrap().confirmed
    }

    /// Telegram forgets the updates that nobody has confirmed, as it does after a day.
    pub(crate) fn forget_updates(&self) {
        let mut state = self.state.lock().unwrap();
        state.confirmed = i64::try_from(state.updates.len()).unwrap();
        drop(state);
        self.changed.notify_waiters();
    }

    /// Answers so many polls at once, with nothing where there is nothing, and waits until they are.
    pub(crate) async fn until_polled(&self, times: usize) {
        // The bot has dealt with an answer when it polls again.
        self.state.lock().unwrap().hurried_polls = times + 1;
        self.changed.notify_waiters();
        let wait = async {
            while self.state.lock().unwrap().hurried_polls > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), wait).await.unwrap();
    }

    /// Delivers every update once more.
    pub(crate) fn redeliver(&self) {
        self.state.lock().unwrap().confirmed = 0;
        self.changed.notify_waiters();
    }

    /// A shopper writes to the bot.
    pub(crate) fn write(&self, user_id: i64, language_code: Option<&str>, text: &str) {
        self.bring(|number| {
            json!({"message": {
                "message_id": number, "date": 1_763_881_506, "text": text,
                "from": {"id": user_id, "is_bot": false, "first_name": "A", "language_code": language_code},
                "chat": {"id": user_id, "type": "private", "first_name": "A"},
            }})
        });
    }

    /// Delivers an update, which is built from its number.
    pub(crate) fn bring(&self, update: impl FnOnce(usize) -> Value) {
        let mut state = self.state.lock().unwrap();
        let number = state.updates.len() + 1;
        let mut update = update(number);
        update["update_id"] = json!(number);
        state.updates.push(update);
        drop(state);
        self.changed.notify_waiters();
    }

    /// Somebody taps a button of a message in the staff channel.
    pub(crate) fn tap_in_channel(&self, user_id: i64, post: (&str, i64), data: &str) {
        self.tap_on_post_of(1_763_881_506, user_id, post, data);
    }

    /// The same on a post that is too old for Telegram to say more of it than where it is.
    pub(crate) fn tap_on_old_post(&self, user_id: i64, post: (&str, i64), data: &str) {
        self.tap_on_post_of(0, user_id, post, data);
    }

    fn tap_on_post_of(&self, date: i64, user_id: i64, (chat, message_id): (&str, i64), data: &str) {
        let mut state = self.state.lock().unwrap();
        let update_id = state.updates.len() + 1;
        let chat: i64 = chat.parse().unwrap();
        state.updates.push(json!({
            "update_id": update_id,
            "callback_query": {
                "id": update_id.to_string(), "chat_instance": "1", "data": data,
                "from": {"id": user_id, "is_bot": false, "first_name": "A", "language_code": "en"},
                "message": {
                    "message_id": message_id, "date": date, "text": "…",
                    "chat": {"id": chat, "type": "channel", "title": "Staff"},
                },
            },
        }));
        drop(state);
        self.changed.notify_waiters();
    }

    /// The next edit has to wait so many seconds.
    pub(crate) fn holds_up_an_edit(&self, seconds: u32) {
        self.state.lock().unwrap().edit_waits = Some(seconds);
    }

    /// No edit in this chat is answered from now on.
    pub(crate) fn hangs_at_edits(&self, chat: &str) {
        self.state.lock().unwrap().hanging_edits = Some(chat.to_owned());
    }

    /// The bot was removed from its channel.
    pub(crate) fn forbids_edits(&self) {
        self.state.lock().unwrap().refused_edits = Some(RefusedEdits::All);
    }

    /// Every edit that brings a link is refused.
    pub(crate) fn refuses_links(&self) {
        self.state.lock().unwrap().refused_edits = Some(RefusedEdits::WithLinks);
    }

    /// A message was deleted.
    pub(crate) fn is_gone(&self, message_id: i64) {
        self.state.lock().unwrap().gone.push(message_id);
    }

    pub(crate) fn edited(&self, chat: &str) -> Vec<Edited> {
        let state = self.state.lock().unwrap();
        state.edited.iter().filter(|edited| edited.chat == chat).cloned().collect()
    }

    /// Waits until so many messages of a chat were changed.
    pub(crate) async fn until_edited(&self, chat: &str, count: usize) -> Vec<Edited> {
        self.until_there_is(|telegram| Some(telegram.edited(chat)).filter(|edited| edited.len() >= count))
            .await
    }

    /// Waits until a message of a chat was changed to one with this text in it.
    pub(crate) async fn until_edited_to(&self, chat: &str, text: &str) {
        let is_there = |telegram: &Self| telegram.edited(chat).iter().any(|edit| edit.text.contains(text));
        self.until_there_is(|telegram| is_there(telegram).then_some(())).await;
    }

    /// Waits until so many taps were answered.
    pub(crate) async fn until_toasts(&self, count: usize) -> Vec<String> {
        let toasts = |telegram: &Self| telegram.state.lock().unwrap().toasts.clone();
        self.until_there_is(|telegram| Some(toasts(telegram)).filter(|toasts| toasts.len() >= count)).await
    }

    /// Waits until a method was called.
    pub(crate) async fn until_called(&self, method: &str) {
        let is_called = |telegram: &Self| {
            telegram.state.lock().unwrap().calls.iter().any(|(called, _)| called == method).then_some(())
        };
        self.until_there_is(is_called).await;
    }

    async fn until_there_is<T>(&self, find: impl Fn(&Self) -> Option<T>) -> T {
        let wait = async {
            loop {
                let changed = self.changed.notified();
                if let Some(found) = find(self) {
                    return found;
                }
                changed.await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), wait).await.unwrap()
    }

    /// Every call but polls, in its order.
    pub(crate) fn calls(&self) -> Vec<(String, Value)> {
        self.state.lock().unwrap().calls.clone()
    }

    /// How many updates there were.
    pub(crate) fn brought(&self) -> usize {
        self.state.lock().unwrap().updates.len()
    }

    /// Everything that was sent to a chat, shown or not.
    pub(crate) fn arrived(&self, chat: &str) -> Vec<Arrived> {
        let state = self.state.lock().unwrap();
        state.arrived.iter().filter(|message| message.chat == chat).cloned().collect()
    }

    /// What a chat shows.
    pub(crate) fn shown(&self, chat: &str) -> Vec<String> {
        self.arrived(chat).into_iter().filter(|message| message.shown).map(|message| message.text).collect()
    }

    /// Waits until something holds of a chat's messages.
    pub(crate) async fn until(&self, chat: &str, holds: impl Fn(&[Arrived]) -> bool) -> Vec<Arrived> {
        let wait = async {
            loop {
                let changed = self.changed.notified();
                let arrived = self.arrived(chat);
                if holds(&arrived) {
                    return arrived;
                }
                changed.await;
            }
        };
        let Ok(arrived) = tokio::time::timeout(Duration::from_secs(30), wait).await else {
            panic!("chat {chat} has only {:?}", self.arrived(chat))
        };
        arrived
    }
}

fn shown_message(number: i64, chat: Option<i64>) -> Value {
    json!({
        "message_id": number, "date": 1_763_881_506, "text": "…",
        "chat": {"id": chat.unwrap_or(-1), "type": "private", "first_name": "A"},
    })
}

fn ok(result: &Value) -> (u16, Value) {
    (200, json!({"ok": true, "result": result}))
}
