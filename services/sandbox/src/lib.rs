#![doc = include_str!("../README.md")]

mod board;
pub mod click;
mod config;
mod control;
mod guard;
pub mod hops;
mod http_reply;
pub mod load;
mod page;
mod ring;
mod sandbox;
pub mod telegram;

pub use board::{Board, Switch};
pub use config::{Config, KEY_MARK};
pub use sandbox::{Handle, Service, StartError};
