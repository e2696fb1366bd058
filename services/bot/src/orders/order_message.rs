//! The message with an order in the shopper's chat: it shows where the order stands, and follows it.

use time::Duration;
use tolov_domain::{Language, OrderId, Tiyin, ports::PortError, time::Timestamp};
use tolov_shop::{
    fulfilment::{Deed, Delivery, Fulfilment, Stage, fulfilment},
    records,
};
use url::Url;

use crate::orders::order_lines;
use crate::{
    conversation::{
        callback::ShopCallback,
        dialogue::ShownMessage,
        error::HandlerError,
        screen::{Button, Screen},
    },
    deps::HandlerDeps,
    telegram::errors::SendError,
    texts::{Html, date_time, l, money, t},
};

/// An order as its shopper sees it, with what can be done about it now.
pub(crate) fn screen(language: Language, order: &Fulfilment, now: Timestamp, deps: &HandlerDeps) -> Screen {
    let id = order.id;
    let mut rows = Vec::new();
    if order.stage == Stage::Waiting {
        let link = order.payment_url.as_deref().and_then(|url| Url::parse(url).ok());
        rows.extend(link.map(|url| {
            let total = money(language, order.total);
            vec![Button::Link { label: l!(language, "order-pay", total = total), url }]
        }));
        rows.push(vec![
            Button::callback(l!(language, "order-check"), ShopCallback::CheckPayment { id }),
            Button::callback(l!(language, "order-cancel"), ShopCallback::CancelOrder { id }),
        ]);
    } else if order.stage != Stage::Placing {
        rows.push(vec![Button::callback(l!(language, "order-again"), ShopCallback::OrderAgain { id })]);
    }
    Screen::new(text(language, order, now, deps.config.pickup_address.as_deref())).rows(rows)
}

/// The text of it, without buttons.
pub(crate) fn text(language: Language, order: &Fulfilment, now: Timestamp, pickup: Option<&str>) -> String {
    let mut parts = vec![
        format!("{}\n{}", t!(language, "order-title", order = order.id), state_line(language, order, now)),
        format!("{}\n{}", order_lines::lines_of(language, &order.lines), sums(language, order)),
        terms(language, &order.delivery, &order.phone, order.comment.as_deref(), pickup),
    ];
    if let Some(paydoc_id) = order.click_paydoc_id {
        parts.push(t!(language, "paid-payment", payment = paydoc_id.to_string()));
    }
    parts.join("\n\n")
}

/// What the goods cost, what goes off, what comes on top, and what is to be paid.
pub(crate) fn sums(language: Language, order: &Fulfilment) -> String {
    let mut sums = Vec::new();
    if order.discount > Tiyin::ZERO || order.delivery_price > Tiyin::ZERO {
        sums.push(t!(language, "sum-goods", sum = money(language, order.goods)));
    }
    if order.discount > Tiyin::ZERO {
        let code = order.promo_code.as_deref().unwrap_or_default();
        sums.push(t!(language, "sum-discount", code = code, sum = money(language, order.discount)));
    }
    if order.delivery_price > Tiyin::ZERO {
        sums.push(t!(language, "sum-delivery", sum = money(language, order.delivery_price)));
    }
    sums.push(t!(language, "sum-total", sum = money(language, order.total)));
    sums.join("\n")
}

/// Where it goes, whom to call, and what the shopper wrote.
pub(crate) fn terms(
    language: Language,
    delivery: &Delivery,
    phone: &str,
    comment: Option<&str>,
    pickup: Option<&str>,
) -> String {
    let mut terms = vec![
        place(language, delivery, pickup),
        t!(language, "term-phone", phone = order_lines::phone(phone)),
    ];
    terms.extend(comment.map(|comment| t!(language, "term-comment", comment = comment)));
    terms.join("\n")
}

fn place(language: Language, delivery: &Delivery, pickup: Option<&str>) -> String {
    let with_landmark = |place: String, landmark: &Option<String>| match landmark {
        Some(landmark) => format!("{place}\n{}", t!(language, "term-landmark", landmark = landmark)),
        None => place,
    };
    match delivery {
        Delivery::Pickup => t!(language, "term-pickup", place = pickup.unwrap_or_default()),
        Delivery::Address { text, landmark } => {
            with_landmark(t!(language, "term-address", place = text), landmark)
        }
        Delivery::Location { latitude, longitude, landmark } => {
            let link = format!(
                "<a href=\"https://maps.google.com/?q={latitude},{longitude}\">{}</a>",
                t!(language, "term-on-the-map")
            );
            with_landmark(t!(language, "term-location", place = Html(link)), landmark)
        }
    }
}

fn state_line(language: Language, order: &Fulfilment, now: Timestamp) -> String {
    match order.stage {
        Stage::Waiting => match order.pay_until_at {
            Some(until) if until > now => t!(
                language,
                "state-waiting-until",
                left = left(language, until - now),
                until = date_time(until)
            ),
            Some(_) | None => t!(language, "state-waiting"),
        },
        stage @ (Stage::Placing
        | Stage::Paid
        | Stage::Preparing
        | Stage::Ready
        | Stage::OnTheWay
        | Stage::Delivered
        | Stage::Cancelled
        | Stage::Expired
        | Stage::Refunded) => state(language, stage),
    }
}

/// A stage in a few words, with a picture before it.
pub(crate) fn state(language: Language, stage: Stage) -> String {
    match stage {
        Stage::Placing => l!(language, "state-placing"),
        Stage::Waiting => l!(language, "state-waiting"),
        Stage::Paid => l!(language, "state-paid"),
        Stage::Preparing => l!(language, "state-preparing"),
        Stage::Ready => l!(language, "state-ready"),
        Stage::OnTheWay => l!(language, "state-on-the-way"),
        Stage::Delivered => l!(language, "state-delivered"),
        Stage::Cancelled => l!(language, "state-cancelled"),
        Stage::Expired => l!(language, "state-expired"),
        Stage::Refunded => l!(language, "state-refunded"),
    }
}

/// A span of time as it is shown: coarser the longer it is, so that a message need not change every minute.
fn shown_minutes(left: Duration) -> i64 {
    let minutes = left.whole_minutes();
    let step = match minutes {
        ..15 => 1,
        15..60 => 5,
        60..240 => 15,
        240.. => 60,
    };
    minutes / step * step
}

fn left(language: Language, left: Duration) -> String {
    let minutes = shown_minutes(left);
    match (minutes / 60, minutes % 60) {
        (0, 0) => t!(language, "left-moment"),
        (0, minutes) => t!(language, "left-minutes", count = minutes),
        (hours, 0) => t!(language, "left-hours", count = hours),
        (hours, minutes) => format!(
            "{} {}",
            t!(language, "left-hours", count = hours),
            t!(language, "left-minutes", count = minutes)
        ),
    }
}

/// Brings the order's message up to date; one that is gone is sent anew. `None`: there is no such order in the shop.
pub(crate) async fn refresh(deps: &HandlerDeps, id: OrderId) -> Result<Option<Fulfilment>, HandlerError> {
    let Some(order) = fulfilment(deps.documents(), id).await? else { return Ok(None) };
    let screen = screen(deps.language_of(order.user_id).await, &order, deps.now(), deps);
    let chat = teloxide::types::ChatId(order.user_id.get());
    if let Some(message_id) = order.shopper_message_id.and_then(|id| i32::try_from(id).ok()) {
        let shown = ShownMessage { message_id, has_photo: false };
        if deps.telegram.change(chat, shown, &screen).await? {
            return Ok(Some(order));
        }
    }
    let shown = deps.tell(order.user_id, &screen).await?;
    Ok(remember(deps, id, shown).await?.or(Some(order)))
}

/// This is the order's message from now on.
pub(crate) async fn remember(
    deps: &HandlerDeps,
    id: OrderId,
    shown: ShownMessage,
) -> Result<Option<Fulfilment>, PortError> {
    let remembered = records::change(deps.documents(), id.get(), |order: &mut Fulfilment| {
        order.shopper_message_id = Some(i64::from(shown.message_id));
    });
    Ok(remembered.await?.map(|(order, ())| order))
}

/// Staff have done something to an order: its message shows it, and the shopper is told. Whoever cannot be told has the
/// message when they come back.
pub(crate) async fn moved(deps: &HandlerDeps, order: &Fulfilment, deed: Deed) {
    let id = order.id;
    if let Err(error) = refresh(deps, id).await {
        tracing::info!(order.id = %id, ?error, "the order's message could not be brought up to date");
    }
    let language = deps.language_of(order.user_id).await;
    let Some(html) = told(language, order, deed) else { return };
    match deps.tell(order.user_id, &Screen::new(html)).await {
        Ok(_) => {}
        Err(SendError::ChatClosed(reason)) => {
            tracing::info!(order.id = %id, reason, "a shopper cannot be told");
        }
        Err(error) => tracing::warn!(order.id = %id, ?error, "a shopper was not told how the order goes on"),
    }
}

/// What a deed means to the shopper. `None`: nothing, or somebody else tells.
fn told(language: Language, order: &Fulfilment, deed: Deed) -> Option<String> {
    let order_id = order.id;
    Some(match deed {
        Deed::Accepted => t!(language, "told-accepted", order = order_id),
        Deed::MadeReady if order.delivery == Delivery::Pickup => {
            t!(language, "told-ready-for-pickup", order = order_id)
        }
        Deed::MadeReady => t!(language, "told-ready", order = order_id),
        Deed::SentOff => t!(language, "told-sent-off", order = order_id),
        Deed::Delivered => t!(language, "told-delivered", order = order_id),
        Deed::Cancelled if order.is_paid() => t!(language, "told-cancelled-paid", order = order_id),
        Deed::Cancelled => t!(language, "told-cancelled", order = order_id),
        Deed::Refunded => t!(language, "told-refunded", order = order_id),
        Deed::Placed | Deed::Registered | Deed::Paid | Deed::Expired => return None,
    })
}

/// Whether the time that is left reads otherwise than a moment ago.
pub(crate) fn reads_otherwise(order: &Fulfilment, before: Timestamp, now: Timestamp) -> bool {
    let Some(until) = order.pay_until_at.filter(|until| *until > now) else { return false };
    shown_minutes(until - before) != shown_minutes(until - now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_told_in_the_forms_of_each_language() {
        let said = |language, minutes| left(language, Duration::minutes(minutes));
        assert_eq!(said(Language::Uz, 24 * 60 - 1), "23 soat");
        assert_eq!(said(Language::Ru, 24 * 60 - 1), "23 часа");
        assert_eq!(said(Language::Ru, 21 * 60), "21 час");
        assert_eq!(said(Language::En, 119), "1 hour 45 minutes");
        assert_eq!(said(Language::Uz, 59), "55 daqiqa");
        assert_eq!(said(Language::Ru, 1), "1 минута");
        assert_eq!(left(Language::En, Duration::seconds(59)), "less than a minute");
    }

    #[test]
    fn the_message_need_not_change_with_every_minute() {
        let changes = (0..24 * 60).filter(|minute| {
            shown_minutes(Duration::minutes(*minute)) != shown_minutes(Duration::minutes(minute + 1))
        });
        assert!(changes.count() < 60);
    }
}
