#![doc = include_str!("../README.md")]

mod config;
mod counted;
mod handlers;
mod notify;
mod pace;
mod reach;
mod render;
mod schema;
mod service;
mod talk;
mod telegram;
mod text;

pub use config::{BotConfig, Channel, ConfigError};
pub use service::{Deps, Service};
