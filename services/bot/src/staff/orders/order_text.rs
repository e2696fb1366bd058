//! An order as staff read it: on its post in the channel, and on its card in the private chat.

use tolov_domain::{Language, OrderId, Tiyin, time::TASHKENT};
use tolov_shop::order::{
    Actor, Delivery, HistoryEntry, HistoryItem, MissingChoice, OrderAction, ShopOrder, Stage, Stock, Terms,
};
use url::Url;

use crate::{
    conversation::{callback::StaffCallback, screen::Button},
    orders::{
        order_lines::{fit_lines, priced_line},
        texts::{action_button, action_done, stage_of_order_for_staff},
    },
    staff::people::names::Names,
    texts::{Html, amount, clock_time, date_time, l, money, number, t},
};

/// The text of an order. `history` is its end, a line each.
pub(super) fn order_html(
    language: Language,
    order: &ShopOrder,
    names: &Names,
    warnings: &[String],
    history: &[String],
) -> String {
    let stage = stage_of_order_for_staff(language, order);
    let shopper = Html(names.link(order.user_id));
    let shopper = match &order.terms {
        Some(Terms { phone, .. }) => {
            t!(language, "staff-order-shopper", shopper = shopper, phone = phone.spaced())
        }
        None => t!(language, "staff-order-shopper-unknown", shopper = shopper),
    };
    let title = [t!(language, "staff-order-title", order = order.id, stage = stage), shopper];
    let lines: Vec<String> = order.lines.iter().map(|line| priced_line(language, line)).collect();
    let mut end = sums(language, order);
    if let Some(Terms { delivery, comment, .. }) = &order.terms {
        end.push(String::new());
        end.extend(place(language, delivery));
        end.extend(comment.as_ref().map(|comment| t!(language, "staff-order-comment", comment = comment)));
    }
    for part in [warnings, history].into_iter().filter(|part| !part.is_empty()) {
        end.push(String::new());
        end.extend(part.iter().cloned());
    }
    fit_lines(language, &title.join("\n"), &lines, &end.join("\n"))
}

fn sums(language: Language, order: &ShopOrder) -> Vec<String> {
    let mut sums = Vec::new();
    if let Some(Terms { goods, discount, delivery_price, promo_code, .. }) = &order.terms {
        if *goods != order.total {
            sums.push(t!(language, "staff-order-goods", sum = money(language, *goods)));
        }
        if *discount != Tiyin::ZERO {
            let (sum, code) = (money(language, *discount), promo_code.as_deref().unwrap_or("—"));
            sums.push(t!(language, "staff-order-discount", sum = sum, code = code));
        }
        if *delivery_price != Tiyin::ZERO {
            sums.push(t!(language, "staff-order-delivery", sum = money(language, *delivery_price)));
        }
    }
    sums.push(t!(language, "staff-order-total", sum = money(language, order.total)));
    if order.is_paid() && !order.refunds.is_empty() {
        sums.push(t!(language, "staff-order-refunded", sum = money(language, order.refunded())));
    }
    if let Some(payment) = order.payment() {
        sums.push(t!(language, "staff-order-payment", payment = payment.click_paydoc_id));
    }
    if let Some(url) = &order.receipt_url {
        sums.push(t!(language, "order-receipt", url = url));
    }
    sums
}

fn place(language: Language, delivery: &Delivery) -> Vec<String> {
    let (place, landmark) = match delivery {
        Delivery::Pickup => return vec![t!(language, "staff-order-pickup")],
        Delivery::Address { text, landmark } => {
            (t!(language, "staff-order-address", address = text), landmark)
        }
        Delivery::Location { landmark, .. } => (t!(language, "staff-order-location"), landmark),
    };
    let mut lines = vec![place];
    lines.extend(landmark.as_ref().map(|landmark| t!(language, "staff-order-landmark", landmark = landmark)));
    lines
}

/// What staff have to look at. `stock_settled`: what the notification of the payment said; the order itself knows only of
/// its products.
pub(super) fn warnings(language: Language, order: &ShopOrder, stock_settled: bool) -> Vec<String> {
    let mut warnings = Vec::new();
    if order.payment().is_some_and(|payment| payment.late) {
        warnings.push(t!(language, "staff-order-late"));
    }
    for missing in order.missing() {
        let line =
            order.lines.iter().find(|line| line.product_id == missing.product_id && !line.title.is_empty());
        let title = line.map_or_else(|| number(language, missing.product_id), |line| line.title.clone());
        warnings.push(match line.and_then(|line| line.portion) {
            Some(portion) => {
                let missing = amount(language, portion, missing.count);
                t!(language, "staff-order-missing-amount", title = title, amount = missing)
            }
            None => t!(language, "staff-order-missing", title = title, count = missing.count),
        });
    }
    if !stock_settled || (order.is_paid() && matches!(order.stock, Stock::Held | Stock::Unheld)) {
        warnings.push(format!("⚠️ {}", t!(language, "todo-stock-not-settled")));
    }
    if order.is_paid() && order.stage() == Stage::Cancelled {
        warnings.push(t!(language, "staff-order-give-back"));
    }
    warnings
}

/// What was done since the order was paid, for the post.
pub(super) fn short_history(language: Language, order: &ShopOrder, names: &Names) -> Vec<String> {
    let shown = order.history.iter().filter(|entry| match entry.what {
        HistoryItem::Action(action) => !matches!(action, OrderAction::Placed | OrderAction::Registered),
        HistoryItem::PartlyRefunded | HistoryItem::MissingDecided(_) => true,
        HistoryItem::PaymentCancelled | HistoryItem::PaymentQuestioned(_) | HistoryItem::RefundUndecided => {
            false
        }
    });
    let mut last_day = None;
    let lines = shown.map(|entry| {
        // The day is written where it differs from the line before.
        let day = entry.at.to_offset(TASHKENT).date();
        let is_same_day = last_day.replace(day) == Some(day);
        let at = if is_same_day { clock_time(entry.at) } else { date_time(entry.at) };
        history_line(language, order, entry, names, &at)
    });
    lines.collect()
}

pub(super) fn history_line(
    language: Language,
    order: &ShopOrder,
    entry: &HistoryEntry,
    names: &Names,
    at: &str,
) -> String {
    let what = match entry.what {
        HistoryItem::Action(action) => action_done(language, order, action),
        HistoryItem::PaymentCancelled => l!(language, "event-payment-cancelled"),
        HistoryItem::PaymentQuestioned(_) => l!(language, "event-payment-questioned"),
        HistoryItem::PartlyRefunded => l!(language, "event-partly-refunded"),
        HistoryItem::RefundUndecided => l!(language, "event-refund-undecided"),
        HistoryItem::MissingDecided(MissingChoice::Wait) => l!(language, "missing-done-wait"),
        HistoryItem::MissingDecided(MissingChoice::Other) => l!(language, "missing-done-other"),
    };
    match entry.by {
        Actor::Staff(id) => {
            t!(language, "staff-history-staff", time = at, what = what, who = Html(names.link(id)))
        }
        Actor::Shopper if entry.what == HistoryItem::Action(OrderAction::Cancelled) => {
            t!(language, "staff-history-shopper", time = at, what = what)
        }
        Actor::Shopper | Actor::Click | Actor::Clock => {
            t!(language, "staff-history", time = at, what = what)
        }
    }
}

/// The buttons of what can be done to the order now, two in a row.
pub(super) fn action_rows(language: Language, order: &ShopOrder) -> Vec<Vec<Button>> {
    let button = |action: &OrderAction| {
        let label = action_button(language, order, *action);
        Button::callback(label, StaffCallback::Act { id: order.id, action: *action })
    };
    let mut actions = order.staff_actions();
    // Nobody asks for the money of a delivered order: an owner finds the refund on its card.
    actions.retain(|action| *action != OrderAction::Refunded || order.stage() != Stage::Delivered);
    let mut rows: Vec<Vec<Button>> =
        actions.chunks(2).map(|actions| actions.iter().map(button).collect()).collect();
    let id = order.id;
    if order.asks_for_missing() {
        let button = |label: String, choice| Button::callback(label, StaffCallback::Missing { id, choice });
        rows.push(vec![
            button(l!(language, "missing-wait"), MissingChoice::Wait),
            button(l!(language, "missing-other"), MissingChoice::Other),
        ]);
    }
    let waits_for_money = order.is_paid() && order.stage() == Stage::Cancelled;
    if waits_for_money || order.asks_for_missing() {
        rows.push(vec![refund_button(language, order)]);
    }
    rows
}

/// Opens the refunds of an order, for owners.
pub(super) fn refund_button(language: Language, order: &ShopOrder) -> Button {
    Button::callback(l!(language, "refund-open"), StaffCallback::Refund { id: order.id })
}

/// The confirmation of an action, in the place of those buttons.
pub(super) fn confirmation_rows(language: Language, id: OrderId, action: OrderAction) -> Vec<Vec<Button>> {
    let yes = if action == OrderAction::Refunded {
        l!(language, "action-sure-refund")
    } else {
        l!(language, "action-sure-cancel")
    };
    vec![
        vec![Button::callback(yes, StaffCallback::ActConfirmed { id, action })],
        vec![Button::callback(l!(language, "action-not-sure"), StaffCallback::Order { id })],
    ]
}

/// A link to where the goods go, on a map.
pub(super) fn map_row(language: Language, order: &ShopOrder) -> Vec<Button> {
    let Some(Delivery::Location { latitude, longitude, .. }) = order.delivery() else { return Vec::new() };
    let url = Url::parse_with_params("https://maps.google.com/", [("q", format!("{latitude},{longitude}"))]);
    let label = l!(language, "staff-order-map");
    url.ok().map(|url| Button::Link { label, url }).into_iter().collect()
}

#[cfg(test)]
#[path = "order_text_tests.rs"]
mod tests;
