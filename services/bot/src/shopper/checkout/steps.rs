//! The checkout: one screen with all that is known, and the questions for what is missing or to be changed.
//!
//! The answers are kept in the dialogue's draft. Nothing is bought before the shopper pays.

use teloxide::types::{ButtonRequest, KeyboardButton, Location, ReplyMarkup};
use tolov_domain::{Language, Phone, Tiyin};
use tolov_shop::{
    order::Delivery,
    shopper::{
        self,
        cart::{self, Quote},
        checkout::Agreement,
    },
};

use crate::{
    config::Config,
    conversation::{
        callback::ShopCallback,
        context::Ctx,
        dialogue::{Draft, Step},
        error::{HandlerError, HandlerResult},
        screen::{Button, Screen},
    },
    orders::{order_lines, order_message},
    shopper::{
        account::phone,
        cart as cart_screens,
        checkout::{draft, pay_button, waiting},
    },
    texts::{l, money, t},
};

/// The longest address, landmark or comment; the rest is cut.
const TEXT_MAX_CHARS: usize = 500;

/// Begins a checkout, unless the cart has to be looked at first.
pub(crate) async fn begin(ctx: Ctx) -> HandlerResult {
    ctx.leave_step().await?;
    // First, since an order that was begun holds stock.
    let shopper = shopper::shopper(ctx.documents(), ctx.id()).await?;
    draft::prepare(&ctx, shopper.as_ref()).await?;
    let quote = cart::quote_of(ctx.documents(), shopper.as_ref(), ctx.now()).await?;
    if !can_be_ordered(&ctx, &quote).await? {
        return cart_screens::open(ctx).await;
    }
    if let Some(order) = draft::order_in_the_way(&ctx).await? {
        return waiting::offer(&ctx, &order).await;
    }
    go_on(ctx).await
}

/// Whether the cart can be ordered; if not, the shopper hears why.
async fn can_be_ordered(ctx: &Ctx, quote: &Quote) -> Result<bool, HandlerError> {
    if quote.must_be_seen() {
        ctx.alert(l!(ctx.language, "checkout-look-at-news")).await?;
    } else if quote.pieces() > cart::PIECES_MAX {
        ctx.alert(l!(ctx.language, "checkout-too-many", count = cart::PIECES_MAX)).await?;
    } else {
        return Ok(!quote.is_empty());
    }
    Ok(false)
}

/// Asks for what is missing; where nothing is, shows the order with the button that places it.
pub(crate) async fn go_on(ctx: Ctx) -> HandlerResult {
    match ctx.draft() {
        Some(Draft { phone: None, .. }) => ask_phone(ctx).await,
        Some(Draft { delivery: None, .. }) => ask_address(ctx).await,
        Some(_) => review(ctx).await,
        None => ctx.stale().await,
    }
}

pub(crate) async fn ask_phone(ctx: Ctx) -> HandlerResult {
    ctx.wait_for(Step::CheckoutPhone);
    phone::ask(&ctx, t!(ctx.language, "checkout-phone")).await
}

/// A number was typed, or a contact shared. It may be anybody's: the courier calls whoever is at home.
pub(crate) async fn take_phone(ctx: Ctx) -> HandlerResult {
    if ctx.text().is_some_and(phone::is_back_label) {
        return back(ctx).await;
    }
    let contact = ctx.message().and_then(|message| message.contact());
    let phone = match contact {
        Some(contact) => phone::number_of(contact),
        None => ctx.text().and_then(|text| Phone::parse(text).ok()),
    };
    let Some(phone) = phone else { return ctx.reply(t!(ctx.language, "phone-unreadable")).await };
    // The first number that a shopper types, or shares as their own, is the shopper's.
    if contact.is_none_or(|contact| phone::is_own(contact, ctx.id())) {
        shopper::change(ctx.documents(), ctx.id(), |shopper| {
            shopper.phone.get_or_insert_with(|| phone.clone());
        })
        .await?;
    }
    ctx.reply_without_keyboard(t!(ctx.language, "checkout-phone-taken", phone = phone.spaced())).await?;
    draft::change(&ctx, |draft| draft.phone = Some(phone));
    go_on(ctx).await
}

/// From a question with a keyboard: to the order, or to the cart where the order is not complete.
async fn back(ctx: Ctx) -> HandlerResult {
    match ctx.draft() {
        Some(Draft { phone: Some(_), delivery: Some(_), .. }) => {
            ctx.remove_keyboard().await?;
            review(ctx).await
        }
        Some(_) | None => cart_screens::open(ctx).await,
    }
}

/// To the last address, or to one that is asked for.
pub(crate) async fn deliver(ctx: Ctx) -> HandlerResult {
    match ctx.draft().and_then(|draft| draft.address) {
        Some(address) => {
            draft::change(&ctx, |draft| draft.delivery = Some(address));
            review(ctx).await
        }
        None => ask_address(ctx).await,
    }
}

pub(crate) async fn pick_up(ctx: Ctx) -> HandlerResult {
    if ctx.deps.config.pickup_address.is_none() {
        return ctx.stale().await;
    }
    draft::change(&ctx, |draft| draft.delivery = Some(Delivery::Pickup));
    review(ctx).await
}

/// A location, or an address in words.
pub(crate) async fn ask_address(ctx: Ctx) -> HandlerResult {
    ctx.wait_for(Step::Address);
    let share = KeyboardButton::new(l!(ctx.language, "checkout-share-location"));
    let keyboard = phone::with_back(ctx.language, share.request(ButtonRequest::Location));
    ctx.reply_with(t!(ctx.language, "checkout-address"), Some(ReplyMarkup::Keyboard(keyboard))).await
}

/// A location or a place of Telegram's list was sent, or an address written, perhaps below a photo.
pub(crate) async fn take_address(ctx: Ctx) -> HandlerResult {
    if ctx.text().is_some_and(phone::is_back_label) {
        return back(ctx).await;
    }
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
    ctx.reply_without_keyboard(t!(ctx.language, "checkout-address-taken")).await?;
    set_address(&ctx, delivery);
    go_on(ctx).await
}

/// Degrees as decimal text: nothing is calculated with them.
fn location_of(location: &Location, landmark: Option<String>) -> Delivery {
    Delivery::Location {
        latitude: format!("{:.6}", location.latitude),
        longitude: format!("{:.6}", location.longitude),
        landmark,
    }
}

fn set_address(ctx: &Ctx, address: Delivery) {
    draft::change(ctx, |draft| {
        draft.delivery = Some(address.clone());
        draft.address = Some(address);
    });
}

pub(crate) async fn ask_landmark(ctx: Ctx) -> HandlerResult {
    ctx.wait_for(Step::Landmark);
    let question = Screen::new(t!(ctx.language, "checkout-landmark")).row([back_button(ctx.language)]);
    ctx.show(question).await
}

pub(crate) async fn take_landmark(ctx: Ctx) -> HandlerResult {
    let Some(text) = ctx.words().map(cut) else {
        return ctx.reply(t!(ctx.language, "checkout-text-please")).await;
    };
    let address = ctx.draft().and_then(|draft| draft.delivery).map(|delivery| match delivery {
        Delivery::Address { text: address, .. } => Delivery::Address { text: address, landmark: Some(text) },
        Delivery::Location { latitude, longitude, .. } => {
            Delivery::Location { latitude, longitude, landmark: Some(text) }
        }
        Delivery::Pickup => Delivery::Pickup,
    });
    if let Some(address) = address.filter(|address| *address != Delivery::Pickup) {
        set_address(&ctx, address);
    }
    go_on(ctx).await
}

pub(crate) async fn ask_comment(ctx: Ctx) -> HandlerResult {
    ctx.wait_for(Step::Comment);
    let without = Button::callback(l!(ctx.language, "checkout-no-comment"), ShopCallback::RemoveComment);
    let has_comment = ctx.draft().is_some_and(|draft| draft.comment.is_some());
    let screen = Screen::new(t!(ctx.language, "checkout-comment"))
        .row(has_comment.then_some(without))
        .row([back_button(ctx.language)]);
    ctx.show(screen).await
}

pub(crate) async fn remove_comment(ctx: Ctx) -> HandlerResult {
    draft::change(&ctx, |draft| draft.comment = None);
    go_on(ctx).await
}

fn back_button(language: Language) -> Button {
    Button::callback(l!(language, "back"), ShopCallback::CheckoutBack)
}

/// A comment, also one that is written while the order is shown.
pub(crate) async fn take_comment(ctx: Ctx) -> HandlerResult {
    let Some(text) = ctx.words().map(cut) else {
        return ctx.reply(t!(ctx.language, "checkout-text-please")).await;
    };
    draft::change(&ctx, |draft| draft.comment = Some(text));
    go_on(ctx).await
}

/// Shows all that would be ordered, with the button that orders it and one for each part that can be changed.
pub(super) async fn review(ctx: Ctx) -> HandlerResult {
    let quote = cart::quote(ctx.documents(), ctx.id(), ctx.now()).await?;
    if !quote.is_sold() {
        return cart_screens::open(ctx).await;
    }
    let agreed = ctx.draft().and_then(|draft| draft::agreement(&ctx, draft, quote));
    let Some(agreed) = agreed else { return ctx.stale().await };
    ctx.wait_for(Step::Review);
    draft::mark_shown(&ctx, agreed.total());
    ctx.show(screen(ctx.language, &agreed, &ctx.deps.config)).await
}

fn screen(language: Language, agreed: &Agreement, config: &Config) -> Screen {
    let Agreement { delivery, phone, comment, .. } = agreed;
    let pickup = config.pickup_address.as_deref();
    let text = [
        t!(language, "checkout-summary"),
        order_lines::priced_lines(language, &agreed.quote.order_lines()),
        cart_screens::totals(language, &agreed.quote, agreed.delivery_price),
        order_message::terms(language, delivery, phone, comment.as_deref(), pickup),
    ];
    let button = |label, callback: ShopCallback| Button::callback(label, callback);
    let is_pickup = *delivery == Delivery::Pickup;
    let other_way = match (is_pickup, pickup) {
        (true, _) => Some(button(deliver_label(language, config.delivery_price), ShopCallback::Deliver)),
        (false, Some(_)) => Some(button(l!(language, "checkout-pickup"), ShopCallback::Pickup)),
        (false, None) => None,
    };
    let address = [
        button(l!(language, "checkout-change-address"), ShopCallback::ChangeAddress),
        button(l!(language, "checkout-change-landmark"), ShopCallback::ChangeLandmark),
    ];
    Screen::new(text.join("\n\n"))
        .row([pay_button(language, agreed.total())])
        .row(other_way)
        .row(address.into_iter().filter(|_| !is_pickup))
        .row([
            button(l!(language, "checkout-change-phone"), ShopCallback::ChangeOrderPhone),
            button(l!(language, "checkout-change-comment"), ShopCallback::ChangeComment),
        ])
        .row([leave_button(language)])
}

fn deliver_label(language: Language, price: Tiyin) -> String {
    if price > Tiyin::ZERO {
        l!(language, "checkout-deliver-for", price = money(language, price))
    } else {
        l!(language, "checkout-deliver")
    }
}

pub(super) fn leave_button(language: Language) -> Button {
    Button::callback(l!(language, "checkout-back-to-cart"), ShopCallback::LeaveCheckout)
}

fn cut(text: &str) -> String {
    text.chars().take(TEXT_MAX_CHARS).collect()
}
