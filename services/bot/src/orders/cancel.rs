//! Ending an order that nobody has paid: the ledger decides, because only it knows whether money is on its way.

use tolov_domain::OrderId;
use tolov_shop::{
    fulfilment::{By, Deed, Fulfilment, Stage},
    records, settling,
};

use crate::{conversation::error::HandlerError, deps::HandlerDeps, orders::ledger_client::Cancelled};

/// What became of the wish.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum CancelOutcome {
    /// It cannot be paid any more, and its stock can be sold again.
    Done(Box<Fulfilment>),
    /// The money was faster: it is a paid order.
    Paid,
    /// It is not waiting (any more), or not there.
    NotWaiting,
}

/// Cancels an order that waits for its money. The same wish again has the same answer.
pub(crate) async fn cancel_unpaid(
    deps: &HandlerDeps,
    id: OrderId,
    by: By,
) -> Result<CancelOutcome, HandlerError> {
    let documents = deps.documents();
    // Noted first: whatever ends the order from here on, it was this wish.
    let asked = records::change(documents, id.get(), |order: &mut Fulfilment| {
        let waits = matches!(order.stage, Stage::Waiting | Stage::Placing);
        if waits {
            order.cancel_asked_by.get_or_insert(by);
        }
        waits
    });
    match asked.await? {
        // Whoever cancelled it may have come no further than to say so.
        Some((order, false)) if order.stage == Stage::Cancelled && !order.is_paid() => {
            return close(deps, id, by).await;
        }
        Some((order, false)) if order.is_paid() => return Ok(CancelOutcome::Paid),
        Some((_, true)) => {}
        Some((_, false)) | None => return Ok(CancelOutcome::NotWaiting),
    }
    match deps.ledger.cancel(id).await {
        Ok(Cancelled::Yes | Cancelled::Unknown) => close(deps, id, by).await,
        Ok(Cancelled::Paid) => {
            forget_wish(deps, id).await?;
            Ok(CancelOutcome::Paid)
        }
        Err(error) => {
            forget_wish(deps, id).await?;
            Err(error.into())
        }
    }
}

/// The ledger has ended it; what the shop's record says of it then is the answer.
async fn close(deps: &HandlerDeps, id: OrderId, by: By) -> Result<CancelOutcome, HandlerError> {
    let closed = settling::closed(deps.documents(), id, Deed::Cancelled, by, deps.now()).await?;
    Ok(match closed {
        // Late money was faster.
        Some((order, _)) if order.is_paid() => CancelOutcome::Paid,
        Some((order, _)) if order.stage == Stage::Cancelled => CancelOutcome::Done(Box::new(order)),
        // Its time was over first.
        Some(_) | None => CancelOutcome::NotWaiting,
    })
}

async fn forget_wish(deps: &HandlerDeps, id: OrderId) -> Result<(), HandlerError> {
    records::change(deps.documents(), id.get(), |order: &mut Fulfilment| order.cancel_asked_by = None)
        .await?;
    Ok(())
}
