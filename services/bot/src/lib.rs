#![doc = include_str!("../README.md")]

mod answer;
mod cancelling;
mod cashier;
mod chores;
mod config;
mod counted;
mod ctx;
mod dialogue;
mod notify;
mod order_message;
mod pace;
mod press;
mod render;
mod schema;
mod screen;
mod service;
mod shopper;
mod staff;
mod telegram;
mod text;
mod updates;

pub use config::{BotConfig, Channel, ConfigError};
pub use service::{Deps, Service};
