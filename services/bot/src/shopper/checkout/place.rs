//! The order itself: placed, registered with the ledger, shown with its pay button.

use time::Duration;
use tolov_domain::{OrderId, Outcome};
use tolov_shop::{
    order::{self, Actor, OrderAction, ShopOrder, Stage, orders_of},
    promo::PromoRefusal,
    settling,
    shopper::{
        self, cart,
        checkout::{self, Placed},
    },
};

use crate::{
    conversation::{
        callback::ShopCallback,
        context::Ctx,
        dialogue::{Draft, Step},
        error::{HandlerError, HandlerResult},
        screen::{Button, Screen},
    },
    orders::{
        ledger_client::{LedgerError, Registration},
        messages::{SentMessage, change_messages},
        order_message,
    },
    shopper::{
        cart as cart_screens,
        checkout::{
            draft,
            steps::{leave_button, review},
            waiting,
        },
    },
    telegram::client::MessageRef,
    texts::{l, t},
};

/// How many order numbers are tried when the ledger has given them to other orders.
const NUMBERS_MAX: usize = 3;

/// What the tap on "pay" led to.
enum Confirmed {
    Placed(Box<ShopOrder>),
    /// Another order of the shopper's waits for its payment, placed since the checkout began.
    AnotherWaits(Box<ShopOrder>),
    /// The cart cannot be bought as it was shown.
    CartChanged,
    PriceChanged,
    PromoRefused(PromoRefusal),
    /// The order is not registered. The next tap tries again.
    NotRegistered,
    /// Nothing is shown that could be ordered.
    Stale,
}

/// The result of registering an order.
enum Registered {
    Yes(Box<ShopOrder>),
    No,
    /// Nothing of the order is left; another number may work.
    NumberTaken {
        highest: Option<OrderId>,
    },
}

/// "Pay", in the checkout or in the cart of somebody who has ordered before: what is shown is ordered, and can be paid.
pub(crate) async fn place(ctx: Ctx) -> HandlerResult {
    let Some(draft) = ctx.draft().filter(|draft| draft.shown_total.is_some()) else {
        return confirmed_before(ctx).await;
    };
    match confirm(&ctx, draft).await? {
        Confirmed::Placed(order) => finish(ctx, &order).await,
        Confirmed::AnotherWaits(order) => waiting::offer(&ctx, &order).await,
        Confirmed::CartChanged => {
            ctx.alert(l!(ctx.language, "checkout-look-at-news")).await?;
            cart_screens::open(ctx).await
        }
        Confirmed::PriceChanged => {
            ctx.alert(l!(ctx.language, "checkout-price-changed")).await?;
            review(ctx).await
        }
        Confirmed::PromoRefused(refusal) => {
            ctx.reply(cart_screens::refusal_text(ctx.language, refusal)).await?;
            review(ctx).await
        }
        Confirmed::NotRegistered => {
            let screen = Screen::new(t!(ctx.language, "checkout-not-registered"))
                .row([Button::callback(l!(ctx.language, "try-again"), ShopCallback::PlaceOrder)])
                .row([leave_button(ctx.language)]);
            ctx.show(screen).await
        }
        Confirmed::Stale => ctx.stale().await,
    }
}

/// The second of two taps on "pay".
async fn confirmed_before(ctx: Ctx) -> HandlerResult {
    const JUST_NOW: Duration = Duration::minutes(1);
    let latest = orders_of(ctx.documents(), ctx.id(), 0, 1).await?.into_iter().next();
    let is_new =
        |order: &ShopOrder| order.placed_at + JUST_NOW > ctx.now() && order.stage() == Stage::AwaitingPayment;
    match latest.filter(is_new) {
        Some(order) => ctx.toast(l!(ctx.language, "checkout-placed-before", order = order.id)).await,
        None => ctx.stale().await,
    }
}

/// May be repeated: the draft's order number makes every repetition end in the same order.
async fn confirm(ctx: &Ctx, draft: Draft) -> Result<Confirmed, HandlerError> {
    let documents = ctx.documents();
    let quote = cart::quote(documents, ctx.id(), ctx.now()).await?;
    // An order that an earlier attempt stored keeps what was agreed then.
    let stored = match draft.order_id {
        Some(id) => order::order(documents, id).await?,
        None => None,
    };
    let is_new = stored.is_none();
    if is_new && (quote.must_be_seen() || !quote.is_sold() || quote.pieces() > cart::PIECES_MAX) {
        return Ok(Confirmed::CartChanged);
    }
    if stored.is_some_and(|order| order.stage() == Stage::Creating && !is_as_shown(&order, &draft)) {
        draft::give_up_order(ctx).await?;
        forget_number(ctx);
        return Ok(Confirmed::PriceChanged);
    }
    if is_new && let Some(order) = draft::order_in_the_way(ctx).await? {
        return Ok(Confirmed::AnotherWaits(Box::new(order)));
    }
    let shown_total = draft.shown_total;
    let Some(agreed) = draft::agreement(ctx, draft, quote) else { return Ok(Confirmed::Stale) };
    if is_new && shown_total != Some(agreed.total()) {
        return Ok(Confirmed::PriceChanged);
    }
    let mut taken = None;
    for _ in 0..NUMBERS_MAX {
        let Some(id) = order_number(ctx, taken).await? else { return Ok(Confirmed::Stale) };
        let order = match checkout::place(documents, id, &agreed, ctx.now()).await? {
            Placed::Order(order) if order.stage() == Stage::Creating => order,
            // An earlier attempt got through, and its answer was lost.
            Placed::Order(order) if order.stage() == Stage::AwaitingPayment => {
                return Ok(Confirmed::Placed(order));
            }
            Placed::Order(_) | Placed::Short(_) | Placed::GivenUp => {
                forget_number(ctx);
                return Ok(Confirmed::CartChanged);
            }
            Placed::Promo(refusal) => {
                forget_number(ctx);
                return Ok(Confirmed::PromoRefused(refusal));
            }
        };
        match register(ctx, &order).await? {
            Registered::Yes(order) => return Ok(Confirmed::Placed(order)),
            Registered::No => return Ok(Confirmed::NotRegistered),
            Registered::NumberTaken { highest } => taken = highest.max(Some(order.id)),
        }
    }
    Ok(Confirmed::NotRegistered)
}

/// Whether the shopper sees the order that is stored. An answer after a failed attempt changes the draft alone.
fn is_as_shown(order: &ShopOrder, draft: &Draft) -> bool {
    order.terms.as_ref().is_some_and(|terms| {
        draft.shown_total == Some(order.total)
            && draft.delivery.as_ref() == Some(&terms.delivery)
            && draft.phone.as_ref() == Some(&terms.phone)
            && draft.comment == terms.comment
    })
}

/// The number of the draft, else the next one above those that are taken. `None`: another process has changed the dialogue,
/// so this update is that process's.
async fn order_number(ctx: &Ctx, taken: Option<OrderId>) -> Result<Option<OrderId>, HandlerError> {
    if let Some(id) = ctx.draft().and_then(|draft| draft.order_id) {
        return Ok(Some(id));
    }
    let id = order::next_order_id(ctx.documents(), taken).await?;
    set_number(ctx, Some(id));
    // Stored before the order is: after a crash the repeated update has to find the same number.
    Ok(ctx.checkpoint().await?.then_some(id))
}

fn forget_number(ctx: &Ctx) {
    set_number(ctx, None);
}

fn set_number(ctx: &Ctx, id: Option<OrderId>) {
    ctx.update(|dialogue| {
        if let Some(draft) = &mut dialogue.draft {
            draft.order_id = id;
        }
    });
}

/// The ledger must know an order before anybody can pay it.
async fn register(ctx: &Ctx, order: &ShopOrder) -> Result<Registered, HandlerError> {
    let (documents, id) = (ctx.documents(), order.id);
    let link = match ctx.deps.register(order).await {
        Ok(Registration::Registered(link)) => link,
        Ok(Registration::NumberTaken { highest }) => {
            tracing::warn!(
                order.id = %id,
                highest = highest.map(OrderId::get),
                "the ledger has another order of this number; the next number is tried"
            );
            checkout::discard(documents, order).await?;
            forget_number(ctx);
            return Ok(Registered::NumberTaken { highest });
        }
        Ok(Registration::Ended) => {
            tracing::warn!(order.id = %id, "an order has ended in the ledger before it was registered here");
            settling::close(documents, id, OrderAction::Cancelled, Actor::Clock, ctx.now()).await?;
            forget_number(ctx);
            return Ok(Registered::No);
        }
        Err(LedgerError::Unavailable(reason)) => {
            tracing::warn!(order.id = %id, reason, "an order is not registered yet; the shopper can try again");
            return Ok(Registered::No);
        }
        Err(error @ LedgerError::Refused(_)) => {
            tracing::error!(order.id = %id, %error, "an order cannot be registered; it is discarded");
            checkout::discard(documents, order).await?;
            forget_number(ctx);
            return Ok(Registered::No);
        }
    };
    match checkout::registered(documents, id, &link, ctx.now()).await? {
        Some((order, Outcome::Applied | Outcome::AlreadyApplied)) => {
            tracing::info!(order.id = %id, user.id = %ctx.id(), "order placed");
            Ok(Registered::Yes(Box::new(order)))
        }
        // It was given up while it was registered: nobody may pay for it.
        Some((_, Outcome::Refused(_))) | None => {
            ctx.deps.ledger.cancel(id).await?;
            forget_number(ctx);
            Ok(Registered::No)
        }
    }
}

/// The screen becomes the order's message, with the link to CLICK's page.
async fn finish(ctx: Ctx, order: &ShopOrder) -> HandlerResult {
    let screen = order_message::screen(ctx.language, order, ctx.now(), &ctx.deps);
    ctx.show(screen).await?;
    if let Some(shown) = ctx.screen() {
        let place = MessageRef { chat: ctx.chat(), message_id: shown.message_id };
        let shown = SentMessage { place, sent_at: Some(ctx.now()) };
        change_messages(ctx.documents(), order.id, |messages| messages.shopper = Some(shown)).await?;
    }
    ctx.update(|dialogue| {
        // The order's message stays where it is: the next screen is a new message.
        dialogue.screen = None;
        dialogue.draft = None;
        dialogue.step = Step::Idle;
    });
    let delivery = order.delivery();
    shopper::change(ctx.documents(), ctx.id(), |shopper| shopper.delivery = delivery.cloned()).await?;
    Ok(())
}
