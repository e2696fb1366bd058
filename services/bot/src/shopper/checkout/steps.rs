//! The steps of the checkout: phone, delivery, address, comment, summary.
//!
//! The answers are kept in the dialogue's draft. Nothing is bought before the summary is confirmed.

use teloxide::types::{ButtonRequest, KeyboardButton, KeyboardMarkup, Location, ReplyMarkup};
use tolov_domain::{Language, Phone, Tiyin};
use tolov_shop::{
    order::{Actor, Delivery, Stage, order},
    shopper::{
        self,
        cart::{self, Quote},
        checkout::Agreement,
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
    orders::{cancel::cancel_unpaid, order_lines, order_message},
    shopper::{cart as cart_screens, checkout::waiting},
    texts::{l, money, t},
};

/// The longest address, landmark or comment; the rest is cut.
const TEXT_MAX_CHARS: usize = 500;

/// Begins a checkout, unless the cart has to be looked at first.
pub(crate) async fn begin(ctx: Ctx) -> HandlerResult {
    let quote = cart::quote(ctx.documents(), ctx.id(), ctx.now()).await?;
    if quote.is_empty() || quote.has_news() {
        if quote.has_news() {
            ctx.alert(l!(ctx.language, "checkout-look-at-news")).await?;
        }
        return cart_screens::open(ctx).await;
    }
    if quote.pieces() > cart::PIECES_MAX {
        ctx.alert(l!(ctx.language, "checkout-too-many", count = cart::PIECES_MAX)).await?;
        return cart_screens::open(ctx).await;
    }
    ctx.remove_keyboard().await?;
    give_up_order(&ctx).await?;
    if let Some(order) = waiting::order_in_the_way(&ctx).await? {
        return waiting::offer(&ctx, &order).await;
    }
    let phone = shopper::shopper(ctx.documents(), ctx.id()).await?.and_then(|shopper| shopper.phone);
    ctx.update(|dialogue| {
        dialogue.draft = Some(Draft { phone: phone.clone(), ..Draft::default() });
        dialogue.last_answer = None;
    });
    ask_phone(ctx, phone).await
}

async fn ask_phone(ctx: Ctx, known: Option<Phone>) -> HandlerResult {
    ctx.wait_for(Step::CheckoutPhone);
    let language = ctx.language;
    let screen = match known {
        Some(phone) => {
            let label = l!(language, "checkout-keep-phone", phone = phone.spaced());
            Screen::new(t!(language, "checkout-phone"))
                .row([Button::callback(label, ShopCallback::KeepPhone)])
        }
        None => Screen::new(t!(language, "checkout-phone-first")),
    };
    ctx.show(screen.row([leave_button(language)])).await
}

/// Back to the step before.
pub(crate) async fn back(ctx: Ctx) -> HandlerResult {
    let Draft { phone, delivery, .. } = ctx.draft().unwrap_or_default();
    ctx.remove_keyboard().await?;
    match ctx.step() {
        Step::Delivery => ask_phone(ctx, phone).await,
        Step::Address if ctx.deps.config.pickup_address.is_none() => ask_phone(ctx, phone).await,
        Step::Address => ask_delivery(ctx).await,
        Step::Comment if delivery == Some(Delivery::Pickup) => ask_delivery(ctx).await,
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

/// A number was typed, or a contact shared. It may be anybody's: the courier calls whoever is at home.
pub(crate) async fn take_phone(ctx: Ctx) -> HandlerResult {
    let contact = ctx.message().and_then(|message| message.contact());
    let text = contact.map(|contact| contact.phone_number.as_str()).or(ctx.text());
    let Some(phone) = text.and_then(|text| Phone::parse(text).ok()) else {
        return ctx.reply(t!(ctx.language, "phone-unreadable")).await;
    };
    ctx.update(|dialogue| {
        if let Some(draft) = &mut dialogue.draft {
            draft.phone = Some(phone.clone());
        }
    });
    // The first number that a shopper types, or shares as their own, is the shopper's.
    let owner = contact.map(|contact| contact.user_id.and_then(|id| i64::try_from(id.0).ok()));
    if owner.is_none_or(|owner| owner == Some(ctx.id().get())) {
        shopper::change(ctx.documents(), ctx.id(), |shopper| {
            shopper.phone.get_or_insert_with(|| phone.clone());
        })
        .await?;
    }
    ask_delivery(ctx).await
}

/// Delivery or pickup, where both are possible. An address that is written here is taken as one.
pub(crate) async fn ask_delivery(ctx: Ctx) -> HandlerResult {
    let language = ctx.language;
    let Some(pickup) = ctx.deps.config.pickup_address.clone() else { return ask_address(ctx).await };
    ctx.wait_for(Step::Delivery);
    let price = ctx.deps.config.delivery_price;
    let deliver = if price > Tiyin::ZERO {
        l!(language, "checkout-deliver-for", price = money(language, price))
    } else {
        l!(language, "checkout-deliver")
    };
    let screen = Screen::new(t!(language, "checkout-delivery", place = pickup))
        .row([Button::callback(deliver, ShopCallback::Deliver)])
        .row([Button::callback(l!(language, "checkout-pickup"), ShopCallback::Pickup)])
        .row(navigation(language));
    ctx.show(screen).await
}

/// The address of the last order, a location, or an address in words.
pub(crate) async fn ask_address(ctx: Ctx) -> HandlerResult {
    let language = ctx.language;
    ctx.wait_for(Step::Address);
    let mut screen = Screen::new(t!(language, "checkout-address"));
    if let Some(known) = last_address(&ctx).await? {
        let label = same_address_label(language, &known);
        screen = screen.row([Button::callback(label, ShopCallback::SamePlace)]);
    }
    ctx.show(screen.row(navigation(language))).await?;
    let share = KeyboardButton::new(l!(language, "checkout-share-location")).request(ButtonRequest::Location);
    let keyboard = KeyboardMarkup::new([[share]]).resize_keyboard().one_time_keyboard();
    ctx.reply_with(t!(language, "checkout-location-hint"), Some(ReplyMarkup::Keyboard(keyboard))).await
}

/// Where the last order went; `None` where it was picked up.
async fn last_address(ctx: &Ctx) -> Result<Option<Delivery>, HandlerError> {
    let shopper = shopper::shopper(ctx.documents(), ctx.id()).await?;
    Ok(shopper.and_then(|shopper| shopper.delivery).filter(|delivery| *delivery != Delivery::Pickup))
}

fn same_address_label(language: Language, known: &Delivery) -> String {
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

/// A location or a place of Telegram's list was sent, or an address written, perhaps below a photo.
pub(crate) async fn take_address(ctx: Ctx) -> HandlerResult {
    let message = ctx.message();
    let location = message.and_then(|message| message.location());
    let venue = message.and_then(|message| message.venue());
    let delivery = match (location, venue, ctx.words()) {
        (Some(location), _, _) => location_of(location, None),
        (None, Some(venue), _) => {
            location_of(&venue.location, Some(cut(&format!("{}, {}", venue.title, venue.address))))
        }
        (None, None, Some(text)) => Delivery::Address { text: cut(text), landmark: None },
        (None, None, None) => return ctx.reply(t!(ctx.language, "checkout-address-unreadable")).await,
    };
    set_delivery(&ctx, delivery);
    let language = ctx.language;
    ctx.wait_for(Step::Landmark);
    ctx.reply_without_keyboard(t!(language, "checkout-address-taken")).await?;
    let screen = Screen::new(t!(language, "checkout-landmark"))
        .row([Button::callback(l!(language, "skip"), ShopCallback::SkipLandmark)])
        .row(navigation(language));
    ctx.show(screen).await
}

/// Degrees as decimal text: nothing is calculated with them.
fn location_of(location: &Location, landmark: Option<String>) -> Delivery {
    Delivery::Location {
        latitude: format!("{:.6}", location.latitude),
        longitude: format!("{:.6}", location.longitude),
        landmark,
    }
}

pub(crate) async fn take_landmark(ctx: Ctx) -> HandlerResult {
    let Some(text) = ctx.words().map(cut) else {
        return ctx.reply(t!(ctx.language, "checkout-text-please")).await;
    };
    ctx.update(|dialogue| {
        let delivery = dialogue.draft.as_mut().and_then(|draft| draft.delivery.as_mut());
        if let Some(Delivery::Address { landmark, .. } | Delivery::Location { landmark, .. }) = delivery {
            *landmark = Some(text);
        }
    });
    ask_comment(ctx).await
}

pub(crate) async fn pick_up(ctx: Ctx) -> HandlerResult {
    if ctx.deps.config.pickup_address.is_none() {
        return ctx.stale().await;
    }
    ctx.remove_keyboard().await?;
    set_delivery(&ctx, Delivery::Pickup);
    ask_comment(ctx).await
}

/// Delivery to the address of the last order.
pub(crate) async fn use_last_address(ctx: Ctx) -> HandlerResult {
    let Some(known) = last_address(&ctx).await? else { return ctx.stale().await };
    ctx.remove_keyboard().await?;
    set_delivery(&ctx, known);
    ask_comment(ctx).await
}

fn set_delivery(ctx: &Ctx, delivery: Delivery) {
    ctx.update(|dialogue| {
        if let Some(draft) = &mut dialogue.draft {
            draft.delivery = Some(delivery);
        }
    });
}

pub(crate) async fn ask_comment(ctx: Ctx) -> HandlerResult {
    ctx.wait_for(Step::Comment);
    let language = ctx.language;
    let screen = Screen::new(t!(language, "checkout-comment"))
        .row([Button::callback(l!(language, "skip"), ShopCallback::SkipComment)])
        .row(navigation(language));
    ctx.show(screen).await
}

/// A comment, also one that is written while the summary is shown.
pub(crate) async fn take_comment(ctx: Ctx) -> HandlerResult {
    let Some(text) = ctx.words().map(cut) else {
        return ctx.reply(t!(ctx.language, "checkout-text-please")).await;
    };
    ctx.update(|dialogue| {
        if let Some(draft) = &mut dialogue.draft {
            draft.comment = Some(text);
        }
    });
    summarise(ctx).await
}

/// Shows all that was agreed, with the button that places the order.
pub(crate) async fn summarise(ctx: Ctx) -> HandlerResult {
    let quote = cart::quote(ctx.documents(), ctx.id(), ctx.now()).await?;
    if !quote.is_sold() {
        return cart_screens::open(ctx).await;
    }
    let agreed = ctx.draft().and_then(|draft| agreement(&ctx, draft, quote));
    let Some(agreed) = agreed else { return ctx.stale().await };
    ctx.update(|dialogue| {
        dialogue.step = Step::Summary;
        if let Some(draft) = &mut dialogue.draft {
            draft.shown_total = Some(agreed.total());
        }
    });
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
        order_lines::priced_lines(language, &agreed.quote.order_lines()),
        cart_screens::totals(language, &agreed.quote, agreed.delivery_price),
        order_message::terms(language, delivery, phone, comment.as_deref(), pickup),
    ]
    .join("\n\n")
}

/// What the draft and the cart say together; `None` where the draft is not complete.
pub(super) fn agreement(ctx: &Ctx, draft: Draft, quote: Quote) -> Option<Agreement> {
    let (phone, delivery) = (draft.phone?, draft.delivery?);
    let delivery_price =
        if delivery == Delivery::Pickup { Tiyin::ZERO } else { ctx.deps.config.delivery_price };
    Some(Agreement { user_id: ctx.id(), quote, delivery, delivery_price, phone, comment: draft.comment })
}

/// Back to the cart; nothing was bought.
pub(crate) async fn leave(ctx: Ctx) -> HandlerResult {
    ctx.leave_step().await?;
    give_up_order(&ctx).await?;
    ctx.update(|dialogue| dialogue.draft = None);
    cart_screens::open(ctx).await
}

/// An order in creation holds no stock any longer when its checkout is left.
async fn give_up_order(ctx: &Ctx) -> Result<(), HandlerError> {
    let Some(id) = ctx.draft().and_then(|draft| draft.order_id) else { return Ok(()) };
    let order = order(ctx.documents(), id).await?;
    if order.is_some_and(|order| order.user_id == ctx.id() && order.stage() == Stage::Creating) {
        cancel_unpaid(&ctx.deps, id, Actor::Shopper).await?;
    }
    Ok(())
}

fn navigation(language: Language) -> [Button; 2] {
    [Button::callback(l!(language, "back"), ShopCallback::CheckoutBack), leave_button(language)]
}

pub(super) fn leave_button(language: Language) -> Button {
    Button::callback(l!(language, "checkout-leave"), ShopCallback::LeaveCheckout)
}

fn cut(text: &str) -> String {
    text.chars().take(TEXT_MAX_CHARS).collect()
}
