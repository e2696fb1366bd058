//! Cancelling an order that nobody has paid. The ledger decides, because only it knows whether money is on its way.

use tolov_domain::OrderId;
use tolov_shop::{
    order::{Actor, OrderAction, ShopOrder, Stage},
    records, settling,
};

use crate::{conversation::error::HandlerError, deps::HandlerDeps, orders::ledger_client::CancelReply};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum CancelOutcome {
    /// It cannot be paid any more, and its stock can be sold again.
    Cancelled(Box<ShopOrder>),
    /// It was paid before it could be cancelled.
    Paid,
    /// It does not wait for its payment, or does not exist.
    NotWaiting,
}

/// Cancels an order that waits for its payment. May be repeated.
pub(crate) async fn cancel_unpaid(
    deps: &HandlerDeps,
    id: OrderId,
    by: Actor,
) -> Result<CancelOutcome, HandlerError> {
    let documents = deps.documents();
    // Recorded first: whatever ends the order from here on, it was this request.
    let requested = records::change(documents, id.get(), |order: &mut ShopOrder| order.request_cancel(by));
    match requested.await? {
        Some((_, true)) => {}
        Some((order, false)) if order.is_paid() => return Ok(CancelOutcome::Paid),
        // An earlier attempt may have come no further than this state.
        Some((order, false)) if order.stage() == Stage::Cancelled => return close(deps, id, by).await,
        Some((_, false)) | None => return Ok(CancelOutcome::NotWaiting),
    }
    match deps.ledger.cancel(id).await {
        Ok(CancelReply::Cancelled | CancelReply::Unknown) => close(deps, id, by).await,
        Ok(CancelReply::Paid) => {
            withdraw(deps, id).await?;
            Ok(CancelOutcome::Paid)
        }
        Err(error) => {
            withdraw(deps, id).await?;
            Err(error.into())
        }
    }
}

/// The ledger has ended the order; the shop's record of it says what that means.
async fn close(deps: &HandlerDeps, id: OrderId, by: Actor) -> Result<CancelOutcome, HandlerError> {
    let closed = settling::close(deps.documents(), id, OrderAction::Cancelled, by, deps.now()).await?;
    Ok(match closed {
        Some((order, _)) if order.is_paid() => CancelOutcome::Paid,
        Some((order, _)) if order.stage() == Stage::Cancelled => CancelOutcome::Cancelled(Box::new(order)),
        Some(_) | None => CancelOutcome::NotWaiting,
    })
}

async fn withdraw(deps: &HandlerDeps, id: OrderId) -> Result<(), HandlerError> {
    let withdrawn = records::change(deps.documents(), id.get(), ShopOrder::withdraw_cancel_request);
    withdrawn.await?;
    Ok(())
}
