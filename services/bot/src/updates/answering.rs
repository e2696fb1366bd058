//! The work for one update.

use std::sync::Arc;

use teloxide::types::{Update, UpdateKind};
use tolov_domain::UserId;
use tolov_kit::spans::{Beginning, Kind, Span};

use crate::{
    conversation::{
        answer::answer,
        schema::{Tree, schema},
        screen::Screen,
    },
    deps::HandlerDeps,
    texts::{l, t},
};

/// The work of the queues. A trait, so that they can be tested without Telegram.
pub(crate) trait Work: Send + Sync + 'static {
    fn answer(&self, update: Update) -> impl Future<Output = ()> + Send;

    /// Answers a tap that needs no work.
    fn end_tap(&self, update: &Update) -> impl Future<Output = ()> + Send;

    /// The update could not be handled, and is given up.
    fn apologise(&self, update: &Update) -> impl Future<Output = ()> + Send;

    /// Tells the user to slow down.
    fn slow_down(&self, person_id: i64) -> impl Future<Output = ()> + Send;
}

/// The work of the bot.
pub(crate) struct Answering {
    tree: Tree,
    deps: Arc<HandlerDeps>,
}

impl Answering {
    pub(crate) fn new(deps: Arc<HandlerDeps>) -> Self {
        Self { tree: schema(), deps }
    }
}

impl Work for Answering {
    async fn answer(&self, update: Update) {
        // A purchase's trace begins here.
        let span = Span::begin(Kind::Consumer, None, || beginning(&update));
        // On the heap: the future of all handlers is too large for a stack.
        span.run(Box::pin(answer(&self.tree, &self.deps, update))).await;
    }

    async fn end_tap(&self, update: &Update) {
        if let UpdateKind::CallbackQuery(query) = &update.kind {
            self.deps.telegram.answer_callback(query.id.clone(), None, false).await;
        }
    }

    async fn apologise(&self, update: &Update) {
        let Some(id) = update.from().and_then(|user| user_id(i64::try_from(user.id.0).ok()?)) else { return };
        let language = self.deps.language_of(id).await;
        if let UpdateKind::CallbackQuery(query) = &update.kind {
            let text = Some(l!(language, "try-later"));
            self.deps.telegram.answer_callback(query.id.clone(), text, true).await;
        } else if let UpdateKind::Message(message) = &update.kind
            && message.chat.is_private()
        {
            self.deps.send_to(id, &Screen::new(t!(language, "try-later"))).await.ok();
        }
    }

    async fn slow_down(&self, person_id: i64) {
        let Some(id) = user_id(person_id) else { return };
        let text = t!(self.deps.language_of(id).await, "slow-down");
        self.deps.send_to(id, &Screen::new(text)).await.ok();
    }
}

/// What people write is no part of it, nor is what a button says.
fn beginning(update: &Update) -> Beginning {
    let name = if matches!(update.kind, UpdateKind::CallbackQuery(_)) {
        "tap"
    } else if matches!(update.kind, UpdateKind::Message(_)) {
        "message"
    } else {
        "update"
    };
    Beginning::of(name)
        .with("messaging.system", "telegram")
        .with("messaging.operation.name", "process")
        .with("messaging.operation.type", "process")
        .with("messaging.message.id", update.id.0.to_string())
}

fn user_id(id: i64) -> Option<UserId> {
    UserId::try_new(id).ok()
}
