//! The ids of an order's events, as ranges of the outbox's index: `order_id` of the outbox has none of its own.

use tolov_domain::OrderId;

/// From the first text of each pair up to the second, which is left out.
pub(super) fn ids_of_order(order_id: OrderId) -> [(String, String); 8] {
    // '!' comes before every digit, ';' right after ':'.
    let whole = |name| (format!("{name}:{order_id}"), format!("{name}:{order_id}!"));
    let beginning = |name| (format!("{name}:{order_id}:"), format!("{name}:{order_id};"));
    [
        whole("payment.completed"),
        whole("order.expired"),
        beginning("payment.cancelled"),
        beginning("payment.questioned"),
        whole("payment.reversed"),
        beginning("payment.partly_reversed"),
        beginning("refund.undecided"),
        whole("receipt.issued"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ranges_hold_the_events_of_one_order_and_no_others() {
        let ranges = ids_of_order(OrderId::try_new(12).unwrap());
        let is_in = |id: &str| ranges.iter().any(|(from, to)| from.as_str() <= id && id < to.as_str());
        for id in [
            "payment.completed:12",
            "order.expired:12",
            "payment.cancelled:12:7",
            "payment.questioned:12:7:trans-501:paid_twice",
            "payment.questioned:12:trans-501:transaction_reused",
            "payment.reversed:12",
            "payment.partly_reversed:12:1795900000",
            "refund.undecided:12:1795900000:manual:0",
            "receipt.issued:12",
        ] {
            assert!(is_in(id), "{id}");
        }
        for id in
            ["payment.completed:123", "payment.completed:1", "order.expired:120", "payment.cancelled:123:7"]
        {
            assert!(!is_in(id), "{id}");
        }
    }
}
