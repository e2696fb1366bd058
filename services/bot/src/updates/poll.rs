//! Long polling for updates; an outage of Telegram at the start or later is waited out.

use std::{sync::Arc, time::Duration};

use serde::Serialize;
use serde_json::Value;
use teloxide::{
    ApiError, Bot, RequestError,
    requests::{JsonRequest, Payload, Request, Requester},
    types::{MessageKind, Update, UpdateKind},
    utils::command::BotCommands,
};
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};
use tolov_domain::{Language, ports::PortError};
use tolov_kit::{
    lifecycle::{Stop, pause},
    retry::Pauses,
};

use crate::{
    conversation::{
        command::Command,
        screen::{Button, Screen},
    },
    deps::HandlerDeps,
    invoices::{
        checkout::PreCheckout,
        payments::{self, Told},
    },
    shopper::help::announce_commands,
    telegram::{client::POLL, errors::with_causes},
    texts::{l, t},
    updates::{answering::Work, user_queues::UserQueues},
};

/// The kinds of updates that the bot receives.
const ALLOWED: [&str; 6] =
    ["message", "edited_message", "callback_query", "inline_query", "my_chat_member", "pre_checkout_query"];
/// Inline queries that are answered at the same time. Others are not answered: the next letter asks again.
const INLINE_MAX: usize = 32;
/// Questions whether an invoice may be paid that are answered at the same time. Of others nothing is paid.
const CHECKOUTS_MAX: usize = 32;
/// How often it is logged that another process polls.
const LOG_CONFLICT_EVERY: Duration = Duration::from_mins(5);
/// Nobody looks at the results of an inline query after that.
const INLINE_ANSWER_MAX: Duration = Duration::from_secs(10);

/// getUpdates with each update as Telegram's own text, so that one that teloxide cannot read does not affect the others.
#[derive(Debug, Clone, Serialize)]
struct GetUpdates {
    offset: i64,
    timeout: u64,
    allowed_updates: [&'static str; 6],
}

impl Payload for GetUpdates {
    type Output = Vec<Value>;

    const NAME: &'static str = "GetUpdates";

    fn timeout_hint(&self) -> Option<Duration> {
        Some(Duration::from_secs(self.timeout))
    }
}

pub(crate) struct Poll<W> {
    deps: Arc<HandlerDeps>,
    queues: Arc<UserQueues<W>>,
    bot: Bot,
    /// The first update that is not stored yet.
    offset: i64,
    /// Whether the bot knows its name and no webhook is set.
    is_identified: bool,
    /// When it was logged that another process polls.
    conflict_logged_at: Option<Instant>,
    inline: JoinSet<()>,
    checkouts: JoinSet<()>,
    /// The newest of them that was answered: it comes again while the store takes nothing.
    last_checkout: Option<i64>,
}

/// An update and its sender.
struct Arrived {
    id: i64,
    person_id: i64,
    json: String,
    update: Update,
}

impl<W: Work> Poll<W> {
    pub(crate) fn new(deps: Arc<HandlerDeps>, queues: Arc<UserQueues<W>>) -> Self {
        let bot = deps.telegram.listening.clone();
        Self {
            deps,
            queues,
            bot,
            offset: 0,
            is_identified: false,
            conflict_logged_at: None,
            inline: JoinSet::new(),
            checkouts: JoinSet::new(),
            last_checkout: None,
        }
    }

    pub(crate) async fn run(mut self, stop: &Stop) {
        let mut pauses = Pauses::new(Duration::from_secs(1), Duration::from_mins(1));
        loop {
            let rest = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                rest = self.once() => rest,
            };
            match rest {
                Rest::None => pauses.reset(),
                Rest::Usual => {
                    pause(stop, pauses.next_pause()).await;
                }
                Rest::Asked(rest) => {
                    pause(stop, rest).await;
                }
            }
        }
    }

    /// One poll and what it brings. May be dropped at any moment: what is not stored yet comes again.
    async fn once(&mut self) -> Rest {
        let polled = match self.identify().await {
            Ok(()) => self.poll().await,
            Err(error) => Err(error),
        };
        match polled {
            Ok(updates) => {
                self.deps.telegram.polling.mark_up();
                self.answer_checkouts(&updates);
                match self.store(updates).await {
                    Ok(()) => Rest::None,
                    // Telegram still has them.
                    Err(error) => {
                        self.queues.store.mark_down(error);
                        Rest::Usual
                    }
                }
            }
            Err(error) => self.failed(&error),
        }
    }

    /// Asks for the name of the bot, and deletes a webhook, with which Telegram refuses polls.
    async fn identify(&mut self) -> Result<(), RequestError> {
        if self.is_identified {
            return Ok(());
        }
        let me = self.bot.get_me().await?;
        tracing::info!(bot.username = me.username(), "the bot is known to Telegram");
        self.deps.me.set(me).ok();
        let webhook = self.bot.get_webhook_info().await;
        if webhook.is_ok_and(|webhook| webhook.url.is_some()) {
            self.bot.delete_webhook().await?;
            tracing::warn!("a webhook was set for this bot; it is deleted, because the bot polls");
        }
        let deps = Arc::clone(&self.deps);
        // In the background: nobody waits for the list.
        self.inline.spawn(async move { announce_commands(&deps).await });
        self.is_identified = true;
        Ok(())
    }

    async fn poll(&self) -> Result<Vec<Value>, RequestError> {
        let wanted = GetUpdates { offset: self.offset, timeout: POLL.as_secs(), allowed_updates: ALLOWED };
        JsonRequest::new(self.bot.clone(), wanted).send().await
    }

    /// Stores what came, in its order. The offset follows what is stored.
    async fn store(&mut self, updates: Vec<Value>) -> Result<(), PortError> {
        while self.inline.try_join_next().is_some() {}
        if updates.is_empty() {
            // All are confirmed now. After a week without updates Telegram begins with another number, perhaps a smaller
            // one: without an offset the first unconfirmed update comes, whatever its number.
            self.offset = 0;
            self.last_checkout = None;
        }
        for raw in updates {
            let Some(id) = raw.get("update_id").and_then(Value::as_i64) else {
                return Err(PortError::Refused("Telegram sent an update without update_id".to_owned()));
            };
            if raw.get("pre_checkout_query").is_some() {
                self.offset = self.offset.max(id + 1);
                continue;
            }
            if let Some(told) = payments::in_update(&raw, self.deps.now()) {
                self.store_payment(id, told).await?;
                self.offset = self.offset.max(id + 1);
                continue;
            }
            let Some(arrived) = read(id, raw.to_string()) else {
                tracing::error!(update.id = id, "an update cannot be read; it is skipped");
                self.offset = self.offset.max(id + 1);
                continue;
            };
            if is_of_a_group(&arrived.update) {
                self.offset = self.offset.max(arrived.id + 1);
                self.point_to_the_shop(&arrived);
                continue;
            }
            if matches!(arrived.update.kind, UpdateKind::InlineQuery(_)) {
                self.offset = self.offset.max(arrived.id + 1);
                self.answer_now(arrived);
                continue;
            }
            let stored = self.queues.inbox.store(arrived.id, arrived.person_id, arrived.json).await?;
            // Only here: a poll that brings nothing to store says nothing about the store.
            self.queues.store.mark_up();
            if stored.is_applied() {
                self.queues.throttle.record_arrival(arrived.person_id);
            }
            self.offset = self.offset.max(arrived.id + 1);
            self.queues.wake(arrived.person_id);
        }
        Ok(())
    }

    /// Before anything is stored: Telegram waits 10 seconds, whether the store answers or not.
    fn answer_checkouts(&mut self, updates: &[Value]) {
        while self.checkouts.try_join_next().is_some() {}
        for update in updates {
            let id = update.get("update_id").and_then(Value::as_i64);
            let Some(asked) = PreCheckout::in_update(update).filter(|_| id > self.last_checkout) else {
                continue;
            };
            self.last_checkout = id;
            if self.checkouts.len() < CHECKOUTS_MAX {
                self.checkouts.spawn(asked.answer(Arc::clone(&self.deps)));
            }
        }
    }

    /// What was paid is stored before Telegram is told that the update arrived, and recorded in the ledger from there.
    async fn store_payment(&self, update_id: i64, told: Told) -> Result<(), PortError> {
        match told {
            Told::Payment(payment) => {
                payments::store(self.deps.documents(), &payment).await?;
                self.queues.store.mark_up();
                self.deps.payment_came.notify_one();
            }
            Told::Unreadable(reason) => tracing::error!(
                update.id = update_id,
                reason,
                "Telegram tells of a payment that cannot be read; look it up in CLICK's cabinet"
            ),
        }
        Ok(())
    }

    /// Inline queries are not stored: nobody waits for a late answer.
    fn answer_now(&mut self, arrived: Arrived) {
        // Each letter is a query, so they do not count as a flood.
        if self.inline.len() >= INLINE_MAX || self.queues.throttle.is_throttled(arrived.person_id) {
            return;
        }
        let work = Arc::clone(&self.queues.work);
        self.inline.spawn(async move {
            timeout(INLINE_ANSWER_MAX, work.answer(arrived.update)).await.ok();
        });
    }

    /// /start in a group is answered with a link to the bot. Best effort.
    fn point_to_the_shop(&mut self, arrived: &Arrived) {
        let UpdateKind::Message(message) = &arrived.update.kind else { return };
        let command = message.text().and_then(|text| Command::parse(text, self.deps.username()).ok());
        if !matches!(command, Some(Command::Start(_)))
            || self.inline.len() >= INLINE_MAX
            || self.queues.throttle.is_throttled(arrived.person_id)
        {
            return;
        }
        self.queues.throttle.record_arrival(arrived.person_id);
        let tag = message.from.as_ref().and_then(|user| user.language_code.as_deref());
        let language = tag.and_then(Language::from_tag).unwrap_or_default();
        let Ok(url) = format!("https://t.me/{}", self.deps.username()).parse() else { return };
        let screen = Screen::new(t!(language, "group-start"))
            .row([Button::Link { label: l!(language, "inline-open-shop"), url }]);
        let (deps, chat) = (Arc::clone(&self.deps), message.chat.id);
        self.inline.spawn(async move {
            if let Err(error) = deps.telegram.show_new(chat, &screen).await {
                tracing::debug!(%error, "/start in a group could not be answered");
            }
        });
    }

    fn failed(&mut self, error: &RequestError) -> Rest {
        if let RequestError::RetryAfter(wait) = error {
            return Rest::Asked(wait.duration());
        }
        if let RequestError::Api(conflict) = error
            && is_conflict(conflict)
        {
            // Of two pollers, each fails in turn.
            if self.conflict_logged_at.is_none_or(|at| at.elapsed() > LOG_CONFLICT_EVERY) {
                self.conflict_logged_at = Some(Instant::now());
                tracing::warn!(
                    error = %conflict,
                    "another process takes this bot's updates: stop it, or give it a bot of its own; trying again"
                );
            }
            // A webhook may have been set.
            self.is_identified = false;
        } else {
            self.deps.telegram.polling.mark_down(reason(error));
        }
        Rest::Usual
    }
}

/// How long to wait before the next poll.
enum Rest {
    None,
    Usual,
    Asked(Duration),
}

/// Messages in groups and channels are not for the bot: its members write to each other there.
fn is_of_a_group(update: &Update) -> bool {
    matches!(&update.kind, UpdateKind::Message(message) | UpdateKind::EditedMessage(message) if !message.chat.is_private())
}

fn is_conflict(error: &ApiError) -> bool {
    matches!(error, ApiError::TerminatedByOtherGetUpdates | ApiError::CantGetUpdates)
        || matches!(error, ApiError::Unknown(text) if text.to_ascii_lowercase().starts_with("conflict"))
}

fn reason(error: &RequestError) -> String {
    if let RequestError::Network(error) = error {
        with_causes(&**error)
    } else if let RequestError::Api(ApiError::InvalidToken) = error {
        "the token is refused: correct BOT_TOKEN, or the address of the Bot API".to_owned()
    } else if let RequestError::InvalidJson { source, .. } = error {
        // The answer itself is left out: it may be a proxy's page, of any length.
        format!("the answer is not Telegram's: {source}")
    } else {
        error.to_string()
    }
}

/// teloxide reads no content of a message that has an entity of a kind newer than itself. Entities are decoration, so where it
/// finds nothing to read, they are left out.
pub(super) fn update_of(json: &str) -> Option<Update> {
    // teloxide does not read updates from JSON values.
    let update: Update = serde_json::from_str(json).ok()?;
    let is_unread = if let UpdateKind::Message(message) | UpdateKind::EditedMessage(message) = &update.kind {
        matches!(message.kind, MessageKind::Empty {})
    } else {
        matches!(update.kind, UpdateKind::Error(_))
    };
    if !is_unread {
        return Some(update);
    }
    let mut plain: Value = serde_json::from_str(json).ok()?;
    remove_entities(&mut plain);
    serde_json::from_str(&plain.to_string()).ok()
}

fn remove_entities(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for name in ["entities", "caption_entities"] {
                fields.remove(name);
            }
            fields.values_mut().for_each(remove_entities);
        }
        Value::Array(values) => values.iter_mut().for_each(remove_entities),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn read(id: i64, json: String) -> Option<Arrived> {
    let update = update_of(&json)?;
    let user = update.from().and_then(|user| i64::try_from(user.id.0).ok());
    let person_id = user.or_else(|| update.chat().map(|chat| chat.id.0)).unwrap_or_default();
    Some(Arrived { id, person_id, json, update })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text_of(message: &Value) -> Option<String> {
        let chat = json!({"id": 5, "type": "private", "first_name": "Ali"});
        let from = json!({"id": 5, "is_bot": false, "first_name": "Ali"});
        let mut body = json!({"message_id": 1, "date": 1_763_881_506, "chat": chat, "from": from});
        body.as_object_mut().unwrap().extend(message.as_object().unwrap().clone());
        let update = update_of(&json!({"update_id": 1, "message": body}).to_string())?;
        let UpdateKind::Message(message) = update.kind else { return None };
        message.text().or(message.caption()).map(str::to_owned)
    }

    #[test]
    fn an_update_of_any_bytes_is_read_or_left_out() {
        tolov_contract::fuzzing::fuzz_some("update", 5_000, |json| {
            let Ok(json) = std::str::from_utf8(json) else { return };
            if let Some(arrived) = read(9, json.to_owned()) {
                assert!(!is_of_a_group(&arrived.update) || arrived.update.chat().is_some());
            }
        });
    }

    #[test]
    fn a_text_is_read_whatever_kinds_of_entities_telegram_adds() {
        let date = json!([{
            "type": "date_time", "offset": 7, "length": 5, "unix_time": 1_795_975_200, "date_time_format": "t",
        }]);
        let text = json!({"text": "ertaga 18:00 da", "entities": date});
        assert_eq!(text_of(&text).as_deref(), Some("ertaga 18:00 da"));
        let size = json!({"file_id": "p", "file_unique_id": "u", "width": 9, "height": 9, "file_size": 9});
        let photo = json!({"photo": [size], "caption": "18:00", "caption_entities": date});
        assert_eq!(text_of(&photo).as_deref(), Some("18:00"));
    }
}
