//! One update from its arrival to its answer.

use std::{ops::ControlFlow, sync::Arc, time::Duration};

use teloxide::{
    dptree,
    types::{ChatId, Update, UpdateKind},
};
use tokio::time::Instant;
use tolov_kit::lifecycle::Stop;

use crate::{
    conversation::{
        context::{Ctx, Origin, Person, tapped_message},
        dialogue::{AlbumOf, EditOf, LastAnswer},
        error::{HandlerError, HandlerResult},
        schema::Tree,
        screen::Screen,
    },
    deps::HandlerDeps,
    metrics,
    shopper::account::onboarding,
    staff::rights,
    telegram::{errors::SendError, limits::Turn},
    texts::{l, t},
};

/// The longest hold whose end a message waits for, as an answer does: those who wait take the room of others.
const HELD_MESSAGE_MAX: Duration = Duration::from_secs(5);
/// The longest time after which somebody hears that the message was not answered.
const TELL_MAX: Duration = Duration::from_mins(10);

/// Answers an update. Never fails: errors are logged, and the person is asked to try again where that helps.
pub(crate) async fn answer(tree: &Tree, deps: &Arc<HandlerDeps>, mut update: Update) {
    let Some((person, origin)) = sender(&update) else { return };
    let (language, id) = (person.device_language.unwrap_or_default(), person.id);
    let ctx = match Ctx::load(Arc::clone(deps), person, origin.clone(), rights::matter_to(&update)).await {
        Ok(ctx) => ctx,
        Err(error) => {
            tracing::warn!(user.id = %id, %error, "an update cannot be answered: the shop store does not answer");
            let text = l!(language, "try-later");
            if let Origin::Callback { query, .. } = origin {
                deps.telegram.answer_callback(query, Some(text), true).await;
            } else if matches!(origin, Origin::Message(_)) {
                deps.send_to(id, &Screen::new(text)).await.ok();
            }
            return;
        }
    };
    if is_held(&ctx).await {
        return;
    }
    // An edit of the last answer is handled as that answer. Who edits an earlier one hears that it counts as it was.
    if let UpdateKind::EditedMessage(message) = &update.kind {
        let edit_of = ctx.update(|dialogue| dialogue.reopen_answer(message.id.0));
        // A location that moves is edited again and again.
        if edit_of == EditOf::TakenAnswer && ctx.words().is_some() {
            ctx.reply(t!(ctx.language, "edit-not-taken")).await.ok();
        }
        if edit_of != EditOf::LastAnswer {
            return;
        }
        update.kind = UpdateKind::Message(message.clone());
    } else if ctx.album_of_part() == Some(AlbumOf::Answered) {
        return;
    }
    let answered = metrics::record_update(kind_of(&update), async {
        let handled = handle(tree, &ctx, update).await;
        // Also after an error: what has been shown by then is on the screen.
        let saved = ctx.save().await;
        handled.and(saved.map_err(Into::into))
    });
    if let Err(error) = Box::pin(answered).await {
        apologise(&ctx, error).await;
    }
    ctx.answer(None, false).await;
}

/// Whether Telegram holds the whole bot: then a tap is answered at once, and the sender of a message hears when it is over. A
/// message waits for the end of a short hold.
async fn is_held(ctx: &Ctx) -> bool {
    let left = ctx.deps.rate_limiter.pause_left();
    match &ctx.origin {
        _ if left.is_zero() => false,
        Origin::Callback { .. } => {
            ctx.answer(Some(l!(ctx.language, "try-in-a-moment")), true).await;
            true
        }
        Origin::Message(_) if left <= HELD_MESSAGE_MAX => {
            tokio::time::sleep(left).await;
            false
        }
        Origin::Message(_) => {
            tell_after(ctx, left);
            true
        }
        Origin::Other => false,
    }
}

/// Asks the sender of a message to send it again, once Telegram takes an answer.
fn tell_after(ctx: &Ctx, wait: Duration) {
    if !ctx.deps.held_up.insert(ctx.id()) {
        return;
    }
    let (deps, id, language) = (Arc::clone(&ctx.deps), ctx.id(), ctx.language);
    tokio::spawn(async move {
        tokio::time::sleep(wait.min(TELL_MAX)).await;
        // At its turn: many people may wait for the same moment.
        let turn = deps.rate_limiter.acquire(Instant::now() + TELL_MAX, &Stop::new()).await;
        deps.held_up.remove(id);
        if turn == Turn::Granted {
            let screen = Screen::new(t!(language, "message-held-up"));
            deps.telegram.show_new(ChatId(id.get()), &screen).await.ok();
        }
    });
}

async fn handle(tree: &Tree, ctx: &Ctx, update: Update) -> HandlerResult {
    if ctx.message().is_some() {
        onboarding::register_user(ctx).await?;
    }
    ctx.end_old_support();
    let step = ctx.step();
    if let Some(message) = ctx.message().filter(|_| step.takes_edits()) {
        let last = LastAnswer { message_id: message.id.0, step };
        ctx.update(|dialogue| dialogue.last_answer = Some(last));
    }
    // Whatever a button leads to, it does not answer the question that the keyboard belongs to.
    if ctx.tapped_here().is_some() {
        ctx.remove_keyboard().await?;
    }
    let dispatched = tree.dispatch(dptree::deps![update, ctx.clone()]).await;
    if !ctx.gathers_album() {
        ctx.expect_more_of_album(AlbumOf::Answered);
    }
    ctx.prolong_support();
    match dispatched {
        ControlFlow::Break(result) => result,
        ControlFlow::Continue(_) => Ok(()),
    }
}

/// Who sent it, and what they did. `None`: nothing that this bot answers.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "Telegram adds kinds of updates, and the bot does not ask for those"
)]
fn sender(update: &Update) -> Option<(Person, Origin)> {
    let (user, origin) = match &update.kind {
        UpdateKind::Message(message) | UpdateKind::EditedMessage(message) if message.chat.is_private() => {
            (message.from.as_ref()?, Origin::Message(Box::new(message.clone())))
        }
        UpdateKind::CallbackQuery(query) => {
            let (chat, shown) = tapped_message(query.message.as_ref()?);
            (&query.from, Origin::Callback { query: query.id.clone(), chat, shown })
        }
        UpdateKind::InlineQuery(query) => (&query.from, Origin::Other),
        UpdateKind::MyChatMember(member) if member.chat.is_private() => (&member.from, Origin::Other),
        _ => return None,
    };
    Some((Person::of(user)?, origin))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "as in `sender`")]
fn kind_of(update: &Update) -> &'static str {
    match &update.kind {
        UpdateKind::Message(_) => "message",
        UpdateKind::CallbackQuery(_) => "callback",
        UpdateKind::InlineQuery(_) => "inline",
        UpdateKind::MyChatMember(_) => "member",
        _ => "other",
    }
}

async fn apologise(ctx: &Ctx, error: HandlerError) {
    let id = ctx.id();
    match error {
        HandlerError::Telegram(SendError::ChatClosed(reason)) if ctx.is_tap_elsewhere() => {
            tracing::warn!(user.id = %id, %reason, "the bot may not write to the chat of a tapped button");
        }
        HandlerError::Telegram(SendError::ChatClosed(reason)) => {
            tracing::info!(user.id = %id, %reason, "the person cannot be written to");
            if let Err(error) = ctx.record_blocked().await {
                tracing::debug!(%error, "that the person blocked the bot could not be recorded");
            }
            return;
        }
        HandlerError::Telegram(SendError::Wait(wait)) => {
            tracing::warn!(user.id = %id, wait_ms = wait.as_millis(), "an answer has to wait, by Telegram's limits");
            if matches!(ctx.origin, Origin::Message(_)) {
                tell_after(ctx, wait);
            }
            return ctx.answer(Some(l!(ctx.language, "try-in-a-moment")), true).await;
        }
        HandlerError::Telegram(error) => {
            tracing::warn!(user.id = %id, ?error, "an answer could not be sent");
            // A message would fail like the answer; a tap can be answered all the same.
            return ctx.answer(Some(l!(ctx.language, "try-later")), true).await;
        }
        HandlerError::Store(error) => tracing::warn!(user.id = %id, %error, "an update could not be handled"),
        HandlerError::Ledger(error) => {
            tracing::warn!(user.id = %id, %error, "the webhook service did not do what a shopper asked for");
        }
    }
    ctx.alert(l!(ctx.language, "try-later")).await.ok();
}
