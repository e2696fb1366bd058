//! Refunds: those of the ledger beside those of the shop store's order. That their goods are back in stock is a part of
//! whether the order is settled.

use tolov_domain::{
    Event, EventId, OrderId, RefundId, Tiyin,
    notification::{self, Recipient},
    refund::Refund,
    time::Timestamp,
};
use tolov_shop::order::ShopOrder;
use tolov_webhook::ledger::reversals;

use super::difference::Difference;

/// A refund that is open for longer waits for a person who has forgotten it, or for a reconciler that does not run.
const OPEN_FOR: time::Duration = time::Duration::days(1);

/// How the two differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RefundDifference {
    /// Done in the ledger, unknown to the shop store.
    NotInShop,
    /// With another sum.
    Amount,
    /// Known to the shop store alone.
    NotInLedger,
}

/// What differs between the refunds of an order in the ledger and in the shop store.
pub(super) fn compare(
    order_id: OrderId,
    order: Option<&ShopOrder>,
    refunds: &[Refund],
    now: Timestamp,
) -> Vec<Difference> {
    let hang =
        refunds.iter().filter(|refund| refund.status().is_open() && refund.requested_at + OPEN_FOR < now);
    let hang = hang.map(|refund| Difference::RefundHangs {
        order_id,
        refund_id: refund.refund_id,
        state: refund.status().as_str(),
    });
    let mut differences: Vec<Difference> = hang.collect();
    // That the order is missing is a difference of its own.
    let Some(order) = order else { return differences };
    let mut differ =
        |refund_id, how| differences.push(Difference::RefundDiffers { order_id, refund_id, how });
    for refund in refunds.iter().filter(|refund| refund.status().is_done()) {
        let id = refund.refund_id;
        match amount_of(order, id) {
            None => differ(Some(id), RefundDifference::NotInShop),
            // What staff recorded as the rest keeps their sum.
            Some((amount, false)) if amount != refund.amount_tiyin => {
                differ(Some(id), RefundDifference::Amount);
            }
            Some(_) => {}
        }
    }
    for known in &order.refunds {
        let is_done = |id| refunds.iter().any(|refund| refund.refund_id == id && refund.status().is_done());
        let is_fresh = known.at + OPEN_FOR > now;
        match known.refund_id {
            Some(id) if !is_done(id) => differ(Some(id), RefundDifference::NotInLedger),
            None if !is_fresh => differ(None, RefundDifference::NotInLedger),
            Some(_) | None => {}
        }
    }
    differences
}

/// The sum of a refund in the shop store, and whether staff recorded it there first.
fn amount_of(order: &ShopOrder, id: RefundId) -> Option<(Tiyin, bool)> {
    let known = order.refunds.iter().find(|known| known.refund_id == Some(id))?;
    Some((known.amount, known.is_told))
}

/// What the shopper is to hear of refunds that are done and known to both: but for those that staff had recorded before, nobody
/// else tells of them.
pub(super) fn to_be_told(
    order: &ShopOrder,
    refunds: &[Refund],
    is_due: impl Fn(Timestamp) -> bool,
) -> Vec<(EventId, Difference)> {
    let order_id = order.id;
    let is_news = |id| order.refunds.iter().any(|known| known.refund_id == Some(id) && !known.is_told);
    let done = reversals(order.total, refunds).into_iter();
    done.filter(|(refund_id, _, at)| is_news(*refund_id) && is_due(*at))
        .map(|(refund_id, kind, _)| {
            let told = notification::id_of(&Event::id_of(order_id, &kind), Recipient::Shopper);
            (told, Difference::RefundNotTold { order_id, refund_id })
        })
        .collect()
}
