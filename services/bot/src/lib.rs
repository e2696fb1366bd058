#![doc = include_str!("../README.md")]

mod broadcast;
mod config;
mod conversation;
mod deps;
mod invoices;
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
    config::{Channel, Config, ConfigError, LateMoney, is_test_provider_token},
    deps::Deps,
    orders::{
        receipt::ReceiptDefaults,
        trace::{OrderTrace, TraceEntry},
    },
    service::Service,
    telegram::stand_in::{BotApi, BotApiAnswer},
    updates::settings::{Updates, UpdatesWebhook},
};

/// Every collection of this crate, for the stores that create collections and indexes when they are opened.
pub const COLLECTIONS: [Collection; 7] = [
    orders::announcements::ANNOUNCEMENTS,
    conversation::dialogue::DIALOGUES,
    invoices::payments::PAYMENTS,
    invoices::bills::BILLS,
    orders::messages::ORDER_MESSAGES,
    telegram::roster::ROSTER,
    updates::inbox::UPDATES,
];
