//! Support: shoppers' messages are copied to the private chats of staff, and replies go back to their authors.

use teloxide::{
    types::{ChatId, ReplyMarkup},
    utils::html::escape,
};
use tolov_domain::{
    Language, Phone, UserId,
    ports::PortError,
    time::{Timestamp, in_whole_ms},
};
use tolov_shop::{
    records::{self, Record},
    shopper::{
        self, Shopper,
        support::{AlbumRecipient, Header, SupportMessage, key_of},
    },
    staff::{self, Action, Right},
};

use crate::{
    conversation::{
        callback::{ShopCallback, StaffCallback},
        context::{Ctx, Person, SUPPORT_LASTS},
        dialogue::{Dialogue, LastAnswer, ShownMessage, StaffStep, Step},
        error::{HandlerError, HandlerResult},
        screen::{Button, Screen},
    },
    deps::HandlerDeps,
    staff::people::{names::Names, support_albums as albums},
    telegram::{copy::MessageGroup, errors::SendError},
    texts::{Html, clock_time, isolated, l, t},
};

/// The result of forwarding a shopper's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Forwarded {
    /// At least one of those who answer has it.
    ToStaff,
    /// None of them can be written to now.
    ToNobody,
    /// Telegram does not copy messages of this kind.
    Unsupported,
}

/// What goes to the other side.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) group: MessageGroup,
    /// It has been sent before, and was edited since.
    pub(super) is_edit: bool,
}

/// Who sends a message to the other side.
#[derive(Debug, Clone)]
pub(super) struct Author {
    pub(super) id: UserId,
    pub(super) name: String,
    pub(super) username: Option<String>,
}

impl Author {
    pub(super) fn of(person: &Person) -> Self {
        Self { id: person.id, name: person.name.clone(), username: person.username.clone() }
    }
}

/// Everybody who answers shoppers. The author is left out, unless there is nobody else.
pub(crate) async fn team(deps: &HandlerDeps, author: UserId) -> Result<Vec<UserId>, PortError> {
    let mut team = deps.config.owners.clone();
    for member in staff::members(deps.documents()).await? {
        if member.role.may(Right::AnswerSupport) && !team.contains(&member.id) {
            team.push(member.id);
        }
    }
    if team.len() > 1 {
        team.retain(|id| *id != author);
    }
    Ok(team)
}

/// The author of a message, as staff see it above the copy.
#[derive(Debug, Clone)]
struct Writer {
    id: UserId,
    name: String,
    username: Option<String>,
    phone: Option<Phone>,
}

impl Writer {
    async fn read(deps: &HandlerDeps, id: UserId) -> Result<Self, PortError> {
        let shopper = shopper::shopper(deps.documents(), id).await?.unwrap_or_else(|| Shopper::new(id));
        let name = if shopper.name.trim().is_empty() { id.to_string() } else { shopper.name };
        Ok(Self { id, name, username: shopper.username, phone: shopper.phone })
    }

    /// What stands above the copy for staff.
    fn header(&self, language: Language, is_edit: bool) -> Screen {
        let mut html = self.header_html(language);
        if is_edit {
            html = format!("{}\n{html}", t!(language, "support-edited"));
        }
        Screen::new(html).row([answer_button(language)])
    }

    fn header_html(&self, language: Language) -> String {
        let link = format!("<a href=\"tg://user?id={}\">{}</a>", self.id, escape(&isolated(&self.name)));
        let mut known = vec![link];
        known.extend(self.username.as_ref().map(|username| format!("@{}", escape(username))));
        known.extend(self.phone.as_ref().map(Phone::spaced));
        t!(language, "support-header", writer = Html(known.join(" · ")))
    }
}

/// Copies the message of the update to staff; the parts of an album are gathered first, and `None` is returned.
pub(crate) async fn take_message(ctx: &Ctx) -> Result<Option<Forwarded>, HandlerError> {
    if albums::begin(ctx, AlbumRecipient::Staff { who_answered: None }).await? {
        return Ok(None);
    }
    let Some(source) = source_of(ctx) else { return Ok(Some(Forwarded::Unsupported)) };
    let team = team(&ctx.deps, ctx.id()).await?;
    to_staff(&ctx.deps, &Author::of(&ctx.person), &source, &team).await.map(Some)
}

fn source_of(ctx: &Ctx) -> Option<Source> {
    let message = ctx.message()?;
    let group = MessageGroup { chat: ctx.chat(), ids: vec![message.id] };
    Some(Source { group, is_edit: message.edit_date().is_some() })
}

/// Copies messages to staff, below a header with their author. A reply to any of them comes back.
async fn to_staff(
    deps: &HandlerDeps,
    author: &Author,
    source: &Source,
    team: &[UserId],
) -> Result<Forwarded, HandlerError> {
    let mut writer = Writer::read(deps, author.id).await?;
    writer.name.clone_from(&author.name);
    writer.username.clone_from(&author.username);
    let (mut stored, mut headers) = (Vec::new(), Vec::new());
    let mut outcome = Forwarded::ToNobody;
    for id in team {
        let language = deps.language_of(*id).await;
        match send_copy(deps, *id, &writer.header(language, source.is_edit), &source.group).await {
            Ok((header, copies)) => {
                headers.push(Header { chat_id: id.get(), message_id: header });
                for message_id in std::iter::once(header).chain(copies) {
                    let message = support_message(*id, message_id, author.id, deps.now(), false);
                    // At once: a reply must find it, even if the other copies fail.
                    records::insert(deps.documents(), &message).await?;
                    stored.push(message);
                }
                outcome = Forwarded::ToStaff;
            }
            Err(SendError::Refused(error)) => {
                tracing::info!(user.id = %author.id, %error, "a message to staff cannot be copied");
                if outcome == Forwarded::ToNobody {
                    outcome = Forwarded::Unsupported;
                }
            }
            Err(error) => tracing::warn!(staff.id = %id, %error, "a shopper's message did not reach staff"),
        }
    }
    for message in stored {
        records::change(deps.documents(), message.key(), |message: &mut SupportMessage| {
            message.headers.clone_from(&headers);
        })
        .await?;
    }
    Ok(outcome)
}

fn support_message(
    owner: UserId,
    message_id: i64,
    author: UserId,
    at: Timestamp,
    is_answer: bool,
) -> SupportMessage {
    SupportMessage {
        chat_id: owner.get(),
        message_id,
        reply_to_user_id: author,
        is_answer,
        headers: Vec::new(),
        at,
    }
}

/// Sends a header and the copies below it; returns the ids.
async fn send_copy(
    deps: &HandlerDeps,
    id: UserId,
    header: &Screen,
    source: &MessageGroup,
) -> Result<(i64, Vec<i64>), SendError> {
    let above = deps.send_to(id, header).await?;
    for _ in &source.ids {
        deps.rate_limiter.reserve_priority();
    }
    match deps.telegram.copy_group(ChatId(id.get()), source).await {
        Ok(copies) => Ok((i64::from(above.message_id), copies.into_iter().map(i64::from).collect())),
        Err(error) => {
            // A header is of no use without its message.
            deps.telegram.remove(ChatId(id.get()), above.message_id).await;
            Err(error)
        }
    }
}

/// The message of support that was replied to.
#[derive(Debug, Clone)]
pub(crate) struct Replied(Result<SupportMessage, PortError>);

/// Whether the update is a reply to a message of support.
pub(crate) async fn replied(ctx: Ctx) -> Option<Replied> {
    let before = ctx.message()?.reply_to_message()?.id.0;
    let key = key_of(ctx.id().get(), i64::from(before));
    records::read(ctx.documents(), key.as_str()).await.transpose().map(Replied)
}

pub(crate) async fn pass_on(ctx: Ctx, Replied(before): Replied) -> HandlerResult {
    let before = before?;
    if before.is_answer { reply_to_staff(ctx, before).await } else { answer(ctx, before).await }
}

/// The shopper replies to an answer: to its author, and to everybody where that one does not answer any more.
async fn reply_to_staff(ctx: Ctx, before: SupportMessage) -> HandlerResult {
    let who_answered = before.reply_to_user_id;
    if albums::begin(&ctx, AlbumRecipient::Staff { who_answered: Some(who_answered) }).await? {
        return Ok(());
    }
    let Some(source) = source_of(&ctx) else { return Ok(()) };
    let reached = to_who_answered(&ctx.deps, &Author::of(&ctx.person), &source, Some(who_answered)).await?;
    ctx.reply(forwarded_text(ctx.language, reached)).await
}

/// To this member of staff, where that one answers shoppers and can be reached; else to everybody who does.
pub(super) async fn to_who_answered(
    deps: &HandlerDeps,
    author: &Author,
    source: &Source,
    who_answered: Option<UserId>,
) -> Result<Forwarded, HandlerError> {
    let team = team(deps, author.id).await?;
    if let Some(one) = who_answered.filter(|one| team.contains(one)) {
        let reached = to_staff(deps, author, source, &[one]).await?;
        if reached != Forwarded::ToNobody {
            return Ok(reached);
        }
    }
    to_staff(deps, author, source, &team).await
}

pub(super) fn forwarded_text(language: Language, forwarded: Forwarded) -> String {
    match forwarded {
        Forwarded::ToStaff => t!(language, "support-sent"),
        Forwarded::Unsupported => t!(language, "support-not-such"),
        Forwarded::ToNobody => t!(language, "support-nobody-now"),
    }
}

/// A member of staff replies to a shopper.
async fn answer(ctx: Ctx, before: SupportMessage) -> HandlerResult {
    if !ctx.may(Right::AnswerSupport) {
        return ctx.reply(t!(ctx.language, "action-not-allowed")).await;
    }
    // Also where another shopper was to be answered next.
    if matches!(ctx.step(), Step::Staff(StaffStep::SupportAnswer { .. })) {
        ctx.wait_for(Step::Idle);
    }
    let answered = key_of(before.chat_id, before.message_id);
    if albums::begin(&ctx, AlbumRecipient::Shopper { answered }).await? {
        return Ok(());
    }
    let Some(source) = source_of(&ctx) else { return Ok(()) };
    let said = to_shopper(&ctx.deps, &Author::of(&ctx.person), &source, &before, ctx.language).await?;
    if let (Some(message), Ok(header_id)) = (ctx.message(), i32::try_from(before.message_id)) {
        let step = StaffStep::SupportAnswer { header_id }.into();
        let last = LastAnswer { message_id: message.id.0, step };
        ctx.update(|dialogue| dialogue.last_answer = Some(last));
    }
    ctx.reply(said).await
}

/// Copies an answer to the shopper whose message it answers. Returns what is said to its author.
pub(super) async fn to_shopper(
    deps: &HandlerDeps,
    author: &Author,
    source: &Source,
    before: &SupportMessage,
    author_language: Language,
) -> Result<String, HandlerError> {
    let shopper = before.reply_to_user_id;
    let language = deps.language_of(shopper).await;
    let button = Button::callback(l!(language, "support-reply"), ShopCallback::ReplyToStaff);
    let header = Screen::new(t!(language, "support-answer-header")).row([button]);
    match send_copy(deps, shopper, &header, &source.group).await {
        Ok((above, copies)) => {
            for message_id in std::iter::once(above).chain(copies) {
                let message = support_message(shopper, message_id, author.id, deps.now(), true);
                records::insert(deps.documents(), &message).await?;
            }
            let action = Action::SupportAnswered { user_id: shopper };
            staff::record(deps.documents(), author.id, deps.now(), action).await?;
            expect_an_answer(deps, shopper).await?;
            show_who_answered(deps, author, before).await?;
            Ok(t!(author_language, "support-answered"))
        }
        Err(SendError::ChatClosed(_)) => Ok(t!(author_language, "support-shopper-gone")),
        Err(SendError::Refused(_)) => Ok(t!(author_language, "support-not-such")),
        Err(error) => Err(error.into()),
    }
}

/// What a shopper writes after an answer of staff is for them, and not a search.
async fn expect_an_answer(deps: &HandlerDeps, shopper: UserId) -> Result<(), PortError> {
    let until = in_whole_ms(deps.now() + SUPPORT_LASTS);
    records::change(deps.documents(), shopper.get(), |dialogue: &mut Dialogue| {
        if matches!(dialogue.step, Step::Idle | Step::Search | Step::Support) {
            dialogue.step = Step::Support;
            dialogue.support_until = Some(until);
        }
    })
    .await?;
    Ok(())
}

fn answer_button(language: Language) -> Button {
    Button::callback(l!(language, "support-reply"), StaffCallback::AnswerShopper)
}

/// The button of a header: the next message is the answer.
pub(crate) async fn ask(ctx: Ctx) -> HandlerResult {
    let Some(header) = ctx.tapped_here() else { return ctx.stale().await };
    let Some(before) = message_below(&ctx, header.message_id).await? else { return ctx.stale().await };
    let writer = Writer::read(&ctx.deps, before.reply_to_user_id).await?;
    ctx.wait_for(StaffStep::SupportAnswer { header_id: header.message_id });
    let cancel = Button::callback(l!(ctx.language, "edit-cancel"), StaffCallback::Panel);
    let markup = Screen::new(String::new()).row([cancel]).markup();
    let question = t!(ctx.language, "support-ask-answer", writer = &*isolated(&writer.name));
    ctx.reply_with(question, Some(ReplyMarkup::InlineKeyboard(markup))).await
}

/// The answer. What is written after it is none, so that nothing reaches a shopper by mistake.
pub(crate) async fn take_answer(ctx: Ctx, header_id: i32) -> HandlerResult {
    let Some(before) = message_below(&ctx, header_id).await? else {
        ctx.wait_for(Step::Idle);
        return ctx.stale().await;
    };
    answer(ctx, before).await
}

/// The shopper's message that a header of the chat stands above.
async fn message_below(ctx: &Ctx, header_id: i32) -> Result<Option<SupportMessage>, PortError> {
    records::read(ctx.documents(), key_of(ctx.id().get(), i64::from(header_id)).as_str()).await
}

/// All who have the message see that it has been answered. A header that cannot be edited does no harm.
async fn show_who_answered(
    deps: &HandlerDeps,
    author: &Author,
    before: &SupportMessage,
) -> Result<(), PortError> {
    let writer = Writer::read(deps, before.reply_to_user_id).await?;
    let who = Names::read(deps.documents(), [author.id]).await?.plain(author.id);
    let who = if who == author.id.to_string() { isolated(&author.name).into_owned() } else { who };
    for header in &before.headers {
        let (Ok(owner), Ok(message_id)) = (UserId::try_new(header.chat_id), i32::try_from(header.message_id))
        else {
            continue;
        };
        let language = deps.language_of(owner).await;
        let line = t!(language, "support-who-answered", who = &who, time = clock_time(deps.now()));
        let screen = Screen::new(format!("{}\n{line}", writer.header_html(language)));
        let screen = screen.row([answer_button(language)]);
        let shown = ShownMessage { message_id, has_photo: false };
        if let Err(error) = deps.telegram.change(ChatId(header.chat_id), shown, &screen).await {
            tracing::debug!(%error, "a header could not be edited");
        }
    }
    Ok(())
}
