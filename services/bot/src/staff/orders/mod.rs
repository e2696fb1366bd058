//! Orders as staff see them.

pub(crate) mod accept;
pub(crate) mod actions;
pub(crate) mod late_money;
pub(crate) mod list;
pub(crate) mod missing;
pub(crate) mod order_post;
mod order_text;
pub(crate) mod refund;
pub(crate) mod refund_text;
pub(crate) mod trace;
