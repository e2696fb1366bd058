//! Somebody with Telegram in the hand.

use std::{
    cell::{Cell, RefCell},
    time::{Duration, Instant},
};

use base64::Engine as _;
use serde_json::{Value, json};

use super::{
    labels::label,
    transcript::Act,
    world::{CHANNEL, PATIENCE, World},
};
use crate::shop_world::{STAFF_CHANNEL, eventually};

/// A person who reads does about two things a second in the long run; who does more is slowed down by the bot.
const READING: Duration = Duration::from_millis(510);
/// So many quick taps are no flood.
const QUICK_DEEDS: u32 = 17;

pub(crate) struct Person<'w> {
    world: &'w World,
    pub(crate) id: i64,
    name: String,
    /// In which this person reads the bot.
    language: RefCell<String>,
    /// What was there before the last deed.
    revision: Cell<u64>,
    /// What the bot answered to the last tap.
    heard: RefCell<Option<String>>,
    /// How often this person has tapped: START, buttons, the link to CLICK's page.
    taps: Cell<u32>,
    /// When all deeds would have been done at a reader's pace.
    evenly: Cell<Instant>,
}

impl<'w> Person<'w> {
    pub(crate) fn new(world: &'w World, id: i64, name: &str, language: &str) -> Self {
        Self {
            world,
            id,
            name: name.to_owned(),
            language: RefCell::new(language.to_owned()),
            revision: Cell::new(0),
            heard: RefCell::default(),
            taps: Cell::new(0),
            evenly: Cell::new(Instant::now()),
        }
    }

    /// The bot's words for something, in this person's language.
    pub(crate) fn words(&self, key: &str) -> String {
        label(&self.language.borrow(), key)
    }

    /// From now on the bot speaks another language to this person.
    pub(crate) fn reads_in(&self, language: &str) {
        language.clone_into(&mut self.language.borrow_mut());
    }

    /// As the bot spells the number of this person's contact.
    pub(crate) fn own_number(&self) -> String {
        let digits = format!("{:07}", self.id % 10_000_000);
        format!("90 {} {} {}", &digits[..3], &digits[3..5], &digits[5..])
    }

    /// How often this person has tapped since this was asked last.
    pub(crate) fn taps_taken(&self) -> u32 {
        self.taps.take()
    }

    fn count_tap(&self) {
        self.taps.set(self.taps.get() + 1);
    }

    /// Writes, and waits until the bot is done with it.
    pub(crate) async fn says(&self, text: &str) {
        self.says_unheard(text).await;
        self.is_answered().await;
    }

    /// Writes, and does not wait.
    pub(crate) async fn says_unheard(&self, text: &str) {
        self.begins().await;
        if text.starts_with("/start") {
            self.count_tap();
        }
        self.world.post(&format!("telegram/shoppers/{}/text", self.id), &json!({ "text": text })).await;
    }

    /// Replies to the newest message that shows a text, and waits until the bot is done with it.
    pub(crate) async fn replies(&self, to: &str, text: &str) {
        self.begins().await;
        let found = self.world.shown(self.id, &self.name, to, 0).await;
        let body = json!({ "text": text, "reply_to_message_id": found["message_id"] });
        self.world.post(&format!("telegram/shoppers/{}/text", self.id), &body).await;
        self.is_answered().await;
    }

    pub(crate) async fn shares_contact(&self) {
        self.does("contact", json!({})).await;
    }

    pub(crate) async fn shares_contact_of(&self, other: &Person<'_>, phone_number: &str) {
        let contact = json!({ "phone_number": phone_number, "first_name": other.name, "user_id": other.id });
        self.does("contact", contact).await;
    }

    pub(crate) async fn shares_location(&self) {
        self.does("location", json!({ "latitude": 41.311_081, "longitude": 69.240_562 })).await;
    }

    pub(crate) async fn blocks_the_bot(&self) {
        self.does("block", json!({})).await;
    }

    pub(crate) async fn lets_the_bot_in_again(&self) {
        self.does("unblock", json!({})).await;
    }

    async fn does(&self, what: &str, body: Value) {
        self.begins().await;
        self.world.post(&format!("telegram/shoppers/{}/{what}", self.id), &body).await;
        self.is_answered().await;
    }

    /// Types `@the_bot query` in some chat, and sees what it offers there.
    pub(crate) async fn asks_inline(&self, query: &str) -> Value {
        self.begins().await;
        let knob = format!("telegram/shoppers/{}/inline_query", self.id);
        let asked = self.world.post(&knob, &json!({ "query": query })).await;
        let id = asked["inline_query_id"].as_str().unwrap();
        let timeout = PATIENCE.as_millis();
        let answer =
            self.world.get(&format!("telegram/inline_queries/{id}/answer?timeout_ms={timeout}")).await;
        self.world.with_transcript(|transcript| transcript.inline(&self.name, query, &answer));
        answer
    }

    pub(crate) async fn sends_photo(&self, photo: Vec<u8>, caption: &str) {
        self.sends_file("photo", json!({ "caption": caption }), &photo).await;
    }

    pub(crate) async fn sends_document(&self, file_name: &str, content: Vec<u8>) {
        self.sends_file("document", json!({ "file_name": file_name }), &content).await;
    }

    async fn sends_file(&self, kind: &str, mut body: Value, content: &[u8]) {
        self.begins().await;
        body["content_base64"] = base64::engine::general_purpose::STANDARD.encode(content).into();
        self.world.post(&format!("telegram/shoppers/{}/{kind}", self.id), &body).await;
        self.is_answered().await;
    }

    /// Taps the newest button with this text, or with it as a part.
    pub(crate) async fn taps(&self, text: &str) {
        let tapped = self.taps_unheard(text).await;
        self.is_done(self.id, tapped).await;
    }

    /// Taps the button that says what a key of the language files says.
    pub(crate) async fn taps_on(&self, key: &str) {
        self.taps(&self.words(key)).await;
    }

    /// Taps, and does not wait.
    pub(crate) async fn taps_unheard(&self, text: &str) -> Value {
        self.begins().await;
        self.count_tap();
        self.world.post(&format!("telegram/shoppers/{}/tap", self.id), &json!({ "text": text })).await
    }

    /// Taps a button under the newest post of the staff channel that has a text in it.
    pub(crate) async fn taps_in_channel(&self, post: &str, button: &str) {
        self.begins().await;
        let found = self.world.shown(STAFF_CHANNEL, CHANNEL, post, 0).await;
        self.world.take_down(STAFF_CHANNEL, CHANNEL).await;
        let body = json!({ "shopper_id": self.id, "text": button, "message_id": found["message_id"] });
        let tapped = self.world.post(&format!("telegram/channels/{STAFF_CHANNEL}/tap"), &body).await;
        self.is_done(STAFF_CHANNEL, tapped).await;
    }

    /// Waits until the bot shows a text, in a message that is newer than this person's last deed.
    pub(crate) async fn sees(&self, text: &str) {
        self.world.shown(self.id, &self.name, text, self.revision.get()).await;
        self.world.take_down(self.id, &self.title()).await;
    }

    /// Writes, and waits for the menu alone, which replaces the one before: others may keep the bot busy.
    pub(crate) async fn says_and_sees(&self, text: &str, key: &str) {
        self.says_unheard(text).await;
        let button = self.words(key);
        self.sees_button(&button).await;
        eventually("the menu before is gone", PATIENCE, || async {
            self.screen().await.matches(&button).count() == 1
        })
        .await;
        self.world.take_down(self.id, &self.title()).await;
    }

    /// Waits until a button with this text is shown in a message that is newer than the last deed.
    pub(crate) async fn sees_button(&self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let knob = format!("telegram/chats/{}/messages?after_revision={}", self.id, self.revision.get());
            if self.world.get(&knob).await.to_string().contains(text) {
                return self.world.take_down(self.id, &self.title()).await;
            }
            if Instant::now() > deadline {
                self.world.fails(&format!("{} sees no button {text:?}", self.name));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Writes without a pause, and does not read.
    pub(crate) async fn floods(&self, count: u32) {
        self.world.meanwhile(&format!("{} writes {count} times in a row", self.name));
        for number in 0..count {
            let body = json!({ "text": format!("salom {number}") });
            self.world.post(&format!("telegram/shoppers/{}/text", self.id), &body).await;
        }
    }

    pub(crate) async fn sees_text(&self, key: &str) {
        self.sees(&self.words(key)).await;
    }

    /// What the bot shows now: texts and labels of all messages that are there, oldest first.
    pub(crate) async fn screen(&self) -> String {
        let log = self.world.get(&format!("telegram/chats/{}/messages", self.id)).await;
        let is_shown = |message: &&Value| message["from"] == "bot" && message["deleted_at_ms"].is_null();
        let words = |message: &Value| {
            format!("{}\n{}", message["text"].as_str().unwrap_or_default(), message["reply_markup"])
        };
        let shown: Vec<String> = log.as_array().unwrap().iter().filter(is_shown).map(words).collect();
        shown.join("\n")
    }

    /// Checks what the bot answered to the last tap, above the chat.
    pub(crate) fn hears(&self, text: &str) {
        let heard = self.heard.borrow();
        if !heard.as_deref().is_some_and(|heard| heard.contains(text)) {
            self.world.fails(&format!("{} should hear {text:?} and heard {heard:?}", self.name));
        }
    }

    pub(crate) fn hears_text(&self, key: &str) {
        self.hears(&self.words(key));
    }

    /// Follows the newest pay link that the bot shows, to the end. Returns CLICK's record.
    pub(crate) async fn pays(&self) -> Value {
        let link = self.pay_link().await;
        self.follows(&link).await
    }

    /// Follows a pay link to the end, an old one perhaps.
    pub(crate) async fn follows(&self, link: &str) -> Value {
        self.begins().await;
        self.count_tap();
        let payment = self.world.post("click/pay", &json!({ "link": link })).await;
        self.world.with_transcript(|transcript| transcript.payment(&self.name, &payment));
        payment
    }

    pub(crate) async fn pay_link(&self) -> String {
        let log = self.world.get(&format!("telegram/chats/{}/messages", self.id)).await;
        let is_shown = |message: &&Value| message["deleted_at_ms"].is_null();
        let links = log.as_array().unwrap().iter().rev().filter(is_shown).flat_map(|message| {
            let rows = message["reply_markup"]["inline_keyboard"].as_array().cloned().unwrap_or_default();
            rows.into_iter().flat_map(|row| row.as_array().cloned().unwrap_or_default())
        });
        let mut links = links.filter_map(|button| button["url"].as_str().map(str::to_owned));
        let link = links.find(|link| link.contains("/services/pay"));
        link.unwrap_or_else(|| self.world.fails(&format!("{} sees no button to pay", self.name)))
    }

    pub(crate) fn title(&self) -> String {
        self.name.clone()
    }

    /// Reads what is there before doing something.
    async fn begins(&self) {
        let now = Instant::now();
        self.evenly.set(self.evenly.get().max(now) + READING);
        let too_quick = self.evenly.get().saturating_duration_since(now + READING * QUICK_DEEDS);
        tokio::time::sleep(too_quick).await;
        self.world.take_down(self.id, &self.title()).await;
        let revision = self.world.get("telegram/revision").await;
        self.revision.set(revision["revision"].as_u64().unwrap());
    }

    pub(crate) async fn is_answered(&self) {
        self.world.settle().await;
        self.world.take_down(self.id, &self.title()).await;
    }

    /// Waits until the bot is done with a tap.
    pub(crate) async fn is_done(&self, chat_id: i64, tapped: Value) {
        let Some(query) = tapped["callback_query_id"].as_str() else {
            return self.is_answered().await;
        };
        let answer = format!("telegram/taps/{query}/answer?timeout_ms={}", PATIENCE.as_millis());
        let answer = self.world.get(&answer).await;
        self.world.settle().await;
        *self.heard.borrow_mut() = answer["text"].as_str().map(str::to_owned);
        let tap = self.world.get("telegram/taps").await;
        let tap = tap.as_array().unwrap().iter().rev().find(|tap| tap["id"] == query).cloned().unwrap();
        let title = if chat_id == self.id { self.title() } else { CHANNEL.to_owned() };
        let act = Act { who: self.name.clone(), tap };
        self.world.with_transcript(|transcript| transcript.tap(chat_id, &title, &act));
        self.world.take_down(chat_id, &title).await;
    }
}
