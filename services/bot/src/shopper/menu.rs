//! The main menu.

use crate::{
    ctx::{Ctx, Done},
    dialogue::Step,
    press::ShopPress,
    screen::{Button, Screen},
    text::{l, t},
};

pub(crate) async fn open(ctx: Ctx) -> Done {
    ctx.expect(Step::Idle).await?;
    let language = ctx.language;
    let screen = Screen::new(t!(language, "greeting"))
        .row([Button::press(l!(language, "menu-catalogue"), ShopPress::Categories { page: 0 })]);
    ctx.show(screen).await
}
