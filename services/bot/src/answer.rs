//! One update from its arrival to its answer.

use std::{ops::ControlFlow, sync::Arc};

use teloxide::{
    dptree,
    types::{Update, UpdateKind},
};

use crate::{
    counted::handled,
    ctx::{Ctx, HandlerDeps, Origin, Person, Trouble, shown_of},
    schema::Tree,
    shopper::acquaintance,
    telegram::SendError,
    text::l,
};

/// Answers an update. Never fails: what goes wrong is logged, and the person is asked to try again where that helps.
pub(crate) async fn answer(tree: &Tree, deps: &Arc<HandlerDeps>, update: Update) {
    let Some((person, origin)) = who(&update) else { return };
    let (language, id) = (person.told.unwrap_or_default(), person.id);
    let ctx = match Ctx::of(Arc::clone(deps), person, origin.clone()).await {
        Ok(ctx) => ctx,
        Err(error) => {
            tracing::warn!(user.id = %id, %error, "a person cannot be answered: the shop store does not answer");
            let text = l!(language, "try-later");
            if let Origin::Press { query, .. } = origin {
                deps.telegram.answer_press(query, Some(text), true).await;
            } else if matches!(origin, Origin::Message(_)) {
                deps.tell(id, &crate::screen::Screen::new(text)).await.ok();
            }
            return;
        }
    };
    let kind = kind_of(&update);
    let answered = handled(kind, async {
        if matches!(ctx.origin, Origin::Message(_)) {
            acquaintance::meet(&ctx).await?;
        }
        match tree.dispatch(dptree::deps![update, ctx.clone()]).await {
            ControlFlow::Break(done) => done,
            ControlFlow::Continue(_) => Ok(()),
        }
    });
    if let Err(trouble) = answered.await {
        apologise(&ctx, trouble).await;
    }
    ctx.answer(None, false).await;
}

/// Who did it, and what was done. `None`: nothing that this bot answers.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "Telegram's kinds of updates grow, and new ones are not ours"
)]
fn who(update: &Update) -> Option<(Person, Origin)> {
    let (user, origin) = match &update.kind {
        UpdateKind::Message(message) if message.chat.is_private() => {
            (message.from.as_ref()?, Origin::Message(Box::new(message.clone())))
        }
        UpdateKind::CallbackQuery(query) => {
            let (chat, shown) = shown_of(query.message.as_ref()?);
            (&query.from, Origin::Press { query: query.id.clone(), chat, shown })
        }
        UpdateKind::InlineQuery(query) => (&query.from, Origin::Other),
        UpdateKind::MyChatMember(member) if member.chat.is_private() => (&member.from, Origin::Other),
        _ => return None,
    };
    Some((Person::of(user)?, origin))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the same")]
fn kind_of(update: &Update) -> &'static str {
    match &update.kind {
        UpdateKind::Message(_) => "message",
        UpdateKind::CallbackQuery(_) => "press",
        UpdateKind::InlineQuery(_) => "inline",
        UpdateKind::MyChatMember(_) => "member",
        _ => "other",
    }
}

async fn apologise(ctx: &Ctx, trouble: Trouble) {
    match &trouble {
        Trouble::Telegram(SendError::ChatClosed(reason)) => {
            tracing::info!(user.id = %ctx.id(), reason, "a person cannot be written to");
            if let Err(error) = ctx.is_gone().await {
                tracing::debug!(%error, "that somebody is gone could not be kept");
            }
            return;
        }
        Trouble::Telegram(error) => {
            tracing::warn!(user.id = %ctx.id(), ?error, "an answer could not be sent");
        }
        Trouble::Store(error) => {
            tracing::warn!(user.id = %ctx.id(), %error, "an update could not be handled");
        }
        Trouble::Cashier(error) => {
            tracing::warn!(user.id = %ctx.id(), %error, "the webhook service did not do what a shopper wanted");
        }
    }
    if !matches!(trouble, Trouble::Telegram(_)) {
        ctx.alert(l!(ctx.language, "try-later")).await.ok();
    }
}
