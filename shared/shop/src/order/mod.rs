//! Orders as the shop knows them: what was agreed, where each stands, who did what when. Whether money came in only the
//! ledger knows; the record hears of it.

mod document;
mod history;
mod queries;
mod record;
mod refunds;
mod stage;
mod terms;

pub use history::{HISTORY_MAX, HistoryEntry, HistoryItem};
pub use queries::{
    ORDER_NUMBERS, apply, next_order_id, order, orders_in, orders_of, orders_paid_by, query_in,
    query_with_phone, waiting_orders_of,
};
pub(crate) use queries::{held_by, query_unsettled, reserve_order_ids};
pub use record::{ORDERS, OrderState, PaymentFacts, PaymentLink, Sale, ShopOrder, Stock};
pub(crate) use refunds::Extent;
pub use refunds::OrderRefund;
pub use stage::{Actor, MissingChoice, OrderAction, Progress, Stage};
pub use terms::{Delivery, Terms};
