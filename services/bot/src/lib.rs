#![doc = include_str!("../README.md")]

mod broadcast;
mod config;
mod conversation;
mod deps;
mod maintenance;
mod metrics;
mod notify;
mod orders;
mod service;
mod shopper;
mod staff;
mod telegram;
mod texts;
mod updates;

pub use crate::{
    config::{BotConfig, Channel, ConfigError},
    deps::Deps,
    service::Service,
};
