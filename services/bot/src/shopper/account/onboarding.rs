//! Who writes is made known, and whoever invited them hears of it.

use teloxide::{types::ChatMemberUpdated, utils::command::BotCommands};
use tolov_domain::{UserId, ports::shop::Recorded};
use tolov_shop::profile::{self, Seeing};

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

/// Before a message is answered. Costs one read where nothing is new.
pub(crate) async fn meet(ctx: &Ctx) -> HandlerResult {
    let person = Seeing { id: ctx.id(), name: &ctx.person.name, username: ctx.person.username.as_deref() };
    let referrer_id = referrer(ctx).await?;
    let met = profile::meet(ctx.documents(), person, referrer_id, ctx.now()).await?;
    if met == Recorded::Now {
        ctx.shop().meet(ctx.id(), None).await?;
        if let Some(referrer_id) = referrer_id {
            thank(ctx, referrer_id).await;
        }
    }
    Ok(())
}

/// Whose link brought the person: somebody known, and not the person.
async fn referrer(ctx: &Ctx) -> Result<Option<UserId>, tolov_domain::ports::PortError> {
    let command = ctx.text().and_then(|text| Command::parse(text, ctx.deps.username()).ok());
    let Some(Command::Start(payload)) = command else { return Ok(None) };
    let Some(Link::Referral(id)) = Link::parse(&payload) else { return Ok(None) };
    // Who has shopped here before profiles were kept is nobody's new friend.
    if id == ctx.id() || ctx.has_chosen || ctx.shop().user(id).await?.is_none() {
        return Ok(None);
    }
    Ok(Some(id))
}

/// A kindness: where it cannot be sent nothing is lost.
async fn thank(ctx: &Ctx, referrer_id: UserId) {
    let language = ctx.deps.language_of(referrer_id).await;
    let screen = Screen::new(t!(language, "friend-joined", name = ctx.person.name))
        .row([Button::callback(l!(language, "menu-profile"), ShopCallback::Profile)]);
    if let Err(error) = ctx.deps.tell(referrer_id, &screen).await {
        tracing::info!(user.id = %referrer_id, ?error, "somebody could not be told that a friend has joined");
    }
}

/// The bot was blocked, or let in again.
pub(crate) async fn membership(ctx: Ctx, change: ChatMemberUpdated) -> HandlerResult {
    if change.new_chat_member.is_present() {
        profile::is_back(ctx.documents(), ctx.id()).await?;
    } else {
        ctx.is_gone().await?;
    }
    Ok(())
}
