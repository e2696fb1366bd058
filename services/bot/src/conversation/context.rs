//! Who an update is from, what is known of them, and the ways to answer.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use teloxide::types::{CallbackQueryId, ChatId, MaybeInaccessibleMessage, Message, ReplyMarkup, User};
use tolov_domain::{
    Language, UserId,
    ports::{PortError, documents::Documents, shop::ShopStore},
    time::Timestamp,
};
use tolov_shop::{
    profile,
    staff::{self, Right, Role},
};

use crate::{
    conversation::{
        dialogue::{self, Dialogue, ShownMessage, Step},
        error::HandlerResult,
        screen::Screen,
    },
    deps::HandlerDeps,
    texts::l,
};

/// A person, as an update shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) id: UserId,
    pub(crate) name: String,
    pub(crate) username: Option<String>,
    /// What Telegram says of the language of the person's device.
    pub(crate) told: Option<Language>,
}

impl Person {
    pub(crate) fn of(user: &User) -> Option<Self> {
        if user.is_bot {
            return None;
        }
        Some(Self {
            id: UserId::try_new(i64::try_from(user.id.0).ok()?).ok()?,
            name: user.full_name(),
            username: user.username.clone(),
            told: user.language_code.as_deref().and_then(Language::from_tag),
        })
    }
}

/// What was done.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// A button was tapped.
    Callback { query: CallbackQueryId, chat: ChatId, shown: Option<ShownMessage> },
    /// Something was written or sent.
    Message(Box<Message>),
    /// An inline query, or that the bot was blocked: nothing that is answered in the chat.
    Other,
}

/// One update, ready to be answered.
#[derive(Debug, Clone)]
pub(crate) struct Ctx {
    pub(crate) deps: Arc<HandlerDeps>,
    pub(crate) person: Person,
    /// Chosen, else the device's, else Uzbek.
    pub(crate) language: Language,
    /// Whether the language was chosen by the person.
    pub(crate) has_chosen: bool,
    pub(crate) role: Option<Role>,
    pub(crate) dialogue: Dialogue,
    pub(crate) origin: Origin,
    answered: Arc<AtomicBool>,
}

impl Ctx {
    /// Reads what is known of a person.
    pub(crate) async fn of(
        deps: Arc<HandlerDeps>,
        person: Person,
        origin: Origin,
    ) -> Result<Self, PortError> {
        let user = deps.shop.user(person.id).await?;
        let chosen = user.as_ref().and_then(|user| user.language);
        let dialogue = dialogue::read(deps.documents(), person.id).await?;
        let role = staff::role_of(deps.documents(), &deps.config.owners, person.id).await?;
        Ok(Self {
            language: chosen.or(person.told).unwrap_or_default(),
            has_chosen: chosen.is_some(),
            role,
            dialogue,
            origin,
            answered: Arc::default(),
            person,
            deps,
        })
    }

    pub(crate) fn id(&self) -> UserId {
        self.person.id
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.deps.now()
    }

    pub(crate) fn shop(&self) -> &dyn ShopStore {
        &*self.deps.shop
    }

    pub(crate) fn documents(&self) -> &dyn Documents {
        self.deps.documents()
    }

    /// The private chat with the person, which has the person's number.
    pub(crate) fn chat(&self) -> ChatId {
        ChatId(self.person.id.get())
    }

    pub(crate) fn may(&self, right: Right) -> bool {
        self.role.is_some_and(|role| role.may(right))
    }

    /// What was written, without blanks around it.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.origin {
            Origin::Message(message) => message.text().map(str::trim).filter(|text| !text.is_empty()),
            Origin::Callback { .. } | Origin::Other => None,
        }
    }

    pub(crate) fn message(&self) -> Option<&Message> {
        match &self.origin {
            Origin::Message(message) => Some(message),
            Origin::Callback { .. } | Origin::Other => None,
        }
    }

    /// Shows a screen: after a tap in the place of the message that was tapped; after a message as a new one.
    pub(crate) async fn show(&self, screen: Screen) -> HandlerResult {
        match &self.origin {
            Origin::Callback { shown: Some(shown), chat, .. } if *chat == self.chat() => {
                let shown = self.deps.telegram.show_in_place(self.chat(), *shown, &screen).await?;
                self.is_shown(shown).await
            }
            Origin::Callback { .. } | Origin::Message(_) | Origin::Other => self.show_below(screen).await,
        }
    }

    /// Shows a screen as a new message; the one that was shown before goes, so that there is one.
    pub(crate) async fn show_below(&self, screen: Screen) -> HandlerResult {
        self.deps.overall.reserve_priority();
        let new = self.deps.telegram.show_new(self.chat(), &screen).await?;
        if let Some(before) = self.dialogue.screen {
            self.deps.telegram.remove(self.chat(), before.message_id).await;
        }
        self.is_shown(new).await
    }

    async fn is_shown(&self, shown: ShownMessage) -> HandlerResult {
        self.answer(None, false).await;
        if self.dialogue.screen != Some(shown) {
            self.change(|dialogue| dialogue.screen = Some(shown)).await?;
        }
        Ok(())
    }

    /// A message of its own, which stays: nothing is edited, nothing goes.
    pub(crate) async fn reply(&self, html: impl Into<String>) -> HandlerResult {
        self.reply_with(html, None).await
    }

    /// The same with a keyboard, such as the one that shares a contact.
    pub(crate) async fn reply_with(
        &self,
        html: impl Into<String>,
        markup: Option<ReplyMarkup>,
    ) -> HandlerResult {
        self.deps.overall.reserve_priority();
        self.deps.telegram.say(self.chat(), &Screen::new(html), markup).await?;
        self.answer(None, false).await;
        Ok(())
    }

    /// Says something short above the screen; in the chat where nothing was tapped.
    pub(crate) async fn toast(&self, text: impl Into<String>) -> HandlerResult {
        self.notice(text.into(), false).await
    }

    /// The same, in the way until it is read.
    pub(crate) async fn alert(&self, text: impl Into<String>) -> HandlerResult {
        self.notice(text.into(), true).await
    }

    async fn notice(&self, text: String, alert: bool) -> HandlerResult {
        match &self.origin {
            Origin::Callback { .. } => {
                self.answer(Some(text), alert).await;
                Ok(())
            }
            Origin::Message(_) | Origin::Other => self.reply(teloxide::utils::html::escape(&text)).await,
        }
    }

    /// Ends the waiting of the tapped button, once.
    pub(crate) async fn answer(&self, text: Option<String>, alert: bool) {
        if let Origin::Callback { query, .. } = &self.origin
            && !self.answered.swap(true, Ordering::Relaxed)
        {
            self.deps.telegram.answer_callback(query.clone(), text, alert).await;
        }
    }

    /// A button of a screen that is not true any more.
    pub(crate) async fn stale(&self) -> HandlerResult {
        self.toast(l!(self.language, "stale-button")).await
    }

    /// Changes where the conversation stands.
    pub(crate) async fn change(&self, change: impl FnMut(&mut Dialogue)) -> Result<Dialogue, PortError> {
        dialogue::change(self.documents(), self.id(), change).await
    }

    /// What the next message is an answer to.
    pub(crate) async fn expect(&self, step: Step) -> Result<(), PortError> {
        if self.dialogue.step == step {
            return Ok(());
        }
        self.change(|dialogue| dialogue.step = step.clone()).await.map(drop)
    }

    /// The person has blocked the bot: broadcasts leave them out until they come again.
    pub(crate) async fn is_gone(&self) -> Result<(), PortError> {
        let now = self.now();
        profile::change(self.documents(), self.id(), now, |profile| {
            profile.blocked_at.get_or_insert(now);
        })
        .await
        .map(drop)
    }
}

/// The message that a tapped button hangs on.
pub(crate) fn shown_of(message: &MaybeInaccessibleMessage) -> (ChatId, Option<ShownMessage>) {
    match message {
        MaybeInaccessibleMessage::Regular(message) => {
            let shown = ShownMessage { message_id: message.id.0, has_photo: message.photo().is_some() };
            (message.chat.id, Some(shown))
        }
        // Too old to be edited: what is shown comes as a new message.
        MaybeInaccessibleMessage::Inaccessible(message) => (message.chat.id, None),
    }
}
