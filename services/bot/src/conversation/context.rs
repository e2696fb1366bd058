//! Who an update is from, what is known of them, and the ways to answer.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use teloxide::types::{
    CallbackQueryId, ChatId, KeyboardRemove, MaybeInaccessibleMessage, Message, ReplyMarkup, User,
};
use tolov_domain::{
    Language, UserId,
    ports::{
        PortError,
        documents::{Documents, Key},
    },
    time::{Timestamp, in_whole_ms},
};
use tolov_kit::retry::Pauses;
use tolov_shop::{
    records::{self, Versioned},
    shopper::{self, Shopper},
    staff::{self, Right, Role},
};

use crate::{
    conversation::{
        dialogue::{Album, AlbumOf, Dialogue, Draft, SearchResults, Session, ShownMessage, StaffStep, Step},
        error::HandlerResult,
        screen::Screen,
    },
    deps::HandlerDeps,
    texts::{l, t},
};

/// How long a message is for staff after the last one, theirs or the shopper's.
pub(crate) const SUPPORT_LASTS: Duration = Duration::from_hours(12);

/// The sender of an update, as Telegram describes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) id: UserId,
    pub(crate) name: String,
    pub(crate) username: Option<String>,
    /// The language of the person's Telegram, where it is one of ours.
    pub(crate) device_language: Option<Language>,
}

impl Person {
    /// `None`: a bot.
    pub(crate) fn of(user: &User) -> Option<Self> {
        if user.is_bot {
            return None;
        }
        Some(Self {
            id: UserId::try_new(i64::try_from(user.id.0).ok()?).ok()?,
            name: user.full_name(),
            username: user.username.clone(),
            device_language: user.language_code.as_deref().and_then(Language::from_tag),
        })
    }
}

/// What the person did.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// Tapped a button. `shown` is the message that it hangs on; `None`: too old to be edited.
    Callback {
        query: CallbackQueryId,
        chat: ChatId,
        shown: Option<ShownMessage>,
    },
    Message(Box<Message>),
    /// Typed an inline query, or blocked the bot: there is no answer in the chat.
    Other,
}

/// One update with all that its handlers need. The dialogue is changed in memory and written once, when the update has
/// been handled.
#[derive(Debug, Clone)]
pub(crate) struct Ctx {
    pub(crate) deps: Arc<HandlerDeps>,
    pub(crate) person: Person,
    /// The chosen language, else the device's, else Uzbek.
    pub(crate) language: Language,
    /// This is the person's first message.
    pub(crate) is_new: bool,
    /// `None` too where nothing that the update leads to depends on it: then it is not read.
    pub(crate) role: Option<Role>,
    pub(crate) origin: Origin,
    /// As it was when the update came.
    shopper: Option<Versioned<Shopper>>,
    session: Arc<Mutex<Session>>,
    /// Whether the tap has been answered.
    answered: Arc<AtomicBool>,
    /// Whether a message was sent below the screen, which is out of sight then.
    is_covered: Arc<AtomicBool>,
    /// Whether the keyboard of the step has been taken away.
    is_keyboard_gone: Arc<AtomicBool>,
}

impl Ctx {
    /// Reads what is known of the person, with the role where `has_rights`.
    pub(crate) async fn load(
        deps: Arc<HandlerDeps>,
        person: Person,
        origin: Origin,
        has_rights: bool,
    ) -> Result<Self, PortError> {
        let shopper: Option<Versioned<Shopper>> =
            records::read_versioned(deps.documents(), &Key::Number(person.id.get())).await?;
        let is_new = shopper.as_ref().is_none_or(|shopper| shopper.registered_at.is_none());
        let chosen = shopper.as_ref().and_then(|shopper| shopper.language);
        let session = Session::load(deps.documents(), person.id).await?;
        let role = if has_rights {
            staff::role_of(deps.documents(), &deps.config.owners, person.id).await?
        } else {
            None
        };
        Ok(Self {
            language: chosen.or(person.device_language).unwrap_or_default(),
            is_new,
            role,
            origin,
            shopper,
            session: Arc::new(Mutex::new(session)),
            answered: Arc::default(),
            is_covered: Arc::default(),
            is_keyboard_gone: Arc::default(),
            person,
            deps,
        })
    }

    /// The shopper as they were when the update came.
    pub(crate) fn shopper(&self) -> Option<&Shopper> {
        self.shopper.as_ref().map(|shopper| &shopper.record)
    }

    /// The same with its version, to be written without another read.
    pub(crate) fn stored_shopper(&self) -> Option<Versioned<Shopper>> {
        self.shopper.clone()
    }

    pub(crate) fn id(&self) -> UserId {
        self.person.id
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.deps.now()
    }

    pub(crate) fn documents(&self) -> &dyn Documents {
        self.deps.documents()
    }

    /// The private chat with the person. Telegram gives it the person's id.
    pub(crate) fn chat(&self) -> ChatId {
        ChatId(self.person.id.get())
    }

    pub(crate) fn may(&self, right: Right) -> bool {
        self.role.is_some_and(|role| role.may(right))
    }

    /// The text of the message, trimmed; `None` where it is empty.
    pub(crate) fn text(&self) -> Option<&str> {
        self.message()?.text().map(str::trim).filter(|text| !text.is_empty())
    }

    /// The text of the message, or the caption of its photo; `None` where it is empty.
    pub(crate) fn words(&self) -> Option<&str> {
        let caption = || self.message()?.caption().map(str::trim).filter(|caption| !caption.is_empty());
        self.text().or_else(caption)
    }

    pub(crate) fn message(&self) -> Option<&Message> {
        match &self.origin {
            Origin::Message(message) => Some(message),
            Origin::Callback { .. } | Origin::Other => None,
        }
    }

    /// Whether the tapped button is in another chat than the person's own, such as the staff channel.
    pub(crate) fn is_tap_elsewhere(&self) -> bool {
        matches!(&self.origin, Origin::Callback { chat, .. } if *chat != self.chat())
    }

    /// The message in the private chat whose button was tapped.
    pub(crate) fn tapped_here(&self) -> Option<ShownMessage> {
        match &self.origin {
            Origin::Callback { shown, chat, .. } if *chat == self.chat() => *shown,
            Origin::Callback { .. } | Origin::Message(_) | Origin::Other => None,
        }
    }
}

/// The dialogue.
impl Ctx {
    /// What the bot waits for.
    pub(crate) fn step(&self) -> Step {
        self.session().current.step.clone()
    }

    /// The checkout under way.
    pub(crate) fn draft(&self) -> Option<Draft> {
        self.session().current.draft.clone()
    }

    /// The search that the shopper is looking through.
    pub(crate) fn search(&self) -> Option<SearchResults> {
        self.session().current.search.clone()
    }

    /// The message that is edited in place.
    pub(crate) fn screen(&self) -> Option<ShownMessage> {
        self.session().current.screen
    }

    /// Changes the dialogue in memory.
    pub(crate) fn update<T>(&self, change: impl FnOnce(&mut Dialogue) -> T) -> T {
        change(&mut self.session().current)
    }

    /// What the next message will be an answer to.
    pub(crate) fn wait_for(&self, step: impl Into<Step>) {
        self.session().current.step = step.into();
    }

    /// The parts of the message's album that come after it are more of the same. Nothing where it is of no album.
    pub(crate) fn expect_more_of_album(&self, of: AlbumOf) {
        let album = self.message().and_then(|message| message.media_group_id());
        let album = album.map(|id| Album { media_group_id: id.0.clone(), of });
        self.session().current.album = album;
    }

    /// What the message is a further part of.
    pub(crate) fn album_of_part(&self) -> Option<AlbumOf> {
        let id = self.message()?.media_group_id()?;
        let album = self.session().current.album.clone()?;
        (album.media_group_id == id.0).then_some(album.of)
    }

    /// Whether the message is of no album, or its album is gathered by what was waited for.
    pub(crate) fn gathers_album(&self) -> bool {
        let Some(id) = self.message().and_then(|message| message.media_group_id()) else { return true };
        let step = self.step();
        matches!(step, Step::Staff(StaffStep::BroadcastAlbum { media_group_id, .. }) if media_group_id == id.0)
            || self.album_of_part().is_some()
    }

    /// Ends a conversation with staff that nobody has continued for hours.
    pub(crate) fn end_old_support(&self) {
        let now = self.now();
        self.update(|dialogue| {
            if dialogue.step == Step::Support && dialogue.support_until.is_some_and(|until| until < now) {
                dialogue.step = Step::Idle;
            }
        });
    }

    /// The conversation with staff goes on.
    pub(crate) fn prolong_support(&self) {
        let until = in_whole_ms(self.now() + SUPPORT_LASTS);
        self.update(|dialogue| {
            if dialogue.step == Step::Support {
                dialogue.support_until = Some(until);
            }
        });
    }

    /// Waits for nothing any more, and takes away the keyboard that the question came with.
    pub(crate) async fn leave_step(&self) -> HandlerResult {
        self.remove_keyboard().await?;
        self.wait_for(Step::Idle);
        Ok(())
    }

    /// Takes away the keyboard of the step; only a new message can do that.
    pub(crate) async fn remove_keyboard(&self) -> HandlerResult {
        if self.step().has_keyboard() && !self.is_keyboard_gone.load(Ordering::Relaxed) {
            self.reply_without_keyboard(t!(self.language, "keyboard-put-away")).await?;
        }
        Ok(())
    }

    /// Writes the dialogue. Called once, when the update has been handled; see [`Session::save`].
    pub(crate) async fn save(&self) -> Result<(), PortError> {
        const TRIES: u32 = 5;
        let mut pauses = Pauses::new(Duration::from_millis(100), Duration::from_secs(2));
        let mut session = self.session().clone();
        for _ in 1..TRIES {
            match session.save(self.documents()).await {
                Err(PortError::Unavailable(_)) => tokio::time::sleep(pauses.next_pause()).await,
                saved => return saved,
            }
        }
        session.save(self.documents()).await
    }

    /// Writes the dialogue before an effect that it must remember; see [`Session::checkpoint`].
    pub(crate) async fn checkpoint(&self) -> Result<bool, PortError> {
        let mut session = self.session().clone();
        let is_ours = session.checkpoint(self.documents()).await?;
        *self.session() = session;
        Ok(is_ours)
    }

    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The answers.
impl Ctx {
    /// Shows a screen: after a tap in the place of the tapped message, after a message as a new one, and as a new one below
    /// whatever was sent since the tap.
    pub(crate) async fn show(&self, screen: Screen) -> HandlerResult {
        match self.tapped_here().filter(|_| !self.is_covered.load(Ordering::Relaxed)) {
            Some(shown) => {
                let shown = self.deps.telegram.show_in_place(self.chat(), shown, &screen).await?;
                self.shown(shown).await;
                Ok(())
            }
            None => self.show_below(screen).await,
        }
    }

    /// Shows a screen as a new message and removes the one before, so that there is one.
    pub(crate) async fn show_below(&self, screen: Screen) -> HandlerResult {
        self.deps.rate_limiter.reserve_priority();
        let new = self.deps.telegram.show_new(self.chat(), &screen).await?;
        if let Some(before) = self.screen() {
            self.deps.telegram.remove(self.chat(), before.message_id).await;
        }
        self.shown(new).await;
        Ok(())
    }

    /// Records the message that shows the screen.
    pub(crate) async fn shown(&self, shown: ShownMessage) {
        self.update(|dialogue| {
            dialogue.screen = Some(shown);
            dialogue.payable = None;
        });
        self.answer(None, false).await;
    }

    /// Sends a message that is not a screen: it stays.
    pub(crate) async fn reply(&self, html: impl Into<String>) -> HandlerResult {
        self.reply_with(html, None).await
    }

    /// The same with a keyboard, such as the one that shares a contact.
    pub(crate) async fn reply_with(
        &self,
        html: impl Into<String>,
        markup: Option<ReplyMarkup>,
    ) -> HandlerResult {
        self.deps.rate_limiter.reserve_priority();
        self.deps.telegram.send_screen(self.chat(), &Screen::new(html), markup).await?;
        self.is_covered.store(true, Ordering::Relaxed);
        self.answer(None, false).await;
        Ok(())
    }

    /// The same, and takes a keyboard away.
    pub(crate) async fn reply_without_keyboard(&self, html: impl Into<String>) -> HandlerResult {
        self.reply_with(html, Some(ReplyMarkup::KeyboardRemove(KeyboardRemove::new()))).await?;
        self.is_keyboard_gone.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Answers the tap with a short text above the screen; without a tap it is a message.
    pub(crate) async fn toast(&self, text: impl Into<String>) -> HandlerResult {
        self.notice(text.into(), false).await
    }

    /// The same in a box that has to be closed.
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

    /// Answers the tap, once.
    pub(crate) async fn answer(&self, text: Option<String>, alert: bool) {
        if let Origin::Callback { query, .. } = &self.origin
            && !self.answered.swap(true, Ordering::Relaxed)
        {
            self.deps.telegram.answer_callback(query.clone(), text, alert).await;
        }
    }

    /// Answers a button whose screen is out of date.
    pub(crate) async fn stale(&self) -> HandlerResult {
        self.toast(l!(self.language, "stale-button")).await
    }

    /// Records that the person has blocked the bot: broadcasts leave them out until they write again.
    pub(crate) async fn record_blocked(&self) -> Result<(), PortError> {
        shopper::mark_blocked(self.documents(), self.id(), self.now()).await
    }
}

/// The message that a tapped button hangs on, and its chat.
pub(crate) fn tapped_message(message: &MaybeInaccessibleMessage) -> (ChatId, Option<ShownMessage>) {
    match message {
        MaybeInaccessibleMessage::Regular(message) => {
            let shown = ShownMessage { message_id: message.id.0, has_photo: message.photo().is_some() };
            (message.chat.id, Some(shown))
        }
        MaybeInaccessibleMessage::Inaccessible(message) => (message.chat.id, None),
    }
}
