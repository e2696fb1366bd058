//! Money of a paid order that went back to the shopper, and goods that came back into stock with it.
//!
//! What holds of every order:
//! - Each refund of the ledger is in [`ShopOrder::refunds`] once, known by its number, however often its event comes.
//! - What staff record by hand is the same kind of fact. It has no number until the ledger's event brings it.
//! - An order is [`super::Stage::Refunded`] if and only if it is paid and nothing of its money is left with the shop. A part
//!   leaves its state as it is.
//! - Goods come back once: by a refund, or by the cancellation of the order. A refund that comes after the cancellation
//!   brings none, and one that comes after others no more than they have left.

use serde::{Deserialize, Serialize};
use tolov_domain::{
    EventId, OrderedProduct, Outcome, RefundId, Tiyin,
    event::Reversal,
    order::OrderLine,
    time::{Timestamp, millis},
};

use super::{
    history::{self, HistoryEntry, HistoryItem},
    record::{OrderState, ShopOrder},
    stage::{Actor, MissingChoice, OrderAction, Stage},
};

/// One refund of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRefund {
    /// The ledger's number. `None`: recorded by staff, and the ledger's event has not come.
    pub refund_id: Option<RefundId>,
    pub amount: Tiyin,
    /// Not through CLICK's reversal.
    pub by_hand: bool,
    /// What comes back into stock with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub returned: Vec<OrderedProduct>,
    /// `returned` is in stock.
    pub is_restocked: bool,
    /// Whoever recorded it has told the shopper: its event is no news.
    pub is_told: bool,
    #[serde(rename = "refunded_at", with = "millis")]
    pub at: Timestamp,
}

/// How much of a paid order an event gives back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All that was left.
    Rest,
    Part,
}

impl ShopOrder {
    /// How much money went back.
    pub fn refunded(&self) -> Tiyin {
        if self.stage() == Stage::Refunded {
            return self.total;
        }
        self.refunds.iter().fold(Tiyin::ZERO, |sum, refund| sum.checked_add(refund.amount).unwrap_or(sum))
    }

    /// What the shop keeps of the order's money, once it is paid.
    pub fn kept(&self) -> Tiyin {
        self.total.checked_sub(self.refunded()).unwrap_or(Tiyin::ZERO)
    }

    /// What came back by refunds, each article once.
    pub fn returned(&self) -> Vec<OrderedProduct> {
        let mut returned: Vec<OrderedProduct> = Vec::new();
        for product in self.refunds.iter().flat_map(|refund| &refund.returned) {
            match returned.iter_mut().find(|known| known.product_id == product.product_id) {
                Some(known) => known.count = known.count.saturating_add(product.count),
                None => returned.push(*product),
            }
        }
        returned
    }

    /// How many pieces of a line did not come back by refunds.
    pub fn kept_of(&self, line: &OrderLine) -> u32 {
        let is_it = |product: &&OrderedProduct| product.product_id == line.product_id;
        let returned = self.refunds.iter().flat_map(|refund| &refund.returned).filter(is_it);
        line.count.saturating_sub(returned.map(|product| product.count).fold(0, u32::saturating_add))
    }

    /// Whether the shopper was told of a refund by whoever recorded it.
    pub(crate) fn is_refund_told(&self, id: RefundId) -> bool {
        self.refunds.iter().any(|refund| refund.refund_id == Some(id) && refund.is_told)
    }

    /// The ledger says that money went back. Honoured wherever the order stands, also before its payment is known here.
    pub(crate) fn reverse(
        &mut self,
        reversal: &Reversal,
        extent: Extent,
        event_id: EventId,
        at: Timestamp,
    ) -> Outcome {
        if self.refunds.iter().any(|known| known.refund_id == Some(reversal.refund_id)) {
            return Outcome::AlreadyApplied;
        }
        let is_same = |known: &&mut OrderRefund| {
            known.refund_id.is_none() && (extent == Extent::Rest || known.amount == reversal.refunded)
        };
        if let Some(recorded) = self.refunds.iter_mut().find(is_same) {
            recorded.refund_id = Some(reversal.refund_id);
            return Outcome::AlreadyApplied;
        }
        let returned = if self.comes_back() { Vec::new() } else { self.not_back_yet(&reversal.returned) };
        self.refunds.push(OrderRefund {
            refund_id: Some(reversal.refund_id),
            amount: reversal.refunded,
            by_hand: reversal.by_hand,
            is_restocked: returned.is_empty(),
            returned,
            is_told: false,
            at,
        });
        if extent == Extent::Rest || self.kept() == Tiyin::ZERO {
            self.end_refunded(Some(event_id), at);
        } else {
            self.note(HistoryItem::PartlyRefunded, event_id, at);
        }
        Outcome::Applied
    }

    /// A paid order of which no money is left with the shop.
    fn end_refunded(&mut self, event_id: Option<EventId>, at: Timestamp) {
        let Some(sale) = self.sale().cloned().filter(|_| self.stage() != Stage::Refunded) else { return };
        let goods_left = matches!(self.state, OrderState::Paid { .. });
        self.state = OrderState::Refunded { sale, at, goods_left };
        let entry = HistoryEntry::of_action(OrderAction::Refunded, Actor::Click, at);
        history::add(&mut self.history, HistoryEntry { event_id, ..entry });
    }

    /// The payment became known after its refund.
    pub(super) fn end_if_refunded(&mut self) {
        if self.kept() > Tiyin::ZERO {
            return;
        }
        if let Some(at) = self.refunds.last().map(|last| last.at) {
            self.end_refunded(None, at);
        }
    }

    /// Staff say that they have given back what was left.
    pub(super) fn record_refund_by_hand(&mut self, amount: Tiyin, at: Timestamp) {
        self.refunds.push(OrderRefund {
            refund_id: None,
            amount,
            by_hand: true,
            returned: Vec::new(),
            is_restocked: true,
            is_told: true,
            at,
        });
    }

    /// All its goods are in stock, or on their way there.
    fn comes_back(&self) -> bool {
        matches!(
            self.state,
            OrderState::Cancelled { sale: Some(_), .. } | OrderState::Refunded { goods_left: false, .. }
        )
    }

    /// Of these, what did not come back before. A ledger that was restored may have forgotten that something did.
    fn not_back_yet(&self, returned: &[OrderedProduct]) -> Vec<OrderedProduct> {
        let (bought, before) = (self.products(), self.returned());
        let count_in = |products: &[OrderedProduct], id| -> u32 {
            let of_it = products.iter().filter(|product| product.product_id == id);
            of_it.map(|product| product.count).fold(0, u32::saturating_add)
        };
        let left = returned.iter().map(|product| {
            let id = product.product_id;
            let out = count_in(&bought, id).saturating_sub(count_in(&before, id));
            OrderedProduct { count: product.count.min(out), ..*product }
        });
        left.filter(|product| product.count > 0).collect()
    }

    /// Whether goods of a refund are not in stock yet.
    pub(crate) fn has_returns(&self) -> bool {
        self.is_paid() && self.refunds.iter().any(|refund| !refund.is_restocked)
    }

    /// What staff have agreed on about missing goods.
    pub fn missing_choice(&self) -> Option<&HistoryEntry> {
        self.history.iter().rev().find(|entry| matches!(entry.what, HistoryItem::MissingDecided(_)))
    }

    /// Whether staff have to decide about goods that were sold out when the money came.
    pub fn asks_for_missing(&self) -> bool {
        matches!(self.state, OrderState::Paid { .. })
            && !self.missing().is_empty()
            && self.missing_choice().is_none()
    }

    /// Staff agree with the shopper about missing goods, once.
    pub fn decide_missing(&mut self, choice: MissingChoice, by: Actor, at: Timestamp) -> Outcome {
        if !self.asks_for_missing() {
            return Outcome::AlreadyApplied;
        }
        let what = HistoryItem::MissingDecided(choice);
        history::add(&mut self.history, HistoryEntry { at, what, by, event_id: None });
        Outcome::Applied
    }

    /// What comes into stock by all refunds together; what the order never got does not.
    pub(crate) fn restocked_by_refunds(&self) -> Vec<OrderedProduct> {
        let missing = self.missing();
        let mut returned = self.returned();
        returned.retain(|product| missing.iter().all(|missing| missing.product_id != product.product_id));
        returned
    }

    /// The goods of these refunds are in stock.
    pub(crate) fn mark_restocked(&mut self, refunds: &[OrderRefund]) {
        for refund in &mut self.refunds {
            refund.is_restocked |= refunds.iter().any(|done| done.refund_id == refund.refund_id);
        }
    }
}
