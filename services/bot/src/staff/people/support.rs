//! Shoppers' messages in the private chats of staff, and the answers: a reply to a message goes to who wrote it.

use teloxide::{types::ChatId, utils::html::escape};
use tolov_domain::{Language, UserId, ports::PortError};
use tolov_shop::{
    profile,
    records::{self, Record},
    staff::{self, Right},
    support::{Header, SupportMessage, key_of},
};

use crate::{
    conversation::{
        context::Ctx,
        dialogue::ShownMessage,
        error::{HandlerError, HandlerResult},
        screen::Screen,
    },
    deps::HandlerDeps,
    orders::order_lines::phone,
    staff::people::names::Names,
    telegram::{copy::MessageRef, errors::SendError},
    texts::{Html, clock_time, t},
};

/// What became of a shopper's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reached {
    /// At least one of those who answer has it.
    Some,
    /// None of them can be written to just now.
    Nobody,
    /// Telegram does not copy messages of this kind.
    NotSuch,
}

/// Everybody who answers shoppers. Who asks is left out, unless there is nobody else.
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

/// Who wrote, as staff see it above the message.
#[derive(Debug, Clone)]
struct Writer {
    id: UserId,
    name: String,
    username: Option<String>,
    phone: Option<String>,
}

impl Writer {
    async fn read(deps: &HandlerDeps, id: UserId) -> Result<Self, PortError> {
        let profile = profile::profile(deps.documents(), id).await?;
        let phone = deps.shop.user(id).await?.and_then(|user| user.phone);
        let (name, username) =
            profile.map_or((String::new(), None), |profile| (profile.name, profile.username));
        let name = if name.trim().is_empty() { id.to_string() } else { name };
        Ok(Self { id, name, username, phone })
    }

    fn header(&self, language: Language) -> String {
        let link = format!("<a href=\"tg://user?id={}\">{}</a>", self.id, escape(&self.name));
        let mut known = vec![link];
        known.extend(self.username.as_ref().map(|username| format!("@{}", escape(username))));
        known.extend(self.phone.as_ref().map(|number| escape(&phone(number))));
        t!(language, "support-header", writer = Html(known.join(" · ")))
    }
}

/// Copies the message of an update to staff, with who wrote it above; a reply to either comes back.
pub(crate) async fn to_staff(ctx: &Ctx, team: &[UserId]) -> Result<Reached, HandlerError> {
    let Some(message) = ctx.message() else { return Ok(Reached::NotSuch) };
    let source = MessageRef { chat: ctx.chat(), message_id: message.id.0 };
    let mut writer = Writer::read(&ctx.deps, ctx.id()).await?;
    writer.name.clone_from(&ctx.person.name);
    writer.username.clone_from(&ctx.person.username);
    let mut lying: Vec<SupportMessage> = Vec::new();
    let mut outcome = Reached::Nobody;
    for id in team {
        let language = ctx.deps.language_of(*id).await;
        match give(&ctx.deps, *id, &writer.header(language), source).await {
            Ok((header, copy)) => {
                for message_id in [header, copy] {
                    let message = lies_with(*id, message_id, ctx, false);
                    // At once: a reply must find it, whatever becomes of the other copies.
                    records::insert(ctx.documents(), &message).await?;
                    lying.push(message);
                }
                outcome = Reached::Some;
            }
            Err(SendError::Refused(reason)) => {
                tracing::info!(user.id = %ctx.id(), reason, "a message to staff cannot be copied");
                if outcome == Reached::Nobody {
                    outcome = Reached::NotSuch;
                }
            }
            Err(error) => tracing::warn!(staff.id = %id, ?error, "a shopper's message did not reach staff"),
        }
    }
    // A header and its copy follow each other.
    let headers: Vec<Header> = lying
        .iter()
        .step_by(2)
        .map(|message| Header { chat_id: message.chat_id, message_id: message.message_id })
        .collect();
    for message in lying {
        records::change(ctx.documents(), message.key(), |message: &mut SupportMessage| {
            message.headers.clone_from(&headers);
        })
        .await?;
    }
    Ok(outcome)
}

fn lies_with(owner: UserId, message_id: i64, ctx: &Ctx, is_answer: bool) -> SupportMessage {
    SupportMessage {
        chat_id: owner.get(),
        message_id,
        reply_to_user_id: ctx.id(),
        is_answer,
        headers: Vec::new(),
        at: ctx.now(),
    }
}

/// A header, and below it a copy; the numbers of both.
async fn give(
    deps: &HandlerDeps,
    id: UserId,
    header: &str,
    source: MessageRef,
) -> Result<(i64, i64), SendError> {
    let above = deps.tell(id, &Screen::new(header)).await?;
    deps.overall.reserve_priority();
    match deps.telegram.copy(ChatId(id.get()), source).await {
        Ok(copy) => Ok((i64::from(above.message_id), copy)),
        Err(error) => {
            // A header without its message would be a riddle.
            deps.telegram.remove(ChatId(id.get()), above.message_id).await;
            Err(error)
        }
    }
}

/// The message of a talk with support that was replied to.
#[derive(Debug, Clone)]
pub(crate) struct Replied(Result<SupportMessage, PortError>);

/// Whether the update is a reply within a talk with support.
pub(crate) async fn replied(ctx: Ctx) -> Option<Replied> {
    let before = ctx.message()?.reply_to_message()?.id.0;
    let key = key_of(ctx.id().get(), i64::from(before));
    records::read(ctx.documents(), key.as_str()).await.transpose().map(Replied)
}

pub(crate) async fn pass_on(ctx: Ctx, Replied(before): Replied) -> HandlerResult {
    let before = before?;
    if before.is_answer { write_back(ctx, before).await } else { answer(ctx, before).await }
}

/// The shopper goes on: to who answered, and to all where that one does not answer any more.
async fn write_back(ctx: Ctx, before: SupportMessage) -> HandlerResult {
    let team = team(&ctx).await?;
    let who_answered: Vec<UserId> =
        team.iter().copied().filter(|id| *id == before.reply_to_user_id).collect();
    let reached = match to_staff(&ctx, if who_answered.is_empty() { &team } else { &who_answered }).await? {
        Reached::Nobody if !who_answered.is_empty() => to_staff(&ctx, &team).await?,
        reached @ (Reached::Some | Reached::Nobody | Reached::NotSuch) => reached,
    };
    let said = match reached {
        Reached::Some => t!(ctx.language, "support-sent"),
        Reached::NotSuch => t!(ctx.language, "support-not-such"),
        Reached::Nobody => t!(ctx.language, "support-nobody-now"),
    };
    ctx.reply(said).await
}

/// A member of staff answers.
async fn answer(ctx: Ctx, before: SupportMessage) -> HandlerResult {
    if !ctx.may(Right::AnswerSupport) {
        return ctx.reply(t!(ctx.language, "deed-not-allowed")).await;
    }
    let Some(message) = ctx.message() else { return Ok(()) };
    let shopper = before.reply_to_user_id;
    let source = MessageRef { chat: ctx.chat(), message_id: message.id.0 };
    let header = t!(ctx.deps.language_of(shopper).await, "support-answer-header");
    let said = match give(&ctx.deps, shopper, &header, source).await {
        Ok((above, copy)) => {
            for message_id in [above, copy] {
                let lies = lies_with(shopper, message_id, &ctx, true);
                records::insert(ctx.documents(), &lies).await?;
            }
            staff::note(
                ctx.documents(),
                ctx.id(),
                ctx.now(),
                "support.answered",
                (None, shopper.to_string()),
            )
            .await?;
            show_who_answered(&ctx, &before).await?;
            t!(ctx.language, "support-answered")
        }
        Err(SendError::ChatClosed(_)) => t!(ctx.language, "support-shopper-gone"),
        Err(SendError::Refused(_)) => t!(ctx.language, "support-not-such"),
        Err(error) => return Err(error.into()),
    };
    ctx.reply(said).await
}

/// All who have the message see that somebody was faster. A header that cannot be changed does no harm.
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
        let screen = Screen::new(format!("{}\n{line}", writer.header(language)));
        let shown = ShownMessage { message_id, has_photo: false };
        if let Err(error) = ctx.deps.telegram.change(ChatId(header.chat_id), shown, &screen).await {
            tracing::debug!(?error, "a header does not say who answered");
        }
    }
    Ok(())
}
