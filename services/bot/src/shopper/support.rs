//! Messages of shoppers to staff.

use crate::{
    conversation::{
        callback::ShopCallback,
        context::Ctx,
        dialogue::Step,
        error::HandlerResult,
        screen::{Button, Screen},
    },
    staff::people::support,
    texts::{l, t},
};

pub(crate) async fn ask(ctx: Ctx) -> HandlerResult {
    if support::team(&ctx.deps, ctx.id()).await?.is_empty() {
        return ctx.alert(l!(ctx.language, "support-nobody")).await;
    }
    ctx.leave_step().await?;
    ctx.wait_for(Step::Support);
    ctx.show(question(&ctx)).await
}

/// The same as a new message, so that the answer of staff stays as it is.
pub(crate) async fn ask_below(ctx: Ctx) -> HandlerResult {
    ctx.leave_step().await?;
    ctx.wait_for(Step::Support);
    ctx.show_below(question(&ctx)).await
}

fn question(ctx: &Ctx) -> Screen {
    Screen::new(t!(ctx.language, "support-ask"))
        .row([Button::callback(l!(ctx.language, "support-menu"), ShopCallback::Menu)])
}

/// The message. More may follow until the shopper goes elsewhere.
pub(crate) async fn take(ctx: Ctx) -> HandlerResult {
    if support::team(&ctx.deps, ctx.id()).await?.is_empty() {
        return ctx.reply(t!(ctx.language, "support-nobody")).await;
    }
    let Some(forwarded) = support::take_message(&ctx).await? else { return Ok(()) };
    match forwarded {
        support::Forwarded::ToStaff => {
            let screen = Screen::new(t!(ctx.language, "support-sent"))
                .row([Button::callback(l!(ctx.language, "support-menu"), ShopCallback::Menu)]);
            ctx.show(screen).await
        }
        support::Forwarded::Unsupported => ctx.reply(t!(ctx.language, "support-not-such")).await,
        support::Forwarded::ToNobody => ctx.reply(t!(ctx.language, "support-nobody-now")).await,
    }
}
