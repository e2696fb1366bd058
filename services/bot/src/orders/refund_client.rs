//! The client of the webhook service for refunds: its ledger decides, and the reconciler talks to CLICK.

use reqwest::Method;
use serde::Serialize;
use tolov_domain::{
    OrderId, PrepareId, RefundId,
    refund::{
        Decision, Refund,
        api::{Conflict, DecidedBy, GivenByHand, OrderRefunds, RefundRequest, SeenOutcome, SeenReply},
    },
};

use crate::orders::ledger_client::{Answer, LedgerClient, LedgerError};

/// What the ledger made of a request or a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RefundReply {
    /// It is recorded, now or by an earlier attempt.
    Recorded(Box<Refund>),
    /// The state of order or refund does not allow it.
    Conflict(Box<Conflict>),
}

impl LedgerClient {
    /// What went back of an order's money, and what can. `None`: the ledger does not know the order.
    pub(crate) async fn refunds(&self, id: OrderId) -> Result<Option<OrderRefunds>, LedgerError> {
        let answer = self.call(Method::GET, &format!("orders/{id}/refunds"), String::new()).await?;
        match answer.status {
            200 => answer.json().map(Some),
            404 => Ok(None),
            _ => Err(answer.refusal()),
        }
    }

    /// Asks for a refund. The same `request_id` again is the same refund.
    pub(crate) async fn request_refund(
        &self,
        id: OrderId,
        request: &RefundRequest,
    ) -> Result<RefundReply, LedgerError> {
        self.change_refund(&format!("orders/{id}/refunds"), request).await
    }

    /// What a person decides about a refund.
    pub(crate) async fn decide_refund(
        &self,
        id: RefundId,
        decision: Decision,
        by: String,
    ) -> Result<RefundReply, LedgerError> {
        match decision {
            Decision::Withdraw => {
                self.change_refund(&format!("refunds/{id}/withdraw"), &DecidedBy { by }).await
            }
            Decision::Retry => self.change_refund(&format!("refunds/{id}/retry"), &DecidedBy { by }).await,
            Decision::ByHand { document } => {
                self.change_refund(&format!("refunds/{id}/by-hand"), &GivenByHand { by, document }).await
            }
        }
    }

    /// Accepts as paid what CLICK has shown as paid. `None`: CLICK has not.
    pub(crate) async fn accept_attempt(
        &self,
        id: PrepareId,
        by: String,
    ) -> Result<Option<SeenOutcome>, LedgerError> {
        let body = serde_json::to_string(&DecidedBy { by });
        let body = body.map_err(|error| LedgerError::Refused(error.to_string()))?;
        let answer = self.call(Method::POST, &format!("attempts/{id}/accept"), body).await?;
        match answer.status {
            200 => answer.json().map(|reply: SeenReply| Some(reply.outcome)),
            404 | 409 => Ok(None),
            _ => Err(answer.refusal()),
        }
    }

    async fn change_refund(&self, path: &str, body: &impl Serialize) -> Result<RefundReply, LedgerError> {
        let body = serde_json::to_string(body).map_err(|error| LedgerError::Refused(error.to_string()))?;
        let answer: Answer = self.call(Method::POST, path, body).await?;
        match answer.status {
            200 | 201 => answer.json().map(|refund| RefundReply::Recorded(Box::new(refund))),
            409 => answer.json().map(|conflict| RefundReply::Conflict(Box::new(conflict))),
            _ => Err(answer.refusal()),
        }
    }
}
