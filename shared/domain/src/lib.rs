#![doc = include_str!("../README.md")]

// The first of our crates that is built: said here, it is said before minutes of building.
#[cfg(not(unix))]
compile_error!("Tolov runs on Linux and macOS; on Windows build it inside of WSL (README.md, \"Try it\")");

pub mod day;
pub mod event;
pub mod ids;
mod json;
pub mod language;
pub mod money;
pub mod notification;
pub mod order;
pub mod outcome;
pub mod payment;
pub mod phone;
pub mod ports;
pub mod refund;
pub mod silence;
pub mod time;

pub use day::{Day, DayCompared};
pub use event::{Event, EventKind};
pub use ids::{
    ClickPaydocId, ClickPaymentId, ClickTransId, EventId, OrderId, PrepareId, ProductId, RefundId, UserId,
};
pub use language::Language;
pub use money::Tiyin;
pub use order::{OrderedProduct, receipt};
pub use outcome::Outcome;
pub use payment::{
    phone_invoice, telegram_payment,
    unplaced::{self, UnplacedPayment},
};
pub use phone::Phone;
pub use ports::trace_parent::TraceParent;
