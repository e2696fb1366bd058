//! The messages: what is said to a shopper, to staff, and in answer to a command. Telegram's HTML throughout.

use tolov_domain::{
    ClickPaydocId, Language,
    notification::{Notification, Subject},
    order::OrderLine,
    payment::Anomaly,
};

use crate::{
    orders::order_lines::{fit_lines, order_line, units},
    texts::{Gaps, clock_time, date_time, money, plain, say},
};

/// Telegram takes 4096 characters after it has read the markup. Counting the markup too keeps us on the safe side.
const MESSAGE_MAX_UNITS: usize = 4096;

/// "Your order is paid", for the shopper.
pub(crate) fn shopper_paid(language: Language, told: &Notification, payment: ClickPaydocId) -> String {
    let title = say(language, "paid-title", &Gaps::new().text("order", &told.order_id));
    let end = [
        say(language, "paid-total", &Gaps::new().text("total", &money(language, told.total_tiyin))),
        say(language, "paid-payment", &Gaps::new().text("payment", &payment)),
        String::new(),
        plain(language, "paid-thanks"),
    ];
    with_lines(language, &title, &told.lines, &end.join("\n"))
}

/// "Your order expired", for the shopper.
pub(crate) fn shopper_expired(language: Language, told: &Notification) -> String {
    let title = say(language, "expired-title", &Gaps::new().text("order", &told.order_id));
    with_lines(language, &title, &told.lines, &plain(language, "expired-cart"))
}

/// One notice, for staff.
pub(crate) fn staff_post(language: Language, told: &Notification) -> String {
    let title_key = match &told.subject {
        Subject::OrderPaid { late: false, .. } => "staff-paid-title",
        Subject::OrderPaid { late: true, .. } => "staff-late-title",
        Subject::PaymentQuestioned { .. } => "staff-questioned-title",
        Subject::OrderExpired => "expired-title",
    };
    let title = [
        say(language, title_key, &Gaps::new().text("order", &told.order_id)),
        say(language, "staff-shopper", &Gaps::new().text("user", &told.user_id)),
    ];
    let mut end = vec![
        say(language, "paid-total", &Gaps::new().text("total", &money(language, told.total_tiyin))),
        say(language, "paid-payment", &Gaps::new().text("payment", &payment_of(told))),
        say(language, "staff-time", &Gaps::new().text("time", &date_time(told.occurred_at))),
    ];
    end.extend(to_do(language, told).map(|to_do| format!("\n👉 {to_do}")));
    with_lines(language, &title.join("\n"), &told.lines, &end.join("\n"))
}

/// Several notices as one post: as many of the first ones as fit, and how many those are (at least one).
///
/// The lines of the orders are there where all notices fit with them; else more notices fit without.
pub(crate) fn digest(language: Language, told: &[&Notification]) -> (String, usize) {
    if let [alone] = told {
        return (staff_post(language, alone), 1);
    }
    let (text, fitting) = digest_of(language, told, true);
    if fitting == told.len() { (text, fitting) } else { digest_of(language, told, false) }
}

fn digest_of(language: Language, told: &[&Notification], with_orders: bool) -> (String, usize) {
    let title = |count: usize| {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        say(language, "staff-digest-title", &Gaps::new().count("count", count))
    };
    // The title grows with its number: room for the longest is kept.
    let mut room = MESSAGE_MAX_UNITS.saturating_sub(units(&title(told.len())));
    let mut body = String::new();
    let mut fitting = 0;
    for notification in told {
        let entry = digest_entry(language, notification, with_orders);
        let Some(rest) = room.checked_sub(units(&entry) + 1) else { break };
        room = rest;
        body.push('\n');
        body.push_str(&entry);
        fitting += 1;
    }
    match (fitting, told.first()) {
        (0, Some(first)) => (staff_post(language, first), 1),
        _ => (format!("{}{body}", title(fitting)), fitting),
    }
}

fn digest_entry(language: Language, told: &Notification, with_orders: bool) -> String {
    let to_do = to_do(language, told);
    let key = if to_do.is_some() { "staff-digest-attention" } else { "staff-digest-entry" };
    let gaps = Gaps::new()
        .text("order", &told.order_id)
        .text("user", &told.user_id)
        .text("total", &money(language, told.total_tiyin))
        .text("payment", &payment_of(told))
        .text("time", &clock_time(told.occurred_at));
    let mut entry = say(language, key, &gaps);
    if let Some(to_do) = to_do {
        entry.push_str("\n👉 ");
        entry.push_str(&to_do);
    }
    if with_orders {
        for line in &told.lines {
            entry.push_str("\n    ");
            entry.push_str(&order_line(language, line));
        }
    }
    entry
}

/// What staff are to do where a payment is not as it should be.
fn to_do(language: Language, told: &Notification) -> Option<String> {
    let anomaly = match &told.subject {
        Subject::OrderPaid { late: false, .. } | Subject::OrderExpired => return None,
        Subject::OrderPaid { late: true, .. } => return Some(plain(language, "todo-late")),
        Subject::PaymentQuestioned { anomaly, .. } => anomaly,
    };
    let key = match anomaly {
        Anomaly::CancelAfterPaid => "todo-cancel-after-paid",
        Anomaly::PaidTwice => "todo-paid-twice",
        Anomaly::ConfirmedAfterCancel => "todo-confirmed-after-cancel",
        Anomaly::AmountDiffers => "todo-amount-differs",
        Anomaly::TransactionReused => "todo-transaction-reused",
    };
    Some(plain(language, key))
}

/// CLICK's number of the payment, where there is one.
fn payment_of(told: &Notification) -> String {
    match told.subject {
        Subject::OrderPaid { click_paydoc_id, .. } | Subject::PaymentQuestioned { click_paydoc_id, .. } => {
            click_paydoc_id.to_string()
        }
        Subject::OrderExpired => "-".to_owned(),
    }
}

/// A title, the lines of an order, and an end; where not all lines fit, it says how many more there are.
fn with_lines(language: Language, title: &str, lines: &[OrderLine], end: &str) -> String {
    let lines: Vec<String> = lines.iter().map(|line| order_line(language, line)).collect();
    fit_lines(language, title, &lines, end)
}

#[cfg(test)]
#[path = "texts_tests.rs"]
mod tests;
