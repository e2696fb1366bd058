//! Registers new users and notifies whoever invited them.

use teloxide::{types::ChatMemberUpdated, utils::command::BotCommands};
use tolov_domain::{UserId, ports::PortError};
use tolov_shop::shopper::{self, Person};

use crate::{
    conversation::{
        callback::ShopCallback,
        command::Command,
        context::Ctx,
        error::HandlerResult,
        link::Link,
        screen::{Button, Screen},
    },
    texts::{l, t},
};

/// Runs before a message is answered. Costs one read where nothing is new.
pub(crate) async fn register_user(ctx: &Ctx) -> HandlerResult {
    let person = Person {
        id: ctx.id(),
        name: &ctx.person.name,
        username: ctx.person.username.as_deref(),
        language: ctx.language,
    };
    let referrer_id = referrer(ctx).await?;
    let registered = shopper::register_user(ctx.documents(), person, referrer_id, ctx.now()).await?;
    if let Some(referrer_id) = referrer_id.filter(|_| registered.is_applied()) {
        notify_referrer(ctx, referrer_id).await;
    }
    Ok(())
}

/// Whose link the person followed: a known user other than the person.
async fn referrer(ctx: &Ctx) -> Result<Option<UserId>, PortError> {
    let command = ctx.text().and_then(|text| Command::parse(text, ctx.deps.username()).ok());
    let Some(Command::Start(payload)) = command else { return Ok(None) };
    let Some(Link::Referral(id)) = Link::parse(&payload) else { return Ok(None) };
    if id == ctx.id() || !ctx.is_new || shopper::shopper(ctx.documents(), id).await?.is_none() {
        return Ok(None);
    }
    Ok(Some(id))
}

/// Best effort: nothing depends on this message.
async fn notify_referrer(ctx: &Ctx, referrer_id: UserId) {
    let language = ctx.deps.language_of(referrer_id).await;
    let screen = Screen::new(t!(language, "friend-joined", name = ctx.person.name))
        .row([Button::callback(l!(language, "menu-profile"), ShopCallback::Profile)]);
    if let Err(error) = ctx.deps.send_to(referrer_id, &screen).await {
        tracing::info!(user.id = %referrer_id, %error, "a referrer could not be notified of a new user");
    }
}

/// The bot was blocked or unblocked.
pub(crate) async fn record_membership(ctx: Ctx, change: ChatMemberUpdated) -> HandlerResult {
    if change.new_chat_member.is_present() {
        shopper::mark_reachable(ctx.documents(), ctx.id()).await?;
    } else {
        ctx.record_blocked().await?;
    }
    Ok(())
}
