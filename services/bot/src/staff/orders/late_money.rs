//! What the shop wants done by itself with late money for goods that are sold out, LATE_MONEY.

use tolov_domain::{Tiyin, refund::api::RefundRequest};
use tolov_shop::{
    order::{self, Actor, HistoryItem, MissingChoice, ShopOrder},
    records,
};

use crate::{
    config::LateMoney,
    conversation::error::HandlerError,
    deps::HandlerDeps,
    orders::{announcements, refund_client::RefundReply},
};

/// Who asks, as the ledger keeps it.
const REQUESTER: &str = "LATE_MONEY";

/// Does it before the order is posted, and returns the order as it is then. What fails is left to staff, whom the post asks.
/// May be repeated.
pub(crate) async fn apply(deps: &HandlerDeps, order: ShopOrder) -> ShopOrder {
    if !order.asks_for_missing() || order.refunded() > Tiyin::ZERO {
        return order;
    }
    let done = match deps.config.late_money {
        LateMoney::Ask => return order,
        LateMoney::GiveBack => give_back(deps, &order).await,
        LateMoney::Wait => wait(deps, &order).await,
    };
    if let Err(error) = done {
        tracing::warn!(order.id = %order.id, %error, "LATE_MONEY is not done; staff decide about the order");
    }
    order::order(deps.documents(), order.id).await.ok().flatten().unwrap_or(order)
}

async fn give_back(deps: &HandlerDeps, order: &ShopOrder) -> Result<(), HandlerError> {
    let request = RefundRequest {
        // One decision, however often the post is tried.
        request_id: format!("late:{}", order.id),
        amount_tiyin: None,
        // What was sold out never left the stock: the shop does not put it back.
        returned: order.products(),
        requested_by: REQUESTER.to_owned(),
        reason: "late money for goods that are sold out".to_owned(),
        by_hand: None,
    };
    match deps.ledger.request_refund(order.id, &request).await? {
        RefundReply::Recorded(refund) => {
            tracing::info!(order.id = %order.id, refund.id = %refund.refund_id, "late money is given back");
        }
        RefundReply::Conflict(conflict) => {
            tracing::info!(order.id = %order.id, reason = conflict.reason, "late money is not given back again");
        }
    }
    Ok(())
}

async fn wait(deps: &HandlerDeps, order: &ShopOrder) -> Result<(), HandlerError> {
    let (now, what) = (deps.now(), HistoryItem::MissingDecided(MissingChoice::Wait));
    announcements::prepare(deps, order.id, what, Actor::Clock).await?;
    let decided = records::change(deps.documents(), order.id.get(), |order: &mut ShopOrder| {
        order.decide_missing(MissingChoice::Wait, Actor::Clock, now).is_applied()
    });
    match decided.await? {
        Some((order, true)) => {
            announcements::announce(deps, &order).await;
        }
        // Decided by somebody else; what an earlier try has decided is told by maintenance.
        Some((order, false)) if order.missing_choice().is_some_and(|entry| entry.by == Actor::Clock) => {}
        Some((_, false)) | None => announcements::withdraw(deps, order.id, what, Actor::Clock).await?,
    }
    Ok(())
}
