//! Support: shoppers' messages are copied to the private chats of staff, and replies go back to their authors.

use teloxide::{types::ChatId, utils::html::escape};
use tolov_domain::{Language, Phone, UserId, ports::PortError};
use tolov_shop::{
    records::{self, Record},
    shopper::{
        self, Shopper,
        support::{Header, SupportMessage, key_of},
    },
    staff::{self, Action, Right},
};

use crate::{
    conversation::{
        callback::{ShopCallback, StaffCallback},
        context::Ctx,
        dialogue::{Dialogue, ShownMessage, StaffStep, Step},
        error::{HandlerError, HandlerResult},
        screen::{Button, Screen},
    },
    deps::HandlerDeps,
    staff::people::{journal, names::Names},
    telegram::{client::MessageRef, errors::SendError},
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

/// Everybody who answers shoppers. The author is left out, unless there is nobody else.
pub(crate) async fn team(ctx: &Ctx) -> Result<Vec<UserId>, PortError> {
    let mut team = ctx.deps.config.owners.clone();
    for member in staff::members(ctx.documents()).await? {
        if member.role.may(Right::AnswerSupport) && !team.contains(&member.id) {
            team.push(member.id);
        }
    }
    if team.len() > 1 {
        team.retain(|id| *id != ctx.id());
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
    fn header(&self, language: Language) -> Screen {
        Screen::new(self.header_html(language)).row([answer_button(language)])
    }

    fn header_html(&self, language: Language) -> String {
        let link = format!("<a href=\"tg://user?id={}\">{}</a>", self.id, escape(&isolated(&self.name)));
        let mut known = vec![link];
        known.extend(self.username.as_ref().map(|username| format!("@{}", escape(username))));
        known.extend(self.phone.as_ref().map(Phone::spaced));
        t!(language, "support-header", writer = Html(known.join(" · ")))
    }
}

/// Copies the message of the update to staff, below a header with its author. A reply to either comes back.
pub(crate) async fn to_staff(ctx: &Ctx, team: &[UserId]) -> Result<Forwarded, HandlerError> {
    let Some(message) = ctx.message() else { return Ok(Forwarded::Unsupported) };
    let source = MessageRef { chat: ctx.chat(), message_id: message.id.0 };
    let mut writer = Writer::read(&ctx.deps, ctx.id()).await?;
    writer.name.clone_from(&ctx.person.name);
    writer.username.clone_from(&ctx.person.username);
    let mut stored: Vec<SupportMessage> = Vec::new();
    let mut outcome = Forwarded::ToNobody;
    for id in team {
        let language = ctx.deps.language_of(*id).await;
        match send_copy(&ctx.deps, *id, &writer.header(language), source).await {
            Ok((header, copy)) => {
                for message_id in [header, copy] {
                    let message = support_message(*id, message_id, ctx, false);
                    // At once: a reply must find it, even if the other copies fail.
                    records::insert(ctx.documents(), &message).await?;
                    stored.push(message);
                }
                outcome = Forwarded::ToStaff;
            }
            Err(SendError::Refused(error)) => {
                tracing::info!(user.id = %ctx.id(), %error, "a message to staff cannot be copied");
                if outcome == Forwarded::ToNobody {
                    outcome = Forwarded::Unsupported;
                }
            }
            Err(error) => tracing::warn!(staff.id = %id, %error, "a shopper's message did not reach staff"),
        }
    }
    // Headers and copies alternate.
    let headers: Vec<Header> = stored
        .iter()
        .step_by(2)
        .map(|message| Header { chat_id: message.chat_id, message_id: message.message_id })
        .collect();
    for message in stored {
        records::change(ctx.documents(), message.key(), |message: &mut SupportMessage| {
            message.headers.clone_from(&headers);
        })
        .await?;
    }
    Ok(outcome)
}

fn support_message(owner: UserId, message_id: i64, ctx: &Ctx, is_answer: bool) -> SupportMessage {
    SupportMessage {
        chat_id: owner.get(),
        message_id,
        reply_to_user_id: ctx.id(),
        is_answer,
        headers: Vec::new(),
        at: ctx.now(),
    }
}

/// Sends a header and a copy below it; returns the ids of both.
async fn send_copy(
    deps: &HandlerDeps,
    id: UserId,
    header: &Screen,
    source: MessageRef,
) -> Result<(i64, i64), SendError> {
    let above = deps.send_to(id, header).await?;
    deps.rate_limiter.reserve_priority();
    match deps.telegram.copy(ChatId(id.get()), source).await {
        Ok(copy) => Ok((i64::from(above.message_id), i64::from(copy))),
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
    let team = team(&ctx).await?;
    let who_answered: Vec<UserId> =
        team.iter().copied().filter(|id| *id == before.reply_to_user_id).collect();
    let reached = match to_staff(&ctx, if who_answered.is_empty() { &team } else { &who_answered }).await? {
        Forwarded::ToNobody if !who_answered.is_empty() => to_staff(&ctx, &team).await?,
        reached @ (Forwarded::ToStaff | Forwarded::ToNobody | Forwarded::Unsupported) => reached,
    };
    let said = match reached {
        Forwarded::ToStaff => t!(ctx.language, "support-sent"),
        Forwarded::Unsupported => t!(ctx.language, "support-not-such"),
        Forwarded::ToNobody => t!(ctx.language, "support-nobody-now"),
    };
    ctx.reply(said).await
}

/// A member of staff replies to a shopper.
async fn answer(ctx: Ctx, before: SupportMessage) -> HandlerResult {
    if !ctx.may(Right::AnswerSupport) {
        return ctx.reply(t!(ctx.language, "action-not-allowed")).await;
    }
    let Some(message) = ctx.message() else { return Ok(()) };
    // Also where another shopper was to be answered next.
    if matches!(ctx.step(), Step::Staff(StaffStep::SupportAnswer { .. })) {
        ctx.wait_for(Step::Idle);
    }
    let shopper = before.reply_to_user_id;
    let source = MessageRef { chat: ctx.chat(), message_id: message.id.0 };
    let language = ctx.deps.language_of(shopper).await;
    let button = Button::callback(l!(language, "support-reply"), ShopCallback::ReplyToStaff);
    let header = Screen::new(t!(language, "support-answer-header")).row([button]);
    let said = match send_copy(&ctx.deps, shopper, &header, source).await {
        Ok((above, copy)) => {
            for message_id in [above, copy] {
                let message = support_message(shopper, message_id, &ctx, true);
                records::insert(ctx.documents(), &message).await?;
            }
            journal::record(&ctx, Action::SupportAnswered { user_id: shopper }).await?;
            expect_an_answer(&ctx, shopper).await?;
            show_who_answered(&ctx, &before).await?;
            t!(ctx.language, "support-answered")
        }
        Err(SendError::ChatClosed(_)) => t!(ctx.language, "support-shopper-gone"),
        Err(SendError::Refused(_)) => t!(ctx.language, "support-not-such"),
        Err(error) => return Err(error.into()),
    };
    ctx.reply(said).await
}

/// What a shopper writes after an answer of staff is for them, and not a search.
async fn expect_an_answer(ctx: &Ctx, shopper: UserId) -> Result<(), PortError> {
    records::change(ctx.documents(), shopper.get(), |dialogue: &mut Dialogue| {
        if matches!(dialogue.step, Step::Idle | Step::Search) {
            dialogue.step = Step::Support;
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
    ctx.reply(t!(ctx.language, "support-ask-answer", writer = &*isolated(&writer.name))).await
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
async fn show_who_answered(ctx: &Ctx, before: &SupportMessage) -> Result<(), PortError> {
    let writer = Writer::read(&ctx.deps, before.reply_to_user_id).await?;
    let who = Names::read(ctx.documents(), [ctx.id()]).await?.plain(ctx.id());
    let who = if who == ctx.id().to_string() { ctx.person.name.clone() } else { who };
    for header in &before.headers {
        let (Ok(owner), Ok(message_id)) = (UserId::try_new(header.chat_id), i32::try_from(header.message_id))
        else {
            continue;
        };
        let language = ctx.deps.language_of(owner).await;
        let line = t!(language, "support-who-answered", who = &who, time = clock_time(ctx.now()));
        let screen = Screen::new(format!("{}\n{line}", writer.header_html(language)));
        let screen = screen.row([answer_button(language)]);
        let shown = ShownMessage { message_id, has_photo: false };
        if let Err(error) = ctx.deps.telegram.change(ChatId(header.chat_id), shown, &screen).await {
            tracing::debug!(%error, "a header could not be edited");
        }
    }
    Ok(())
}
