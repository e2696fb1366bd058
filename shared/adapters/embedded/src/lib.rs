#![doc = include_str!("../README.md")]

pub mod backup;
mod bus;
mod foreign;
mod private;
mod shop;
mod sqlite;

pub use bus::{EmbeddedBus, EmbeddedBusAdmin};
pub use foreign::ForeignFile;
pub use shop::EmbeddedShop;
