//! One update from its arrival to its answer.

use std::{ops::ControlFlow, sync::Arc};

use teloxide::{
    dptree,
    types::{Update, UpdateKind},
};

use crate::{
    conversation::{
        context::{Ctx, Origin, Person, shown_of},
        error::HandlerError,
        schema::Tree,
    },
    deps::HandlerDeps,
    metrics,
    shopper::account::onboarding,
    telegram::errors::SendError,
    texts::l,
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
            if let Origin::Callback { query, .. } = origin {
                deps.telegram.answer_callback(query, Some(text), true).await;
            } else if matches!(origin, Origin::Message(_)) {
                deps.tell(id, &crate::conversation::screen::Screen::new(text)).await.ok();
            }
            return;
        }
    };
    let kind = kind_of(&update);
    let answered = metrics::record_update(kind, async {
        if matches!(ctx.origin, Origin::Message(_)) {
            onboarding::meet(&ctx).await?;
        }
        match tree.dispatch(dptree::deps![update, ctx.clone()]).await {
            ControlFlow::Break(done) => done,
            ControlFlow::Continue(_) => Ok(()),
        }
    });
    if let Err(error) = answered.await {
        apologise(&ctx, error).await;
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
            (&query.from, Origin::Callback { query: query.id.clone(), chat, shown })
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
        UpdateKind::CallbackQuery(_) => "callback",
        UpdateKind::InlineQuery(_) => "inline",
        UpdateKind::MyChatMember(_) => "member",
        _ => "other",
    }
}

async fn apologise(ctx: &Ctx, error: HandlerError) {
    match &error {
        HandlerError::Telegram(SendError::ChatClosed(reason)) => {
            tracing::info!(user.id = %ctx.id(), reason, "a person cannot be written to");
            if let Err(error) = ctx.is_gone().await {
                tracing::debug!(%error, "that somebody is gone could not be kept");
            }
            return;
        }
        HandlerError::Telegram(error) => {
            tracing::warn!(user.id = %ctx.id(), ?error, "an answer could not be sent");
        }
        HandlerError::Store(error) => {
            tracing::warn!(user.id = %ctx.id(), %error, "an update could not be handled");
        }
        HandlerError::LedgerClient(error) => {
            tracing::warn!(user.id = %ctx.id(), %error, "the webhook service did not do what a shopper wanted");
        }
    }
    if !matches!(error, HandlerError::Telegram(_)) {
        ctx.alert(l!(ctx.language, "try-later")).await.ok();
    }
}
