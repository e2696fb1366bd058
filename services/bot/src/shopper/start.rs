//! The first meeting.

use crate::{
    ctx::{Ctx, Done},
    shopper::menu,
};

/// /start: the shopper is known from now on.
pub(crate) async fn start(ctx: Ctx, _link: String) -> Done {
    ctx.shop().meet(ctx.id(), None).await?;
    menu::open(ctx).await
}
