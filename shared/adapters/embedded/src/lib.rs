#![doc = include_str!("../README.md")]

mod bus;
mod shop;
mod sqlite;

pub use bus::{EmbeddedBus, EmbeddedBusAdmin};
pub use shop::EmbeddedShop;
