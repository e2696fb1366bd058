//! A shopper's orders: the list, one of them, and what can be done about it.

use tolov_domain::{OrderId, OrderedProduct, ports::documents::Query};
use tolov_shop::{
    order::{Actor, ORDERS, ShopOrder, Stage, order, orders_of},
    shopper::{
        self,
        cart::{self, CartChange},
    },
};

use crate::{
    conversation::{
        callback::ShopCallback,
        context::Ctx,
        dialogue::ShownMessage,
        error::{HandlerError, HandlerResult},
        pages::{self, PER_PAGE, page_buttons},
        screen::{Button, Screen},
    },
    orders::{
        cancel::{CancelOutcome, cancel_unpaid},
        messages::messages_of,
        order_message,
        texts::stage_for_shopper,
    },
    shopper::cart as cart_screens,
    telegram::client::MessageRef,
    texts::{Html, l, money, number, t},
};

pub(crate) async fn open_first_page(ctx: Ctx) -> HandlerResult {
    open(ctx, 0).await
}

pub(crate) async fn open(ctx: Ctx, page: u32) -> HandlerResult {
    ctx.leave_step().await?;
    let language = ctx.language;
    let count = ctx.documents().count(&Query::is(ORDERS, "user_id", ctx.id().get(), 1)).await?;
    let orders = orders_of(ctx.documents(), ctx.id(), page.saturating_mul(PER_PAGE), PER_PAGE).await?;
    let menu = Button::callback(l!(language, "back-to-menu"), ShopCallback::Menu);
    if count == 0 {
        return ctx.show(Screen::new(t!(language, "orders-empty")).row([menu])).await;
    }
    let row = |order: &ShopOrder| {
        let (sum, stage) = (money(language, order.total), stage_for_shopper(language, order));
        let label = format!("{} · {sum} · {stage}", number(language, order.id));
        vec![Button::callback(label, ShopCallback::OpenOrder { id: order.id })]
    };
    let screen = Screen::new(t!(language, "orders-title"))
        .rows(orders.iter().map(row))
        .row(page_buttons(page, pages::count(count), |page| ShopCallback::Orders { page }))
        .row([menu]);
    ctx.show(screen).await
}

/// One order, in the place of the list.
pub(crate) async fn show(ctx: Ctx, id: OrderId) -> HandlerResult {
    let Some(order) = own_order(&ctx, id).await? else { return ctx.stale().await };
    show_again(&ctx, &order).await
}

/// "Check payment": shows where the order stands, and changes nothing about it.
pub(crate) async fn check(ctx: Ctx, id: OrderId) -> HandlerResult {
    let Some(order) = own_order(&ctx, id).await? else { return ctx.stale().await };
    let language = ctx.language;
    let text = if order.stage() == Stage::AwaitingPayment {
        l!(language, "check-not-yet")
    } else {
        stage_for_shopper(language, &order)
    };
    ctx.toast(text).await?;
    show_again(&ctx, &order).await
}

/// Updates the order's own message where the tap was on it, else the screen.
async fn show_again(ctx: &Ctx, order: &ShopOrder) -> HandlerResult {
    if tapped_own_message(ctx, order.id).await?.is_some() {
        order_message::refresh(&ctx.deps, order.id).await?;
        ctx.answer(None, false).await;
        return Ok(());
    }
    let screen = order_message::screen(ctx.language, order, ctx.now(), &ctx.deps)
        .row([Button::callback(l!(ctx.language, "back-to-orders"), ShopCallback::Orders { page: 0 })]);
    ctx.show(screen).await?;
    let is_payable = order.stage() == Stage::AwaitingPayment;
    ctx.update(|dialogue| dialogue.payable = is_payable.then_some(order.id));
    Ok(())
}

/// The tapped message, where it is the order's own.
async fn tapped_own_message(ctx: &Ctx, id: OrderId) -> Result<Option<ShownMessage>, HandlerError> {
    let Some(shown) = ctx.tapped_here() else { return Ok(None) };
    let tapped = MessageRef { chat: ctx.chat(), message_id: shown.message_id };
    let own = messages_of(ctx.documents(), id).await?.shopper;
    Ok(own.is_some_and(|own| own.place == tapped).then_some(shown))
}

pub(crate) async fn ask_to_cancel(ctx: Ctx, id: OrderId) -> HandlerResult {
    let Some(order) = own_order(&ctx, id).await? else { return ctx.stale().await };
    if order.stage() != Stage::AwaitingPayment {
        return show_again(&ctx, &order).await;
    }
    let language = ctx.language;
    let screen = Screen::new(t!(language, "cancel-surely", order = id)).row([
        Button::callback(l!(language, "cancel-yes"), ShopCallback::CancelOrderConfirmed { id }),
        Button::callback(l!(language, "back"), ShopCallback::OpenOrder { id }),
    ]);
    // The order's message asks in its own place, and does not become the screen that the next one replaces.
    if let Some(shown) = tapped_own_message(&ctx, id).await? {
        ctx.deps.telegram.change(ctx.chat(), shown, &screen).await?;
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
    match cancel_unpaid(&ctx.deps, id, Actor::Shopper).await? {
        CancelOutcome::Cancelled(_) => ctx.toast(l!(language, "cancelled-now")).await?,
        CancelOutcome::Paid => ctx.alert(l!(language, "cancel-too-late")).await?,
        CancelOutcome::NotWaiting => {}
    }
    let Some(order) = own_order(&ctx, id).await? else { return ctx.stale().await };
    if tapped_own_message(&ctx, id).await?.is_none() {
        order_message::refresh(&ctx.deps, id).await?;
    }
    show_again(&ctx, &order).await
}

/// Puts the same products into the cart again, and says which are not available.
pub(crate) async fn order_again(ctx: Ctx, id: OrderId) -> HandlerResult {
    let Some(order) = own_order(&ctx, id).await? else { return ctx.stale().await };
    let shopper = shopper::shopper(ctx.documents(), ctx.id()).await?;
    let in_cart = shopper.map(|shopper| shopper.cart).unwrap_or_default();
    let mut missing = Vec::new();
    for line in &order.lines {
        // What is in the cart already, perhaps from a first tap on this button, is not doubled.
        let there = in_cart.iter().find(|there| there.product_id == line.product_id);
        let count = there.map_or(line.count, |there| there.count.max(line.count));
        let wanted = OrderedProduct { product_id: line.product_id, count };
        match cart::set(ctx.documents(), ctx.id(), wanted).await? {
            CartChange::Set(_) => {}
            CartChange::OnlyLeft(_) | CartChange::Gone | CartChange::Full => {
                missing.push(teloxide::utils::html::escape(&line.title));
            }
        }
    }
    if !missing.is_empty() {
        ctx.reply(t!(ctx.language, "again-missing", titles = Html(missing.join(", ")))).await?;
    }
    // The order's message stays as it is; the cart is a message of its own.
    if tapped_own_message(&ctx, id).await?.is_some() {
        return cart_screens::open_below(ctx).await;
    }
    cart_screens::open(ctx).await
}

/// The order, where it is this shopper's, whatever the button says.
async fn own_order(ctx: &Ctx, id: OrderId) -> Result<Option<ShopOrder>, HandlerError> {
    let order = order(ctx.documents(), id).await?;
    Ok(order.filter(|order| order.user_id == ctx.id()))
}
