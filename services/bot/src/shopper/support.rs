//! A shopper writes to staff: whatever they send goes to everybody who answers, and answers come back here.

use crate::{
    ctx::{Ctx, Done},
    dialogue::Step,
    press::ShopPress,
    screen::{Button, Screen},
    shopper::menu,
    staff::support,
    text::{l, t},
};

pub(crate) async fn ask(mut ctx: Ctx) -> Done {
    if support::team(&ctx).await?.is_empty() {
        return ctx.alert(l!(ctx.language, "support-nobody")).await;
    }
    menu::rest(&mut ctx).await?;
    ctx.expect(Step::Support).await?;
    let screen = Screen::new(t!(ctx.language, "support-ask"))
        .row([Button::press(l!(ctx.language, "support-menu"), ShopPress::Menu)]);
    ctx.show(screen).await
}

/// The message itself. More may follow (an album is several), until the shopper goes elsewhere.
pub(crate) async fn take(ctx: Ctx) -> Done {
    let team = support::team(&ctx).await?;
    if team.is_empty() {
        return ctx.say(t!(ctx.language, "support-nobody")).await;
    }
    match support::to_staff(&ctx, &team).await? {
        support::Reached::Some => {
            let screen = Screen::new(t!(ctx.language, "support-sent"))
                .row([Button::press(l!(ctx.language, "support-menu"), ShopPress::Menu)]);
            ctx.show(screen).await
        }
        support::Reached::NotSuch => ctx.say(t!(ctx.language, "support-not-such")).await,
        support::Reached::Nobody => ctx.say(t!(ctx.language, "support-nobody-now")).await,
    }
}
