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

use tolov_domain::ports::documents::Collection;

pub use crate::{
    config::{Channel, Config, ConfigError, LateMoney},
    deps::Deps,
    service::Service,
    telegram::stand_in::{BotApi, BotApiAnswer},
};

/// Every collection of this crate, for the stores that create collections and indexes when they are opened.
pub const COLLECTIONS: [Collection; 4] = [
    orders::announcements::ANNOUNCEMENTS,
    conversation::dialogue::DIALOGUES,
    orders::messages::ORDER_MESSAGES,
    updates::inbox::UPDATES,
];
