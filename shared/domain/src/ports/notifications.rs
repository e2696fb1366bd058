//! The log of notifications: what was sent, so that a redelivery sends nothing twice.

use std::fmt;

use async_trait::async_trait;

use super::error::PortError;
use crate::{ids::EventId, time::Timestamp};

/// Whether a notification may be sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It is the caller's until the lease ends. `attempt` counts from 1; above 1 an earlier send may have got through.
    Send { attempt: u32 },
    /// Another process is sending it; ask again at this time.
    Busy { until: Timestamp },
    /// It was sent, or is undeliverable: there is nothing left to do.
    Settled,
    /// The store cannot read or write what it has of this one; the others of the call are not affected.
    Refused { reason: String },
}

/// How a notification ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// Telegram gave the message this id.
    Sent { message_id: i64 },
    /// It can never be sent: the shopper has blocked the bot, the chat does not exist.
    Undeliverable { reason: String },
}

/// How a notification ended, and when that was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    pub outcome: SendOutcome,
    pub at: Timestamp,
}

/// Telegram takes no idempotency key. When a process dies between the send and the record, nobody knows whether the
/// message went out: it is sent again once the lease has ended.
#[async_trait]
pub trait NotificationLog: Send + Sync + fmt::Debug {
    /// Claims notifications until `lease_until`; one answer each, in the order given.
    async fn claim(
        &self,
        ids: &[EventId],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<Claim>, PortError>;

    /// Gives up a claim without having sent, so that the next try does not wait for the lease to end.
    async fn release(&self, ids: &[EventId]) -> Result<(), PortError>;

    /// Records how each of these notifications ended. The first outcome stays.
    async fn settle_each(&self, outcomes: &[(EventId, SendOutcome)], at: Timestamp) -> Result<(), PortError>;

    /// The same for several that ended in the same way.
    async fn settle(&self, ids: &[EventId], outcome: &SendOutcome, at: Timestamp) -> Result<(), PortError> {
        let outcomes: Vec<_> = ids.iter().map(|id| (id.clone(), outcome.clone())).collect();
        self.settle_each(&outcomes, at).await
    }

    /// How notifications ended, `None` while they have not; one answer each, in the order given.
    async fn outcomes(&self, ids: &[EventId]) -> Result<Vec<Option<Settled>>, PortError>;

    /// How one of them ended.
    async fn outcome(&self, id: &EventId) -> Result<Option<SendOutcome>, PortError> {
        let settled = self.outcomes(std::slice::from_ref(id)).await?.pop().flatten();
        Ok(settled.map(|settled| settled.outcome))
    }
}
