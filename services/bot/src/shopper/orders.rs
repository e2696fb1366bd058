//! A shopper's orders: the list, one of them, and what can be done about it.

use tolov_domain::{OrderId, OrderedProduct};
use tolov_shop::{
    cart::{self, CartChange},
    fulfilment::{By, Fulfilment, Stage, fulfilment, fulfilments_of},
};

use crate::{
    conversation::{
        callback::ShopCallback,
        context::{Ctx, Origin},
        error::{HandlerError, HandlerResult},
        screen::{Button, Screen},
    },
    orders::{
        cancel::{CancelOutcome, cancel_unpaid},
        order_message,
    },
    shopper::{cart as cart_screens, menu},
    texts::{l, money, t},
};

const ORDERS_PER_PAGE: u32 = 8;

pub(crate) async fn open_first_page(ctx: Ctx) -> HandlerResult {
    open(ctx, 0).await
}

pub(crate) async fn open(mut ctx: Ctx, page: u32) -> HandlerResult {
    menu::rest(&mut ctx).await?;
    let language = ctx.language;
    let skip = page.saturating_mul(ORDERS_PER_PAGE);
    // One more than is shown: whether there is a next page.
    let mut orders = fulfilments_of(ctx.documents(), ctx.id(), skip, ORDERS_PER_PAGE + 1).await?;
    let shown = usize::try_from(ORDERS_PER_PAGE).unwrap_or(usize::MAX);
    let is_last = orders.len() <= shown;
    orders.truncate(shown);
    let menu = Button::callback(l!(language, "back-to-menu"), ShopCallback::Menu);
    if orders.is_empty() && page == 0 {
        return ctx.show(Screen::new(t!(language, "orders-empty")).row([menu])).await;
    }
    let label = |order: &Fulfilment| {
        let state = order_message::state(language, order.stage);
        format!("№{} · {} · {}", order.id, money(language, order.total), state)
    };
    let row =
        |order: &Fulfilment| vec![Button::callback(label(order), ShopCallback::OpenOrder { id: order.id })];
    let mut pages = Vec::new();
    if page > 0 {
        pages.push(Button::callback("◀️", ShopCallback::Orders { page: page - 1 }));
    }
    if !is_last {
        pages.push(Button::callback("▶️", ShopCallback::Orders { page: page.saturating_add(1) }));
    }
    let screen =
        Screen::new(t!(language, "orders-title")).rows(orders.iter().map(row)).row(pages).row([menu]);
    ctx.show(screen).await
}

/// One order, where the list was.
pub(crate) async fn show(ctx: Ctx, id: OrderId) -> HandlerResult {
    let Some(order) = own_order(&ctx, id).await? else { return ctx.stale().await };
    show_again(&ctx, &order).await
}

async fn show_order(ctx: &Ctx, order: &Fulfilment) -> HandlerResult {
    let language = ctx.language;
    let screen = order_message::screen(language, order, ctx.now(), &ctx.deps)
        .row([Button::callback(l!(language, "back-to-orders"), ShopCallback::Orders { page: 0 })]);
    ctx.show(screen).await
}

/// "Check payment": reads where the order stands, and changes nothing about it.
pub(crate) async fn check(ctx: Ctx, id: OrderId) -> HandlerResult {
    let Some(order) = own_order(&ctx, id).await? else { return ctx.stale().await };
    let language = ctx.language;
    let text = if order.stage == Stage::Waiting {
        l!(language, "check-not-yet")
    } else {
        order_message::state(language, order.stage)
    };
    ctx.toast(text).await?;
    show_again(&ctx, &order).await
}

/// Whether the tap was on the order's own message or on the screen, that is what is brought up to date.
async fn show_again(ctx: &Ctx, order: &Fulfilment) -> HandlerResult {
    if is_own_message(ctx, order) {
        order_message::refresh(&ctx.deps, order.id).await?;
        ctx.answer(None, false).await;
        return Ok(());
    }
    show_order(ctx, order).await
}

fn is_own_message(ctx: &Ctx, order: &Fulfilment) -> bool {
    let Origin::Callback { shown: Some(shown), .. } = &ctx.origin else { return false };
    order.shopper_message_id == Some(i64::from(shown.message_id))
}

pub(crate) async fn ask_to_cancel(ctx: Ctx, id: OrderId) -> HandlerResult {
    let Some(order) = own_order(&ctx, id).await? else { return ctx.stale().await };
    if order.stage != Stage::Waiting {
        return show_again(&ctx, &order).await;
    }
    let language = ctx.language;
    let screen = Screen::new(t!(language, "cancel-surely", order = id)).row([
        Button::callback(l!(language, "cancel-yes"), ShopCallback::CancelOrderConfirmed { id }),
        Button::callback(l!(language, "back"), ShopCallback::OpenOrder { id }),
    ]);
    // The order's message asks in its own place, and does not become the screen that the next one replaces.
    if let Origin::Callback { shown: Some(shown), .. } = &ctx.origin
        && is_own_message(&ctx, &order)
    {
        ctx.deps.telegram.change(ctx.chat(), *shown, &screen).await?;
        ctx.answer(None, false).await;
        return Ok(());
    }
    ctx.show(screen).await
}

pub(crate) async fn cancel(ctx: Ctx, id: OrderId) -> HandlerResult {
    if own_order(&ctx, id).await?.is_none() {
        return ctx.stale().await;
    }
    let language = ctx.language;
    match cancel_unpaid(&ctx.deps, id, By::Shopper).await? {
        CancelOutcome::Done(_) => ctx.toast(l!(language, "cancelled-now")).await?,
        CancelOutcome::Paid => ctx.alert(l!(language, "cancel-too-late")).await?,
        CancelOutcome::NotWaiting => {}
    }
    let Some(order) = own_order(&ctx, id).await? else { return ctx.stale().await };
    if !is_own_message(&ctx, &order) {
        order_message::refresh(&ctx.deps, id).await?;
    }
    show_again(&ctx, &order).await
}

/// The same things into the cart once more; what is not there any more is said.
pub(crate) async fn again(ctx: Ctx, id: OrderId) -> HandlerResult {
    let Some(order) = own_order(&ctx, id).await? else { return ctx.stale().await };
    let in_cart = ctx.shop().user(ctx.id()).await?.map(|user| user.cart).unwrap_or_default();
    let mut missing = Vec::new();
    for line in &order.lines {
        // What is in the cart already, perhaps by a first tap on this button, is not doubled.
        let there = in_cart.iter().find(|there| there.product_id == line.product_id);
        let count = there.map_or(line.count, |there| there.count.max(line.count));
        let wanted = OrderedProduct { product_id: line.product_id, count };
        match cart::set(ctx.shop(), ctx.id(), wanted, ctx.now()).await? {
            CartChange::Set(_) => {}
            CartChange::OnlyLeft(_) | CartChange::Gone | CartChange::Full => {
                missing.push(teloxide::utils::html::escape(&line.title));
            }
        }
    }
    if !missing.is_empty() {
        let list = crate::texts::Html(missing.join(", "));
        ctx.reply(t!(ctx.language, "again-missing", titles = list)).await?;
    }
    // The order's message stays as it is; the cart is a message of its own.
    if is_own_message(&ctx, &order) {
        return cart_screens::open_below(ctx).await;
    }
    cart_screens::open(ctx).await
}

/// An order of this shopper; nobody else's, whatever a button says.
async fn own_order(ctx: &Ctx, id: OrderId) -> Result<Option<Fulfilment>, HandlerError> {
    let order = fulfilment(ctx.documents(), id).await?;
    Ok(order.filter(|order| order.user_id == ctx.id()))
}
