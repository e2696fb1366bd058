//! From the cart to the pay button: phone, place, comment, summary, order.
//!
//! What was agreed so far is the draft in the dialogue. Nothing is bought before the summary is agreed to; from then on
//! the draft's order number makes every repetition (a double tap, a restart) end in the same order.

use teloxide::types::{ButtonRequest, KeyboardButton, KeyboardMarkup, Location, ReplyMarkup};
use tolov_domain::{Language, Phone, Tiyin};
use tolov_shop::{
    cart::{self, Quote},
    checkout::Agreement,
    fulfilment::{By, Delivery, Stage, fulfilment},
    profile,
};

use crate::orders::order_lines;
use crate::{
    conversation::{
        callback::ShopCallback,
        context::Ctx,
        dialogue::{Draft, Step},
        error::{HandlerError, HandlerResult},
        screen::{Button, Screen},
    },
    orders::{cancel::cancel_unpaid, order_message},
    shopper::{account::phone, cart as cart_screens},
    texts::{l, money, t},
};

/// As much as a courier reads.
const TEXT_MAX_CHARS: usize = 500;

/// The first step: is everything as the shopper thinks, and whom to call?
pub(crate) async fn begin(ctx: Ctx) -> HandlerResult {
    let quote = cart::quote(ctx.shop(), ctx.id(), ctx.now()).await?;
    if quote.is_empty() || quote.has_news() {
        if quote.has_news() {
            ctx.alert(l!(ctx.language, "checkout-look-at-news")).await?;
        }
        return cart_screens::open(ctx).await;
    }
    phone::put_away(&ctx).await?;
    give_up_draft(&ctx).await?;
    let phone = ctx.shop().user(ctx.id()).await?.and_then(|user| user.phone);
    ctx.change(|dialogue| dialogue.draft = Some(Draft { phone: phone.clone(), ..Draft::default() })).await?;
    ask_phone(ctx, phone).await
}

/// Whom to call: the number that is known, or another one.
async fn ask_phone(ctx: Ctx, phone: Option<String>) -> HandlerResult {
    ctx.expect(Step::CheckoutPhone).await?;
    let language = ctx.language;
    let screen = match phone.as_deref() {
        Some(phone) => {
            let label = l!(language, "checkout-keep-phone", phone = order_lines::phone(phone));
            Screen::new(t!(language, "checkout-phone"))
                .row([Button::callback(label, ShopCallback::KeepPhone)])
        }
        None => Screen::new(t!(language, "checkout-phone-first")),
    };
    ctx.show(screen.row([leave(language)])).await
}

/// The step before the one that is shown.
pub(crate) async fn back(ctx: Ctx) -> HandlerResult {
    let draft = ctx.dialogue.draft.clone().unwrap_or_default();
    phone::put_away(&ctx).await?;
    match ctx.dialogue.step {
        Step::Delivery => ask_phone(ctx, draft.phone).await,
        Step::Address if ctx.deps.config.pickup_address.is_none() => ask_phone(ctx, draft.phone).await,
        Step::Address => ask_delivery(ctx).await,
        Step::Comment if draft.delivery == Some(Delivery::Pickup) => ask_delivery(ctx).await,
        Step::Landmark | Step::Comment => ask_address(ctx).await,
        Step::Summary => ask_comment(ctx).await,
        Step::Idle
        | Step::Language { .. }
        | Step::Phone { .. }
        | Step::Search
        | Step::PromoCode
        | Step::CheckoutPhone
        | Step::Support
        | Step::Staff(_) => ctx.stale().await,
    }
}

/// A number was typed, or a contact shared (anybody's: the courier calls whoever is at home).
pub(crate) async fn take_phone(ctx: Ctx) -> HandlerResult {
    let contact = ctx.message().and_then(|message| message.contact());
    let text = contact.map(|contact| contact.phone_number.as_str()).or(ctx.text());
    let Some(phone) = text.and_then(|text| Phone::parse(text).ok()) else {
        return ctx.reply(t!(ctx.language, "phone-unreadable")).await;
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

/// How it gets to the shopper. Whoever writes an address here has answered as well.
pub(crate) async fn ask_delivery(ctx: Ctx) -> HandlerResult {
    let language = ctx.language;
    let Some(pickup) = ctx.deps.config.pickup_address.clone() else { return ask_address(ctx).await };
    ctx.expect(Step::Delivery).await?;
    let price = ctx.deps.config.delivery_price;
    let deliver = if price > Tiyin::ZERO {
        l!(language, "checkout-deliver-for", price = money(language, price))
    } else {
        l!(language, "checkout-deliver")
    };
    let screen = Screen::new(t!(language, "checkout-delivery", place = pickup))
        .row([Button::callback(deliver, ShopCallback::Deliver)])
        .row([Button::callback(l!(language, "checkout-pickup"), ShopCallback::Pickup)])
        .row(ways_back(language));
    ctx.show(screen).await
}

/// Where to: the place of the last order, a location, or an address in words.
pub(crate) async fn ask_address(ctx: Ctx) -> HandlerResult {
    let language = ctx.language;
    ctx.expect(Step::Address).await?;
    let known = profile::profile(ctx.documents(), ctx.id()).await?.and_then(|profile| profile.delivery);
    let mut screen = Screen::new(t!(language, "checkout-address"));
    if let Some(known) = known.filter(|known| *known != Delivery::Pickup) {
        screen = screen.row([Button::callback(same_place(language, &known), ShopCallback::SamePlace)]);
    }
    ctx.show(screen.row(ways_back(language))).await?;
    let share = KeyboardButton::new(l!(language, "checkout-share-location")).request(ButtonRequest::Location);
    let keyboard = KeyboardMarkup::new([[share]]).resize_keyboard().one_time_keyboard();
    ctx.reply_with(t!(language, "checkout-location-hint"), Some(ReplyMarkup::Keyboard(keyboard))).await
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
pub(crate) async fn take_address(ctx: Ctx) -> HandlerResult {
    let location = ctx.message().and_then(|message| message.location());
    let delivery = match (location, ctx.text()) {
        (Some(location), _) => located(location),
        (None, Some(text)) => Delivery::Address { text: shortened(text), landmark: None },
        (None, None) => return ctx.reply(t!(ctx.language, "checkout-address-unreadable")).await,
    };
    keep_delivery(&ctx, delivery).await?;
    let language = ctx.language;
    ctx.expect(Step::Landmark).await?;
    phone::say_without_keyboard(&ctx, t!(language, "checkout-address-taken")).await?;
    let screen = Screen::new(t!(language, "checkout-landmark"))
        .row([Button::callback(l!(language, "skip"), ShopCallback::SkipLandmark)])
        .row(ways_back(language));
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

pub(crate) async fn take_landmark(ctx: Ctx) -> HandlerResult {
    let Some(text) = ctx.text().map(shortened) else {
        return ctx.reply(t!(ctx.language, "checkout-text-please")).await;
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

pub(crate) async fn pick_up(ctx: Ctx) -> HandlerResult {
    if ctx.deps.config.pickup_address.is_none() {
        return ctx.stale().await;
    }
    phone::put_away(&ctx).await?;
    keep_delivery(&ctx, Delivery::Pickup).await?;
    ask_comment(ctx).await
}

/// The place of the last order again.
pub(crate) async fn same_place_again(ctx: Ctx) -> HandlerResult {
    let known = profile::profile(ctx.documents(), ctx.id()).await?.and_then(|profile| profile.delivery);
    let Some(known) = known else { return ctx.stale().await };
    phone::put_away(&ctx).await?;
    keep_delivery(&ctx, known).await?;
    ask_comment(ctx).await
}

async fn keep_delivery(ctx: &Ctx, delivery: Delivery) -> Result<(), HandlerError> {
    ctx.change(|dialogue| {
        if let Some(draft) = &mut dialogue.draft {
            draft.delivery = Some(delivery.clone());
        }
    })
    .await?;
    Ok(())
}

pub(crate) async fn ask_comment(ctx: Ctx) -> HandlerResult {
    ctx.expect(Step::Comment).await?;
    let language = ctx.language;
    let screen = Screen::new(t!(language, "checkout-comment"))
        .row([Button::callback(l!(language, "skip"), ShopCallback::SkipComment)])
        .row(ways_back(language));
    ctx.show(screen).await
}

/// A wish, also one that comes to mind when the summary is shown.
pub(crate) async fn take_comment(ctx: Ctx) -> HandlerResult {
    let Some(text) = ctx.text().map(shortened) else {
        return ctx.reply(t!(ctx.language, "checkout-text-please")).await;
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
pub(crate) async fn summarise(ctx: Ctx) -> HandlerResult {
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
        .row([Button::callback(l!(language, "checkout-place"), ShopCallback::PlaceOrder)])
        .row([
            Button::callback(l!(language, "back"), ShopCallback::CheckoutBack),
            Button::callback(l!(language, "checkout-anew"), ShopCallback::CheckOut),
        ])
        .row([Button::callback(l!(language, "checkout-back-to-cart"), ShopCallback::LeaveCheckout)]);
    ctx.show(screen).await
}

fn summary(language: Language, agreed: &Agreement, pickup: Option<&str>) -> String {
    let Agreement { delivery, phone, comment, .. } = agreed;
    [
        t!(language, "checkout-summary"),
        order_lines::lines_of(language, &agreed.quote.order_lines()),
        cart_screens::totals(language, &agreed.quote, agreed.delivery_price),
        order_message::terms(language, delivery, phone.as_str(), comment.as_deref(), pickup),
    ]
    .join("\n\n")
}

/// What the draft and the cart say together; `None` where the draft is not complete.
pub(super) async fn agreement(ctx: &Ctx, quote: Quote) -> Result<Option<Agreement>, HandlerError> {
    let draft = crate::conversation::dialogue::read(ctx.documents(), ctx.id()).await?.draft;
    let complete = draft.and_then(|draft| {
        let phone = draft.phone.as_deref().and_then(|phone| Phone::parse(phone).ok())?;
        Some((phone, draft.delivery?, draft.comment))
    });
    let Some((phone, delivery, comment)) = complete else { return Ok(None) };
    let delivery_price =
        if delivery == Delivery::Pickup { Tiyin::ZERO } else { ctx.deps.config.delivery_price };
    Ok(Some(Agreement { user_id: ctx.id(), quote, delivery, delivery_price, phone, comment }))
}

/// Back to the cart; nothing was bought.
pub(crate) async fn leave_checkout(mut ctx: Ctx) -> HandlerResult {
    phone::put_away(&ctx).await?;
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
async fn give_up_draft(ctx: &Ctx) -> Result<(), HandlerError> {
    let Some(id) = ctx.dialogue.draft.as_ref().and_then(|draft| draft.order_id) else { return Ok(()) };
    let order = fulfilment(ctx.documents(), id).await?;
    if order.is_some_and(|order| order.user_id == ctx.id() && order.stage == Stage::Placing) {
        cancel_unpaid(&ctx.deps, id, By::Shopper).await?;
    }
    Ok(())
}

fn ways_back(language: Language) -> [Button; 2] {
    [Button::callback(l!(language, "back"), ShopCallback::CheckoutBack), leave(language)]
}

pub(super) fn leave(language: Language) -> Button {
    Button::callback(l!(language, "checkout-leave"), ShopCallback::LeaveCheckout)
}

fn shortened(text: &str) -> String {
    text.chars().take(TEXT_MAX_CHARS).collect()
}
