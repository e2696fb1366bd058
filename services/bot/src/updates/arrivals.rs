//! Updates that have arrived, by a poll or at the webhook: each is stored, or answered at once where nobody waits for a late answer.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::Value;
use teloxide::{
    types::{MessageKind, Update, UpdateKind},
    utils::command::BotCommands,
};
use tokio::{task::JoinSet, time::timeout};
use tolov_domain::{Language, ports::PortError};

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
    texts::{l, t},
    updates::{answering::Work, inbox::Stored, user_queues::UserQueues},
};

/// The kinds of updates that the bot receives.
pub(super) const ALLOWED: [&str; 6] =
    ["message", "edited_message", "callback_query", "inline_query", "my_chat_member", "pre_checkout_query"];
/// Inline queries that are answered at the same time. Others are not answered: the next letter asks again.
const INLINE_MAX: usize = 32;
/// Questions whether an invoice may be paid that are answered at the same time. Of others nothing is paid.
const CHECKOUTS_MAX: usize = 32;
/// Nobody looks at the results of an inline query after that.
const INLINE_ANSWER_MAX: Duration = Duration::from_secs(10);

pub(super) struct Arrivals<W> {
    deps: Arc<HandlerDeps>,
    pub(super) queues: Arc<UserQueues<W>>,
    inline: Mutex<JoinSet<()>>,
    checkouts: Mutex<JoinSet<()>>,
}

/// An update and its sender.
struct Arrived {
    id: i64,
    person_id: i64,
    json: String,
    update: Update,
}

impl<W: Work> Arrivals<W> {
    pub(super) fn new(deps: Arc<HandlerDeps>, queues: Arc<UserQueues<W>>) -> Self {
        Self { deps, queues, inline: Mutex::default(), checkouts: Mutex::default() }
    }

    /// Stores what came, or answers it. `Ok`: Telegram need not deliver it again.
    pub(super) async fn store(&self, id: i64, raw: &Value) -> Result<(), PortError> {
        if raw.get("pre_checkout_query").is_some() {
            return Ok(());
        }
        if let Some(told) = payments::in_update(raw, self.deps.now()) {
            return self.store_payment(id, told).await;
        }
        let Some(arrived) = read(id, raw.to_string()) else {
            tracing::error!(update.id = id, "an update cannot be read; it is skipped");
            return Ok(());
        };
        if is_of_a_group(&arrived.update) {
            self.point_to_the_shop(&arrived);
            return Ok(());
        }
        if matches!(arrived.update.kind, UpdateKind::InlineQuery(_)) {
            self.answer_now(arrived);
            return Ok(());
        }
        let Arrived { id, person_id, json, .. } = arrived;
        let is_throttled = self.queues.throttle.is_throttled(person_id);
        let mut reserved = if is_throttled { None } else { self.queues.reserve(person_id) };
        let stored = self.queues.inbox.store(id, person_id, json, reserved.is_some()).await?;
        // Only here: a poll that brings nothing to store says nothing about the store.
        self.queues.store.mark_up();
        if stored.is_new() {
            self.queues.throttle.record_arrival(person_id);
        }
        match (&mut reserved, stored) {
            (Some(reserved), Stored::Claimed(own)) => reserved.own = Some(own),
            (Some(_), _) => {}
            (None, _) => self.queues.wake(person_id),
        }
        Ok(())
    }

    /// Tells Telegram of the bot's commands, in the background: nobody waits for the list.
    pub(super) fn announce_commands(&self) {
        let deps = Arc::clone(&self.deps);
        running(&self.inline).spawn(async move { announce_commands(&deps).await });
    }

    /// Before anything is stored: Telegram waits 10 seconds, whether the store answers or not.
    pub(super) fn answer_checkout(&self, asked: PreCheckout) {
        let mut checkouts = running(&self.checkouts);
        if checkouts.len() < CHECKOUTS_MAX {
            checkouts.spawn(asked.answer(Arc::clone(&self.deps)));
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
    fn answer_now(&self, arrived: Arrived) {
        let mut inline = running(&self.inline);
        // Each letter is a query, so they do not count as a flood.
        if inline.len() >= INLINE_MAX || self.queues.throttle.is_throttled(arrived.person_id) {
            return;
        }
        let work = Arc::clone(&self.queues.work);
        inline.spawn(async move {
            timeout(INLINE_ANSWER_MAX, work.answer(arrived.update)).await.ok();
        });
    }

    /// /start in a group is answered with a link to the bot. Best effort.
    fn point_to_the_shop(&self, arrived: &Arrived) {
        let UpdateKind::Message(message) = &arrived.update.kind else { return };
        let command = message.text().and_then(|text| Command::parse(text, self.deps.username()).ok());
        let mut inline = running(&self.inline);
        if !matches!(command, Some(Command::Start(_)))
            || inline.len() >= INLINE_MAX
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
        inline.spawn(async move {
            if let Err(error) = deps.telegram.show_new(chat, &screen).await {
                tracing::debug!(%error, "/start in a group could not be answered");
            }
        });
    }
}

/// Those that run still.
fn running(tasks: &Mutex<JoinSet<()>>) -> MutexGuard<'_, JoinSet<()>> {
    let mut tasks = tasks.lock().unwrap_or_else(PoisonError::into_inner);
    while tasks.try_join_next().is_some() {}
    tasks
}

/// Messages in groups and channels are not for the bot: its members write to each other there.
fn is_of_a_group(update: &Update) -> bool {
    matches!(&update.kind, UpdateKind::Message(message) | UpdateKind::EditedMessage(message) if !message.chat.is_private())
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
