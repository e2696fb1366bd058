//! The port through which owners see everything that is known of an order. Whoever composes the bot implements it: ledger, bus
//! and the operators' journal are not the bot's.

use std::fmt;

use async_trait::async_trait;
use tolov_domain::{Language, OrderId, time::Timestamp};

/// Asks every store about an order.
#[async_trait]
pub trait OrderTrace: Send + Sync + fmt::Debug {
    /// In the order of time; what is so now comes last. It answers in bounded time: a store that cannot be asked is an entry.
    /// None at all: nobody knows the number.
    async fn trace(&self, order_id: OrderId, language: Language) -> Vec<TraceEntry>;
}

/// One thing that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceEntry {
    /// `None`: it is so now.
    pub at: Option<Timestamp>,
    /// The store that says it, in the language that was asked for.
    pub source: String,
    pub text: String,
}
