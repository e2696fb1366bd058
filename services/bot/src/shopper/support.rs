//! A shopper writes to staff: whatever they send goes to everybody who answers, and answers come back here.

use crate::{
    conversation::{
        callback::ShopCallback,
        context::Ctx,
        dialogue::Step,
        error::HandlerResult,
        screen::{Button, Screen},
    },
    shopper::menu,
    staff::people::support,
    texts::{l, t},
};

pub(crate) async fn ask(mut ctx: Ctx) -> HandlerResult {
    if support::team(&ctx).await?.is_empty() {
        return ctx.alert(l!(ctx.language, "support-nobody")).await;
    }
    menu::rest(&mut ctx).await?;
    ctx.expect(Step::Support).await?;
    let screen = Screen::new(t!(ctx.language, "support-ask"))
        .row([Button::callback(l!(ctx.language, "support-menu"), ShopCallback::Menu)]);
    ctx.show(screen).await
}

/// The message itself. More may follow (an album is several), until the shopper goes elsewhere.
pub(crate) async fn take(ctx: Ctx) -> HandlerResult {
    let team = support::team(&ctx).await?;
    if team.is_empty() {
        return ctx.reply(t!(ctx.language, "support-nobody")).await;
    }
    match support::to_staff(&ctx, &team).await? {
        support::Reached::Some => {
            let screen = Screen::new(t!(ctx.language, "support-sent"))
                .row([Button::callback(l!(ctx.language, "support-menu"), ShopCallback::Menu)]);
            ctx.show(screen).await
        }
        support::Reached::NotSuch => ctx.reply(t!(ctx.language, "support-not-such")).await,
        support::Reached::Nobody => ctx.reply(t!(ctx.language, "support-nobody-now")).await,
    }
}
