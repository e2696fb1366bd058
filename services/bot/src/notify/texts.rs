//! The texts of notifications, in Telegram's HTML.

use tolov_domain::{
    ClickPaydocId, Language, Tiyin, UnplacedPayment,
    notification::{Notification, Subject},
    order::OrderLine,
    payment::Anomaly,
};

use crate::{
    notify::post_queue::StaffMessage,
    orders::order_lines::{MESSAGE_MAX_UNITS, fit_lines, order_line, units},
    staff::orders::refund_text::undecided_text,
    texts::{clock_time, date_time, l, money, t},
};

/// "Your order is paid", for the shopper.
pub(super) fn shopper_paid(
    language: Language,
    notification: &Notification,
    payment: ClickPaydocId,
) -> String {
    let title = t!(language, "paid-title", order = notification.order_id);
    let end = [
        t!(language, "paid-total", total = money(language, notification.total_tiyin)),
        t!(language, "paid-payment", payment = payment),
        String::new(),
        t!(language, "paid-thanks"),
    ];
    with_lines(language, &title, &notification.lines, &end.join("\n"))
}

/// "Your order has expired", for the shopper.
pub(super) fn shopper_expired(language: Language, notification: &Notification) -> String {
    let title = t!(language, "expired-title", order = notification.order_id);
    with_lines(language, &title, &notification.lines, &t!(language, "expired-cart"))
}

/// Money went back to the shopper; `is_rest`: nothing of it is left with the shop.
pub(super) fn shopper_refunded(
    language: Language,
    notification: &Notification,
    sum: Tiyin,
    is_rest: bool,
) -> String {
    let (order, sum) = (notification.order_id, money(language, sum));
    if is_rest {
        t!(language, "told-rest-refunded", order = order, sum = sum)
    } else {
        t!(language, "told-part-refunded", order = order, sum = sum)
    }
}

/// The fiscal receipt is there.
pub(super) fn shopper_receipt(language: Language, notification: &Notification, url: &str) -> String {
    t!(language, "told-receipt", order = notification.order_id, url = url)
}

/// One notification for staff.
pub(super) fn staff_post(language: Language, notification: &Notification) -> String {
    let order = notification.order_id;
    let title = match &notification.subject {
        Subject::OrderPaid { late: false, .. } => t!(language, "staff-paid-title", order = order),
        Subject::OrderPaid { late: true, .. } => t!(language, "staff-late-title", order = order),
        Subject::PaymentQuestioned { .. } => t!(language, "staff-questioned-title", order = order),
        Subject::OrderExpired | Subject::MoneyReturned { .. } | Subject::ReceiptIssued { .. } => {
            t!(language, "expired-title", order = order)
        }
        Subject::RefundUndecided { .. } => t!(language, "refund-post-title", order = order),
    };
    let title = [title, t!(language, "staff-shopper", user = notification.user_id)];
    let mut end = vec![
        t!(language, "paid-total", total = money(language, notification.total_tiyin)),
        t!(language, "paid-payment", payment = payment_of(notification)),
    ];
    if let Subject::RefundUndecided { refunded_tiyin, .. } = notification.subject {
        end.push(t!(language, "refund-post-sum", sum = money(language, refunded_tiyin)));
    }
    end.extend(click_facts(language, notification));
    end.push(t!(language, "staff-time", time = date_time(notification.occurred_at)));
    end.extend(to_do(language, notification).into_iter().map(|to_do| format!("\n👉 {to_do}")));
    with_lines(language, &title.join("\n"), &notification.lines, &end.join("\n"))
}

/// Money that belongs to no order, for staff. What CLICK names is shown as it came.
pub(super) fn unplaced_post(language: Language, payment: &UnplacedPayment) -> String {
    let amount = l!(language, "money", amount = named(&payment.amount));
    let lines = [
        t!(language, "staff-unplaced-title"),
        String::new(),
        t!(language, "staff-click-transaction", transaction = named(&payment.click_trans_id)),
        t!(language, "paid-payment", payment = named(&payment.click_paydoc_id)),
        t!(language, "staff-click-amount", amount = amount),
        t!(language, "staff-click-order", order = named(&payment.merchant_trans_id)),
        t!(language, "staff-click-answer", answer = i64::from(payment.answer)),
        t!(language, "staff-time", time = date_time(payment.occurred_at)),
        format!("\n👉 {}", t!(language, "todo-unplaced")),
    ];
    lines.join("\n")
}

/// What CLICK wrote into a field.
fn named(text: &str) -> &str {
    if text.is_empty() { "-" } else { text }
}

fn post(language: Language, message: &StaffMessage) -> String {
    match message {
        StaffMessage::Order(notification) => staff_post(language, notification),
        StaffMessage::Unplaced(payment) => unplaced_post(language, payment),
    }
}

/// Several notifications as one post: as many of the first ones as fit, and how many those are (at least one).
///
/// The lines of the orders are shown where all notifications fit with them; else more notifications fit without.
pub(super) fn digest(language: Language, notifications: &[&StaffMessage]) -> (String, usize) {
    if let [single] = notifications {
        return (post(language, single), 1);
    }
    let (text, fitting) = digest_of(language, notifications, true);
    if fitting == notifications.len() { (text, fitting) } else { digest_of(language, notifications, false) }
}

fn digest_of(language: Language, notifications: &[&StaffMessage], with_orders: bool) -> (String, usize) {
    let title = |count: usize| t!(language, "staff-digest-title", count = count);
    // The title grows with its number: room for the longest is kept.
    let mut room = MESSAGE_MAX_UNITS.saturating_sub(units(&title(notifications.len())));
    let mut body = String::new();
    let mut fitting = 0;
    for notification in notifications {
        let entry = match notification {
            StaffMessage::Order(notification) => digest_entry(language, notification, with_orders),
            // All that staff have to know of it, also in a digest.
            StaffMessage::Unplaced(payment) => unplaced_post(language, payment),
        };
        let Some(rest) = room.checked_sub(units(&entry) + 1) else { break };
        room = rest;
        body.push('\n');
        body.push_str(&entry);
        fitting += 1;
    }
    match (fitting, notifications.first()) {
        (0, Some(first)) => (post(language, first), 1),
        _ => (format!("{}{body}", title(fitting)), fitting),
    }
}

fn digest_entry(language: Language, notification: &Notification, with_orders: bool) -> String {
    let order = notification.order_id;
    let total = money(language, notification.total_tiyin);
    let payment = payment_of(notification);
    let time = clock_time(notification.occurred_at);
    let to_do = to_do(language, notification);
    let mut entry = if to_do.is_empty() {
        t!(language, "staff-digest-entry", order = order, total = total, payment = payment, time = time)
    } else {
        t!(
            language,
            "staff-digest-attention",
            order = order,
            total = total,
            payment = payment,
            time = time,
            user = notification.user_id
        )
    };
    for fact in click_facts(language, notification) {
        entry.push('\n');
        entry.push_str(&fact);
    }
    for to_do in to_do {
        entry.push_str("\n👉 ");
        entry.push_str(&to_do);
    }
    if with_orders {
        for line in &notification.lines {
            entry.push_str("\n    ");
            entry.push_str(&order_line(language, line));
        }
    }
    entry
}

/// What staff look a questioned payment up by in CLICK's cabinet, besides its number.
fn click_facts(language: Language, notification: &Notification) -> Vec<String> {
    let Subject::PaymentQuestioned { click_trans_id, click_amount_tiyin, paid_by, .. } = notification.subject
    else {
        return Vec::new();
    };
    let transaction =
        click_trans_id.map(|id| t!(language, "staff-click-transaction", transaction = id.to_string()));
    let amount =
        click_amount_tiyin.map(|amount| t!(language, "staff-click-amount", amount = money(language, amount)));
    let paid_by = paid_by.map(|known| {
        let (transaction, payment) = (known.click_trans_id.to_string(), known.click_paydoc_id.to_string());
        t!(language, "staff-paid-by", transaction = transaction, payment = payment)
    });
    transaction.into_iter().chain(amount).chain(paid_by).collect()
}

/// What staff have to do about it.
fn to_do(language: Language, notification: &Notification) -> Vec<String> {
    let anomaly = match &notification.subject {
        Subject::OrderExpired | Subject::MoneyReturned { .. } | Subject::ReceiptIssued { .. } => {
            return Vec::new();
        }
        Subject::RefundUndecided { state, why, click_code, click_note, .. } => {
            return vec![undecided_text(language, *state, *why, (*click_code, click_note.as_deref()))];
        }
        Subject::OrderPaid { late, stock_settled, .. } => {
            let late = late.then(|| t!(language, "todo-late"));
            let unsettled = (!stock_settled).then(|| t!(language, "todo-stock-not-settled"));
            return late.into_iter().chain(unsettled).collect();
        }
        Subject::PaymentQuestioned { anomaly, .. } => anomaly,
    };
    vec![match anomaly {
        Anomaly::CancelAfterPaid => t!(language, "todo-cancel-after-paid"),
        Anomaly::PaidTwice => t!(language, "todo-paid-twice"),
        Anomaly::ConfirmedAfterCancel => t!(language, "todo-confirmed-after-cancel"),
        Anomaly::AmountDiffers => t!(language, "todo-amount-differs"),
        Anomaly::TransactionReused => t!(language, "todo-transaction-reused"),
        Anomaly::OrderDiffers => t!(language, "todo-order-differs", order = notification.order_id),
        Anomaly::ReportedPaid => t!(language, "todo-reported-paid"),
        Anomaly::ReportedUnpaid => t!(language, "todo-reported-unpaid"),
    }]
}

/// CLICK's number of the payment, where there is one.
fn payment_of(notification: &Notification) -> String {
    let payment = match notification.subject {
        Subject::OrderPaid { click_paydoc_id, .. } => Some(click_paydoc_id),
        Subject::PaymentQuestioned { click_paydoc_id, .. } => click_paydoc_id,
        Subject::OrderExpired
        | Subject::MoneyReturned { .. }
        | Subject::RefundUndecided { .. }
        | Subject::ReceiptIssued { .. } => None,
    };
    payment.map_or_else(|| "-".to_owned(), |payment| payment.to_string())
}

fn with_lines(language: Language, title: &str, lines: &[OrderLine], end: &str) -> String {
    let lines: Vec<String> = lines.iter().map(|line| order_line(language, line)).collect();
    fit_lines(language, title, &lines, end)
}

#[cfg(test)]
#[path = "texts_tests.rs"]
mod tests;
