//! What shoppers, staff and notifications share about an order.

pub(crate) mod announcements;
pub(crate) mod cancel;
pub(crate) mod ledger_client;
pub(crate) mod messages;
pub(crate) mod order_lines;
pub(crate) mod order_message;
pub(crate) mod receipt;
pub(crate) mod refund_client;
pub(crate) mod reminder;
pub(crate) mod texts;
pub(crate) mod trace;
