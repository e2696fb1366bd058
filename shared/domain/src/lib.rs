#![doc = include_str!("../README.md")]

pub mod event;
pub mod ids;
pub mod money;
pub mod notification;
pub mod order;
pub mod payment;
pub mod phone;
pub mod ports;
pub mod time;
pub mod unplaced;

pub use event::{Event, EventKind};
pub use ids::{ClickPaydocId, ClickTransId, EventId, OrderId, PrepareId, ProductId, UserId};
pub use money::Tiyin;
pub use order::{Language, OrderedProduct};
pub use phone::Phone;
pub use unplaced::UnplacedPayment;
