//! From the cart to the pay button: phone, place, comment, summary, order.
//!
//! What was agreed so far is the draft in the dialogue. Nothing is bought before the summary is agreed to; from then on
//! the draft's order number makes every repetition (a double tap, a restart) end in the same order.

use teloxide::types::{ButtonRequest, KeyboardButton, KeyboardMarkup, Location, ReplyMarkup};
use tolov_domain::{Language, OrderId, Phone, Tiyin};
use tolov_shop::{
    cart::{self, Quote},
    checkout::{self, Agreement, Placed},
    fulfilment::{By, Deed, Delivery, Fulfilment, Moved, Stage, fulfilment},
    profile, settling,
};

use url::Url;

use super::{cart as cart_screens, contact, start::Link};
use crate::{
    cancelling::cancel_unpaid,
    cashier::CashierError,
    ctx::{Ctx, Done, Trouble},
    dialogue::{Draft, Step},
    order_message,
    press::ShopPress,
    render,
    screen::{Button, Screen},
    text::{l, money, t},
};

/// As much as a courier reads.
const TEXT_MAX_CHARS: usize = 500;

/// The first step: is everything as the shopper thinks, and whom to call?
pub(crate) async fn begin(ctx: Ctx) -> Done {
    let quote = cart::quote(ctx.shop(), ctx.id(), ctx.now()).await?;
    if quote.is_empty() || quote.has_news() {
        if quote.has_news() {
            ctx.alert(l!(ctx.language, "checkout-look-at-news")).await?;
        }
        return cart_screens::open(ctx).await;
    }
    contact::put_away(&ctx).await?;
    give_up_draft(&ctx).await?;
    let phone = ctx.shop().user(ctx.id()).await?.and_then(|user| user.phone);
    ctx.change(|dialogue| {
        dialogue.draft = Some(Draft { phone: phone.clone(), ..Draft::default() });
        dialogue.step = Step::CheckoutPhone;
    })
    .await?;
    let language = ctx.language;
    let screen = match phone.as_deref() {
        Some(phone) => {
            let label = l!(language, "checkout-keep-phone", phone = render::phone(phone));
            Screen::new(t!(language, "checkout-phone")).row([Button::press(label, ShopPress::KeepPhone)])
        }
        None => Screen::new(t!(language, "checkout-phone-first")),
    };
    ctx.show(screen.row([leave(language)])).await
}

/// A number was typed, or a contact shared (anybody's: the courier calls whoever is at home).
pub(crate) async fn take_phone(ctx: Ctx) -> Done {
    let contact = ctx.message().and_then(|message| message.contact());
    let text = contact.map(|contact| contact.phone_number.as_str()).or(ctx.text());
    let Some(phone) = text.and_then(|text| Phone::parse(text).ok()) else {
        return ctx.say(t!(ctx.language, "phone-unreadable")).await;
    };
    ctx.change(|dialogue| {
        if let Some(draft) = &mut dialogue.draft {
            draft.phone = Some(phone.as_str().to_owned());
        }
    })
    .await?;
    // The first number that a shopper types, or shares as the own one, is the shopper's.
    let owner = contact.map(|contact| contact.user_id.and_then(|id| i64::try_from(id.0).ok()));
    let is_own = owner.is_none_or(|owner| owner == Some(ctx.id().get()));
    if is_own && ctx.shop().user(ctx.id()).await?.is_some_and(|user| user.phone.is_none()) {
        ctx.shop().set_phone(ctx.id(), &phone).await?;
    }
    ask_delivery(ctx).await
}

/// How it gets to the shopper.
pub(crate) async fn ask_delivery(ctx: Ctx) -> Done {
    let language = ctx.language;
    let Some(pickup) = ctx.deps.config.pickup_address.clone() else { return ask_address(ctx).await };
    let price = ctx.deps.config.delivery_price;
    let deliver = if price > Tiyin::ZERO {
        l!(language, "checkout-deliver-for", price = money(language, price))
    } else {
        l!(language, "checkout-deliver")
    };
    let screen = Screen::new(t!(language, "checkout-delivery", place = pickup))
        .row([Button::press(deliver, ShopPress::Deliver)])
        .row([Button::press(l!(language, "checkout-pickup"), ShopPress::Pickup)])
        .row([leave(language)]);
    ctx.show(screen).await
}

/// Where to: the place of the last order, a location, or an address in words.
pub(crate) async fn ask_address(ctx: Ctx) -> Done {
    let language = ctx.language;
    ctx.expect(Step::Address).await?;
    let known = profile::profile(ctx.documents(), ctx.id()).await?.and_then(|profile| profile.delivery);
    let mut screen = Screen::new(t!(language, "checkout-address"));
    if let Some(known) = known.filter(|known| *known != Delivery::Pickup) {
        screen = screen.row([Button::press(same_place(language, &known), ShopPress::SamePlace)]);
    }
    ctx.show(screen.row([leave(language)])).await?;
    let share = KeyboardButton::new(l!(language, "checkout-share-location")).request(ButtonRequest::Location);
    let keyboard = KeyboardMarkup::new([[share]]).resize_keyboard().one_time_keyboard();
    ctx.say_with(t!(language, "checkout-location-hint"), Some(ReplyMarkup::Keyboard(keyboard))).await
}

fn same_place(language: Language, known: &Delivery) -> String {
    match known {
        Delivery::Address { text, .. } => l!(language, "checkout-same-address", place = text),
        Delivery::Location { landmark: Some(landmark), .. } => {
            l!(language, "checkout-same-address", place = landmark)
        }
        Delivery::Location { landmark: None, .. } | Delivery::Pickup => {
            l!(language, "checkout-same-location")
        }
    }
}

/// A location was sent, or an address written.
pub(crate) async fn take_address(ctx: Ctx) -> Done {
    let location = ctx.message().and_then(|message| message.location());
    let delivery = match (location, ctx.text()) {
        (Some(location), _) => located(location),
        (None, Some(text)) => Delivery::Address { text: shortened(text), landmark: None },
        (None, None) => return ctx.say(t!(ctx.language, "checkout-address-unreadable")).await,
    };
    keep_delivery(&ctx, delivery).await?;
    let language = ctx.language;
    ctx.expect(Step::Landmark).await?;
    contact::say_without_keyboard(&ctx, t!(language, "checkout-address-taken")).await?;
    let screen = Screen::new(t!(language, "checkout-landmark"))
        .row([Button::press(l!(language, "skip"), ShopPress::SkipLandmark)])
        .row([leave(language)]);
    ctx.show(screen).await
}

/// Telegram's degrees as decimal texts: nothing is calculated with them.
fn located(location: &Location) -> Delivery {
    Delivery::Location {
        latitude: format!("{:.6}", location.latitude),
        longitude: format!("{:.6}", location.longitude),
        landmark: None,
    }
}

pub(crate) async fn take_landmark(ctx: Ctx) -> Done {
    let Some(text) = ctx.text().map(shortened) else {
        return ctx.say(t!(ctx.language, "checkout-text-please")).await;
    };
    ctx.change(|dialogue| {
        let delivery = dialogue.draft.as_mut().and_then(|draft| draft.delivery.as_mut());
        if let Some(Delivery::Address { landmark, .. } | Delivery::Location { landmark, .. }) = delivery {
            *landmark = Some(text.clone());
        }
    })
    .await?;
    ask_comment(ctx).await
}

pub(crate) async fn pick_up(ctx: Ctx) -> Done {
    if ctx.deps.config.pickup_address.is_none() {
        return ctx.stale().await;
    }
    contact::put_away(&ctx).await?;
    keep_delivery(&ctx, Delivery::Pickup).await?;
    ask_comment(ctx).await
}

/// The place of the last order again.
pub(crate) async fn same_place_again(ctx: Ctx) -> Done {
    let known = profile::profile(ctx.documents(), ctx.id()).await?.and_then(|profile| profile.delivery);
    let Some(known) = known else { return ctx.stale().await };
    contact::put_away(&ctx).await?;
    keep_delivery(&ctx, known).await?;
    ask_comment(ctx).await
}

async fn keep_delivery(ctx: &Ctx, delivery: Delivery) -> Result<(), Trouble> {
    ctx.change(|dialogue| {
        if let Some(draft) = &mut dialogue.draft {
            draft.delivery = Some(delivery.clone());
        }
    })
    .await?;
    Ok(())
}

pub(crate) async fn ask_comment(ctx: Ctx) -> Done {
    ctx.expect(Step::Comment).await?;
    let language = ctx.language;
    let screen = Screen::new(t!(language, "checkout-comment"))
        .row([Button::press(l!(language, "skip"), ShopPress::SkipComment)])
        .row([leave(language)]);
    ctx.show(screen).await
}

pub(crate) async fn take_comment(ctx: Ctx) -> Done {
    let Some(text) = ctx.text().map(shortened) else {
        return ctx.say(t!(ctx.language, "checkout-text-please")).await;
    };
    ctx.change(|dialogue| {
        if let Some(draft) = &mut dialogue.draft {
            draft.comment = Some(text.clone());
        }
    })
    .await?;
    summarise(ctx).await
}

/// All that was agreed, before anything is bought.
pub(crate) async fn summarise(ctx: Ctx) -> Done {
    let quote = cart::quote(ctx.shop(), ctx.id(), ctx.now()).await?;
    if !quote.is_sold() {
        return cart_screens::open(ctx).await;
    }
    let Some(agreed) = agreement(&ctx, quote).await? else { return ctx.stale().await };
    let total = agreed.total();
    ctx.change(|dialogue| {
        dialogue.step = Step::Summary;
        if let Some(draft) = &mut dialogue.draft {
            draft.shown_total = Some(total.get());
        }
    })
    .await?;
    let language = ctx.language;
    let screen = Screen::new(summary(language, &agreed, ctx.deps.config.pickup_address.as_deref()))
        .row([Button::press(l!(language, "checkout-place"), ShopPress::PlaceOrder)])
        .row([
            Button::press(l!(language, "checkout-anew"), ShopPress::CheckOut),
            Button::press(l!(language, "checkout-back-to-cart"), ShopPress::LeaveCheckout),
        ]);
    ctx.show(screen).await
}

fn summary(language: Language, agreed: &Agreement, pickup: Option<&str>) -> String {
    let mut terms = vec![
        order_message::place(language, &agreed.delivery, pickup),
        t!(language, "term-phone", phone = agreed.phone.spaced()),
    ];
    if let Some(comment) = &agreed.comment {
        terms.push(t!(language, "term-comment", comment = comment));
    }
    [
        t!(language, "checkout-summary"),
        render::lines_of(language, &agreed.quote.order_lines()),
        cart_screens::totals(language, &agreed.quote, agreed.delivery_price),
        terms.join("\n"),
    ]
    .join("\n\n")
}

/// What the draft and the cart say together; `None` where the draft is not complete.
async fn agreement(ctx: &Ctx, quote: Quote) -> Result<Option<Agreement>, Trouble> {
    let draft = crate::dialogue::read(ctx.documents(), ctx.id()).await?.draft;
    let complete = draft.and_then(|draft| {
        let phone = draft.phone.as_deref().and_then(|phone| Phone::parse(phone).ok())?;
        Some((phone, draft.delivery?, draft.comment))
    });
    let Some((phone, delivery, comment)) = complete else { return Ok(None) };
    let delivery_price =
        if delivery == Delivery::Pickup { Tiyin::ZERO } else { ctx.deps.config.delivery_price };
    Ok(Some(Agreement { user_id: ctx.id(), quote, delivery, delivery_price, phone, comment }))
}

/// The summary is agreed to: the order is placed and can be paid.
pub(crate) async fn place(ctx: Ctx) -> Done {
    let Some(draft) = ctx.dialogue.draft.clone().filter(|_| ctx.dialogue.step == Step::Summary) else {
        return ctx.stale().await;
    };
    let quote = cart::quote(ctx.shop(), ctx.id(), ctx.now()).await?;
    // A number that was drawn and never used has frozen nothing yet.
    let is_new = match draft.order_id {
        Some(id) => fulfilment(ctx.documents(), id).await?.is_none(),
        None => true,
    };
    if is_new && (quote.has_news() || !quote.is_sold()) {
        ctx.alert(l!(ctx.language, "checkout-look-at-news")).await?;
        return cart_screens::open(ctx).await;
    }
    let Some(agreed) = agreement(&ctx, quote).await? else { return ctx.stale().await };
    if is_new && draft.shown_total != Some(agreed.total().get()) {
        ctx.alert(l!(ctx.language, "checkout-price-changed")).await?;
        return summarise(ctx).await;
    }
    let id = order_number(&ctx).await?;
    match checkout::place(ctx.shop(), id, &agreed, ctx.now()).await? {
        Placed::Order(order) if order.stage == Stage::Placing => register(ctx, *order).await,
        // An earlier try got through, and its answer was lost.
        Placed::Order(order) if order.stage == Stage::Waiting => finish(ctx, &order).await,
        Placed::Order(_) | Placed::Short(_) | Placed::GivenUp => {
            forget_number(&ctx).await?;
            ctx.alert(l!(ctx.language, "checkout-look-at-news")).await?;
            cart_screens::open(ctx).await
        }
        Placed::Promo(refusal) => {
            forget_number(&ctx).await?;
            ctx.say(cart_screens::say_refusal(ctx.language, refusal)).await?;
            summarise(ctx).await
        }
    }
}

/// The draft's number, drawn once.
async fn order_number(ctx: &Ctx) -> Result<OrderId, Trouble> {
    let fresh = ctx.shop().next_order_id().await?;
    let dialogue = ctx.change(|dialogue| {
        if let Some(draft) = &mut dialogue.draft {
            draft.order_id.get_or_insert(fresh);
        }
    });
    Ok(dialogue.await?.draft.and_then(|draft| draft.order_id).unwrap_or(fresh))
}

async fn forget_number(ctx: &Ctx) -> Result<(), Trouble> {
    ctx.change(|dialogue| {
        if let Some(draft) = &mut dialogue.draft {
            draft.order_id = None;
        }
    })
    .await?;
    Ok(())
}

/// The ledger must know an order before anybody can pay it.
async fn register(ctx: Ctx, order: Fulfilment) -> Done {
    let registered = match ctx.deps.cashier.register(&order).await {
        Ok(registered) => registered,
        Err(CashierError::Away(reason)) => {
            tracing::warn!(order.id = %order.id, reason, "an order is not registered yet; the shopper can try again");
            return cashier_away(&ctx).await;
        }
        Err(error @ CashierError::Refused(_)) => {
            tracing::error!(order.id = %order.id, %error, "an order cannot be registered; another number is drawn");
            settling::closed(ctx.documents(), order.id, Deed::Cancelled, By::Clock, ctx.now()).await?;
            forget_number(&ctx).await?;
            return cashier_away(&ctx).await;
        }
    };
    let back = ctx.deps.start_link(&Link::Order(order.id).write());
    let payment_url = with_return(&registered.payment_url, &back);
    let kept = checkout::registered(ctx.documents(), order.id, &payment_url, registered.pay_until, ctx.now());
    let order = match kept.await? {
        Some((order, Moved::Now | Moved::Before)) => order,
        // Cleared away while it was registered: nobody may pay for it.
        Some((_, Moved::Refused(_))) | None => {
            ctx.deps.cashier.cancel(order.id).await?;
            forget_number(&ctx).await?;
            return cashier_away(&ctx).await;
        }
    };
    tracing::info!(order.id = %order.id, user.id = %ctx.id(), "order placed");
    finish(ctx, &order).await
}

async fn cashier_away(ctx: &Ctx) -> Done {
    let language = ctx.language;
    let screen = Screen::new(t!(language, "checkout-cashier-away"))
        .row([Button::press(l!(language, "try-again"), ShopPress::PlaceOrder)])
        .row([leave(language)]);
    ctx.show(screen).await
}

/// The pay link, leading back to the order in the bot afterwards, unless RETURN_URL says otherwise. That somebody came
/// back proves nothing (click-protocol.md, section 2): what is shown then is what the ledger has told.
fn with_return(payment_url: &str, back: &str) -> String {
    let Ok(mut url) = Url::parse(payment_url) else { return payment_url.to_owned() };
    if url.query_pairs().all(|(name, _)| name != "return_url") {
        url.query_pairs_mut().append_pair("return_url", back);
    }
    url.into()
}

/// The summary becomes the order's message, with the pay button.
async fn finish(ctx: Ctx, order: &Fulfilment) -> Done {
    let screen = order_message::screen(ctx.language, order, ctx.now(), &ctx.deps);
    ctx.show(screen).await?;
    let dialogue = crate::dialogue::read(ctx.documents(), ctx.id()).await?;
    if let Some(shown) = dialogue.screen {
        order_message::remember(&ctx.deps, order.id, shown).await?;
    }
    // It stays where it is: the next screen is a new message.
    ctx.change(|dialogue| {
        dialogue.screen = None;
        dialogue.draft = None;
        dialogue.step = Step::Idle;
    })
    .await?;
    profile::change(ctx.documents(), ctx.id(), ctx.now(), |profile| {
        profile.delivery = Some(order.delivery.clone());
        profile.promo_code = None;
    })
    .await?;
    Ok(())
}

/// Back to the cart; nothing was bought.
pub(crate) async fn leave_checkout(mut ctx: Ctx) -> Done {
    contact::put_away(&ctx).await?;
    give_up_draft(&ctx).await?;
    ctx.change(|dialogue| {
        dialogue.draft = None;
        dialogue.step = Step::Idle;
    })
    .await?;
    ctx.dialogue.step = Step::Idle;
    cart_screens::open(ctx).await
}

/// An order that was being placed when the shopper turned round does not hold stock any longer.
async fn give_up_draft(ctx: &Ctx) -> Result<(), Trouble> {
    let Some(id) = ctx.dialogue.draft.as_ref().and_then(|draft| draft.order_id) else { return Ok(()) };
    let order = fulfilment(ctx.documents(), id).await?;
    if order.is_some_and(|order| order.user_id == ctx.id() && order.stage == Stage::Placing) {
        cancel_unpaid(&ctx.deps, id, By::Shopper).await?;
    }
    Ok(())
}

fn leave(language: Language) -> Button {
    Button::press(l!(language, "checkout-leave"), ShopPress::LeaveCheckout)
}

fn shortened(text: &str) -> String {
    text.chars().take(TEXT_MAX_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pay_link_leads_back_to_the_order_and_is_encoded() {
        let link = "https://my.click.uz/services/pay?service_id=1&merchant_id=2&amount=30000.00&transaction_param=1001";
        let back = "https://t.me/shop_bot?start=order_1001";
        let with = with_return(link, back);
        assert_eq!(with, format!("{link}&return_url=https%3A%2F%2Ft.me%2Fshop_bot%3Fstart%3Dorder_1001"));
        assert_eq!(with_return(&with, "https://example.uz"), with, "RETURN_URL counts");
    }
}
