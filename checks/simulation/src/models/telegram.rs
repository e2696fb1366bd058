//! A model of Telegram that knows which notification each message is, and notices one that is sent without need.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tolov_bot::{BotApi, BotApiAnswer};
use tolov_domain::{EventId, OrderId, UserId};

use crate::{
    faults::{Faults, Part, Process},
    store::MemoryStore,
};

pub(crate) const STAFF_CHANNEL: &str = "-1001000000001";

pub(crate) struct Telegram {
    state: Mutex<State>,
    log: MemoryStore,
    faults: Faults,
}

#[derive(Debug, Default)]
struct State {
    last_message_id: i32,
    /// What the next post to staff tells of.
    staff_claim: Vec<EventId>,
    sent: BTreeMap<EventId, Sent>,
    /// What staff have read.
    posts: Vec<String>,
    blocked_by: BTreeSet<UserId>,
    complaints: Vec<String>,
}

#[derive(Debug, Default)]
struct Sent {
    times: u32,
    /// The bot knows that it was sent, and has had no failure since by which it could have forgotten it.
    is_known: bool,
}

impl fmt::Debug for Telegram {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Telegram").finish_non_exhaustive()
    }
}

impl Telegram {
    pub(crate) fn new(log: MemoryStore, faults: Faults) -> Self {
        Self { state: Mutex::default(), log, faults }
    }

    pub(crate) fn claimed(&self, ids: Vec<EventId>) {
        if ids.first().is_some_and(|id| id.as_str().ends_with("/staff")) {
            self.state().staff_claim = ids;
        }
    }

    /// The bot could not record that these were sent.
    pub(crate) fn not_recorded<'a>(&self, ids: impl Iterator<Item = &'a EventId>) {
        let mut state = self.state();
        for id in ids {
            state.sent.entry(id.clone()).or_default().is_known = false;
        }
    }

    pub(crate) fn bot_died(&self) {
        let mut state = self.state();
        state.staff_claim.clear();
        state.sent.values_mut().for_each(|sent| sent.is_known = false);
    }

    pub(crate) fn block(&self, user_id: UserId) {
        self.state().blocked_by.insert(user_id);
    }

    /// How often a notification was sent.
    pub(crate) fn times_sent(&self, id: &EventId) -> u32 {
        self.state().sent.get(id).map_or(0, |sent| sent.times)
    }

    /// Whether a post to staff names all of these numbers.
    pub(crate) fn staff_know(&self, numbers: &[i64]) -> bool {
        let names = |post: &String| numbers.iter().all(|number| post.contains(&number.to_string()));
        self.state().posts.iter().any(names)
    }

    pub(crate) fn complaints(&self) -> Vec<String> {
        self.state().complaints.clone()
    }

    fn accept(&self, chat: &str, html: &str) {
        let mut told = self.told(chat, html);
        told.sort();
        let outcomes = self.log.all_outcomes();
        let mut state = self.state();
        if chat == STAFF_CHANNEL {
            state.posts.push(html.to_owned());
        }
        for id in told {
            let sent = state.sent.entry(id.clone()).or_default();
            sent.times += 1;
            let (is_known, times) = (sent.is_known, sent.times);
            if outcomes.contains_key(&id) {
                state.complaints.push(format!("{id} was sent although it was recorded as sent"));
            } else if is_known {
                state.complaints.push(format!("{id} was sent {times} times although the outcome was known"));
            }
        }
    }

    fn told(&self, chat: &str, html: &str) -> Vec<EventId> {
        if chat == STAFF_CHANNEL {
            // The own post of an order that a digest told of is no notification, and names none that is claimed.
            let claim = self.state().staff_claim.clone();
            // Nor is it a refund's or a question's, which has a post besides.
            let is_orders = html.starts_with("🛒 <b>№");
            let is_named = |id: &EventId| {
                let names = id.as_str().split([':', '/']).nth(1).is_none_or(|it| html.contains(it));
                names && (!is_orders || id.as_str().starts_with("payment.completed:"))
            };
            return if claim.iter().any(is_named) { claim } else { Vec::new() };
        }
        // Which of an order's refunds a text tells of, it does not say.
        if html.starts_with('↩') {
            return Vec::new();
        }
        let number = html.split('№').nth(1).map(|rest| rest.split(|it: char| !it.is_ascii_digit()).next());
        let Some(order_id) = number.flatten().and_then(|number| OrderId::parse(number).ok()) else {
            return Vec::new();
        };
        let event = if html.starts_with('✅') { "payment.completed" } else { "order.expired" };
        vec![EventId::new(format!("{event}:{order_id}/shopper"))]
    }

    fn answered(&self, chat: &str, html: &str) -> BotApiAnswer {
        let told = self.told(chat, html);
        let mut state = self.state();
        if chat == STAFF_CHANNEL && !told.is_empty() {
            state.staff_claim.clear();
        }
        for id in told {
            state.sent.entry(id).or_default().is_known = true;
        }
        state.last_message_id += 1;
        BotApiAnswer::Sent { message_id: state.last_message_id }
    }

    /// An answer without effect, where there is one.
    async fn refusal(&self, chat: &str) -> Option<BotApiAnswer> {
        if self.faults.before(Process::Bot, Part::Telegram).await.is_err() {
            let kind = self.faults.draw(|random, _| random.below(4));
            return Some(match kind {
                0 => BotApiAnswer::Wait(Duration::from_secs(7)),
                1 => BotApiAnswer::Lost,
                _ => BotApiAnswer::Failed,
            });
        }
        let user_id = chat.parse().ok().and_then(|id: i64| UserId::try_new(id).ok());
        let is_blocked = user_id.is_some_and(|id| self.state().blocked_by.contains(&id));
        is_blocked.then_some(BotApiAnswer::Blocked)
    }

    async fn take_time(&self) {
        let milliseconds = self.faults.draw(|random, _| random.below(2_000));
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl BotApi for Telegram {
    async fn send(&self, chat: &str, html: &str) -> BotApiAnswer {
        if let Some(refusal) = self.refusal(chat).await {
            return refusal;
        }
        self.accept(chat, html);
        self.take_time().await;
        match self.faults.after(Process::Bot).await {
            Ok(()) => self.answered(chat, html),
            Err(_) => BotApiAnswer::Lost,
        }
    }

    async fn show(&self, chat: &str, _: &str) -> BotApiAnswer {
        if let Some(refusal) = self.refusal(chat).await {
            return refusal;
        }
        self.take_time().await;
        let mut state = self.state();
        state.last_message_id += 1;
        BotApiAnswer::Sent { message_id: state.last_message_id }
    }
}
