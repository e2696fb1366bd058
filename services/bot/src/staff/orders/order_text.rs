//! An order as staff read it: on its post in the channel, and on its card in a private chat.

use tolov_domain::{Language, OrderId, Tiyin, order::OrderLine, time::TASHKENT};
use tolov_shop::fulfilment::{By, Deed, Delivery, Fulfilment, Stage, TimelineEntry};
use url::Url;

use crate::{
    conversation::{callback::StaffCallback, screen::Button},
    orders::order_lines::{fit_lines, order_line, phone},
    staff::people::names::Names,
    texts::{Html, clock_time, date_time, l, money, t},
};

/// The text of an order. `history` is its end: what happened, one line each.
pub(crate) fn order_html(
    language: Language,
    order: &Fulfilment,
    names: &Names,
    history: &[String],
) -> String {
    let title = [
        t!(language, "staff-order-title", order = order.id, stage = stage_label(language, order.stage)),
        t!(
            language,
            "staff-order-shopper",
            shopper = Html(names.link(order.user_id)),
            phone = phone(&order.phone)
        ),
    ];
    let lines: Vec<String> = order.lines.iter().map(|line| line_html(language, line)).collect();
    let mut end = sums(language, order);
    end.push(String::new());
    end.extend(place(language, &order.delivery));
    end.extend(order.comment.as_ref().map(|comment| t!(language, "staff-order-comment", comment = comment)));
    let warnings = warnings(language, order);
    if !warnings.is_empty() {
        end.push(String::new());
        end.extend(warnings);
    }
    if !history.is_empty() {
        end.push(String::new());
        end.extend(history.iter().cloned());
    }
    fit_lines(language, &title.join("\n"), &lines, &end.join("\n"))
}

fn line_html(language: Language, line: &OrderLine) -> String {
    let text = order_line(language, line);
    let sum = line.price.and_then(|price| price.checked_times(line.count).ok());
    sum.map_or(text.clone(), |sum| format!("{text} — {}", money(language, sum)))
}

fn sums(language: Language, order: &Fulfilment) -> Vec<String> {
    let mut sums = Vec::new();
    if order.goods != order.total {
        sums.push(t!(language, "staff-order-goods", sum = money(language, order.goods)));
    }
    if order.discount != Tiyin::ZERO {
        let code = order.promo_code.as_deref().unwrap_or("—");
        sums.push(t!(language, "staff-order-discount", sum = money(language, order.discount), code = code));
    }
    if order.delivery_price != Tiyin::ZERO {
        sums.push(t!(language, "staff-order-delivery", sum = money(language, order.delivery_price)));
    }
    sums.push(t!(language, "staff-order-total", sum = money(language, order.total)));
    if let Some(payment) = order.click_paydoc_id {
        sums.push(t!(language, "staff-order-payment", payment = payment.to_string()));
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

fn warnings(language: Language, order: &Fulfilment) -> Vec<String> {
    let mut warnings = Vec::new();
    if order.late && order.is_paid() {
        warnings.push(t!(language, "staff-order-late"));
    }
    for missing in &order.missing {
        let title = order
            .lines
            .iter()
            .find(|line| line.product_id == missing.product_id && !line.title.is_empty())
            .map_or_else(|| format!("№{}", missing.product_id), |line| line.title.clone());
        warnings.push(t!(language, "staff-order-missing", title = title, count = missing.count));
    }
    if order.is_paid() && order.stage == Stage::Cancelled {
        warnings.push(t!(language, "staff-order-give-back"));
    }
    warnings
}

/// What happened since the order was paid, for the post: who did what when.
pub(crate) fn short_history(language: Language, order: &Fulfilment, names: &Names) -> Vec<String> {
    let shown = order.timeline.iter().filter(|entry| !matches!(entry.deed, Deed::Placed | Deed::Registered));
    let mut said = None;
    let lines = shown.map(|entry| {
        // The day is said where it is another one than in the line before.
        let day = entry.at.to_offset(TASHKENT).date();
        let is_said = said.replace(day) == Some(day);
        let at = if is_said { clock_time(entry.at) } else { date_time(entry.at) };
        history_line(language, entry, names, &at)
    });
    lines.collect()
}

pub(crate) fn history_line(language: Language, entry: &TimelineEntry, names: &Names, at: &str) -> String {
    let what = deed_done(language, entry.deed);
    match entry.by {
        By::Staff(id) => {
            t!(language, "staff-history-staff", time = at, what = what, who = Html(names.link(id)))
        }
        By::Shopper if matches!(entry.deed, Deed::Cancelled) => {
            t!(language, "staff-history-shopper", time = at, what = what)
        }
        By::Shopper | By::Click | By::Clock => t!(language, "staff-history", time = at, what = what),
    }
}

/// The buttons of what can be done to it now, two in a row.
pub(crate) fn deed_rows(language: Language, order: &Fulfilment) -> Vec<Vec<Button>> {
    let button = |deed: &Deed| {
        Button::callback(deed_label(language, *deed), StaffCallback::Act { id: order.id, deed: *deed })
    };
    order.deeds().chunks(2).map(|deeds| deeds.iter().map(button).collect()).collect()
}

/// "Surely?", in the place of those buttons.
pub(crate) fn sure_rows(language: Language, id: OrderId, deed: Deed) -> Vec<Vec<Button>> {
    let yes = match deed {
        Deed::Refunded => l!(language, "deed-sure-refund"),
        Deed::Placed
        | Deed::Registered
        | Deed::Paid
        | Deed::Accepted
        | Deed::MadeReady
        | Deed::SentOff
        | Deed::Delivered
        | Deed::Cancelled
        | Deed::Expired => l!(language, "deed-sure-cancel"),
    };
    vec![
        vec![Button::callback(yes, StaffCallback::ActConfirmed { id, deed })],
        vec![Button::callback(l!(language, "deed-not-sure"), StaffCallback::Order { id })],
    ]
}

/// Where the goods go, on a map.
pub(crate) fn map_row(language: Language, delivery: &Delivery) -> Vec<Button> {
    let Delivery::Location { latitude, longitude, .. } = delivery else { return Vec::new() };
    let url = Url::parse_with_params("https://maps.google.com/", [("q", format!("{latitude},{longitude}"))]);
    let label = l!(language, "staff-order-map");
    url.ok().map(|url| Button::Link { label, url }).into_iter().collect()
}

pub(crate) fn stage_label(language: Language, stage: Stage) -> String {
    match stage {
        Stage::Placing => l!(language, "staff-stage-placing"),
        Stage::Waiting => l!(language, "staff-stage-waiting"),
        Stage::Paid => l!(language, "staff-stage-paid"),
        Stage::Preparing => l!(language, "staff-stage-preparing"),
        Stage::Ready => l!(language, "staff-stage-ready"),
        Stage::OnTheWay => l!(language, "staff-stage-on-the-way"),
        Stage::Delivered => l!(language, "staff-stage-delivered"),
        Stage::Cancelled => l!(language, "staff-stage-cancelled"),
        Stage::Expired => l!(language, "staff-stage-expired"),
        Stage::Refunded => l!(language, "staff-stage-refunded"),
    }
}

fn deed_label(language: Language, deed: Deed) -> String {
    match deed {
        Deed::Accepted => l!(language, "deed-accept"),
        Deed::MadeReady => l!(language, "deed-make-ready"),
        Deed::SentOff => l!(language, "deed-send-off"),
        Deed::Delivered => l!(language, "deed-deliver"),
        Deed::Refunded => l!(language, "deed-refund"),
        Deed::Cancelled | Deed::Placed | Deed::Registered | Deed::Paid | Deed::Expired => {
            l!(language, "deed-cancel")
        }
    }
}

/// As a past event.
pub(crate) fn deed_done(language: Language, deed: Deed) -> String {
    match deed {
        Deed::Placed => l!(language, "deed-done-placed"),
        Deed::Registered => l!(language, "deed-done-registered"),
        Deed::Paid => l!(language, "deed-done-paid"),
        Deed::Accepted => l!(language, "deed-done-accepted"),
        Deed::MadeReady => l!(language, "deed-done-made-ready"),
        Deed::SentOff => l!(language, "deed-done-sent-off"),
        Deed::Delivered => l!(language, "deed-done-delivered"),
        Deed::Cancelled => l!(language, "deed-done-cancelled"),
        Deed::Expired => l!(language, "deed-done-expired"),
        Deed::Refunded => l!(language, "deed-done-refunded"),
    }
}

#[cfg(test)]
#[path = "order_text_tests.rs"]
mod tests;
