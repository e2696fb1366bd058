//! The record of an order, and the transitions that it allows.

use serde::{Deserialize, Serialize};
use tolov_domain::{
    ClickPaydocId, ClickTransId, EventId, OrderId, OrderedProduct, Outcome, Tiyin, UserId,
    order::OrderLine,
    payment::Anomaly,
    ports::documents::{Collection, Key},
    time::Timestamp,
};

use super::{
    document::OrderDocument,
    history::{self, HistoryEntry, HistoryItem},
    refunds::OrderRefund,
    stage::{Actor, OrderAction, Progress, Stage},
    terms::{Delivery, Terms},
};
use crate::records::Record;

pub const ORDERS: Collection = Collection::new(
    "orders",
    &["user_id", "status", "progress", "phone", "click_paydoc_id", "placed_at", "changed_at", "unsettled"],
);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "OrderDocument", into = "OrderDocument")]
pub struct ShopOrder {
    pub id: OrderId,
    pub user_id: UserId,
    /// With the titles and prices of checkout.
    pub lines: Vec<OrderLine>,
    /// What is to be paid.
    pub total: Tiyin,
    pub placed_at: Timestamp,
    /// What was agreed at checkout. `None`: the shop learnt of the order from one of its events.
    pub terms: Option<Terms>,
    pub state: OrderState,
    pub stock: Stock,
    /// Money that went back, oldest first; see [`super::OrderRefund`].
    pub refunds: Vec<OrderRefund>,
    /// The address of its fiscal receipt, once that is known.
    pub receipt_url: Option<String>,
    /// Oldest first, at most [`history::HISTORY_MAX`] entries.
    pub history: Vec<HistoryEntry>,
}

/// Where an order stands, with what is true there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderState {
    /// Stock is being held; the ledger may not know the order yet.
    Creating {
        /// Somebody gave it up: whatever it holds is being released.
        cancel_requested_by: Option<Actor>,
    },
    AwaitingPayment {
        /// `None` where the shop learnt of the order from an event.
        link: Option<PaymentLink>,
        /// Somebody wants it cancelled; it is once the ledger says that it cannot be paid any more.
        cancel_requested_by: Option<Actor>,
    },
    /// The money is in. Nothing that happens to the payment later takes this back.
    Paid { sale: Sale, progress: Progress },
    /// Nobody paid in time. Money that comes all the same makes it paid.
    Expired,
    /// Before it was paid, or (`sale`) by staff after that: then the money is still to be given back.
    Cancelled { by: Actor, sale: Option<Sale> },
    Refunded {
        sale: Sale,
        at: Timestamp,
        /// The goods left the shop, but for those that refunds brought back. Else all of them are back in stock.
        goods_left: bool,
    },
}

/// Where an order is paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentLink {
    pub url: String,
    pub pay_until: Option<Timestamp>,
}

/// What is true of every order that was paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sale {
    pub payment: PaymentFacts,
    /// Sold to others before late money came: staff must see to it.
    pub missing: Vec<OrderedProduct>,
}

/// The facts of the payment, kept with the order for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaymentFacts {
    pub click_trans_id: ClickTransId,
    /// CLICK's payment number, which the payer sees in the SMS.
    pub click_paydoc_id: ClickPaydocId,
    pub paid_at: Timestamp,
    /// The money came after the order had expired or was cancelled.
    pub late: bool,
}

/// What has been done about the stock of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stock {
    /// Set aside in the products, or being set aside. Of a paid order: set aside, or sold already.
    Held,
    /// Nothing is set aside: money came late or unannounced, and the goods are to be taken as far as they are there.
    Unheld,
    /// Sold.
    Committed,
    /// Sold, and on its way back into stock.
    Restocking,
    /// In stock again.
    Released,
}

impl Record for ShopOrder {
    const COLLECTION: Collection = ORDERS;

    fn key(&self) -> Key {
        Key::Number(self.id.get())
    }
}

impl PaymentFacts {
    fn is_same_payment(&self, other: &Self) -> bool {
        (self.click_trans_id, self.click_paydoc_id) == (other.click_trans_id, other.click_paydoc_id)
    }
}

impl ShopOrder {
    pub fn stage(&self) -> Stage {
        match &self.state {
            OrderState::Creating { .. } => Stage::Creating,
            OrderState::AwaitingPayment { .. } => Stage::AwaitingPayment,
            OrderState::Paid { progress, .. } => progress.stage(),
            OrderState::Expired => Stage::Expired,
            OrderState::Cancelled { .. } => Stage::Cancelled,
            OrderState::Refunded { .. } => Stage::Refunded,
        }
    }

    /// `Some` of every order that was paid, whatever has become of it since.
    pub fn sale(&self) -> Option<&Sale> {
        match &self.state {
            OrderState::Paid { sale, .. } | OrderState::Refunded { sale, .. } => Some(sale),
            OrderState::Cancelled { sale, .. } => sale.as_ref(),
            OrderState::Creating { .. } | OrderState::AwaitingPayment { .. } | OrderState::Expired => None,
        }
    }

    pub fn is_paid(&self) -> bool {
        self.sale().is_some()
    }

    pub fn payment(&self) -> Option<&PaymentFacts> {
        self.sale().map(|sale| &sale.payment)
    }

    pub fn missing(&self) -> &[OrderedProduct] {
        self.sale().map_or(&[], |sale| &sale.missing)
    }

    pub fn link(&self) -> Option<&PaymentLink> {
        if let OrderState::AwaitingPayment { link, .. } = &self.state { link.as_ref() } else { None }
    }

    pub fn delivery(&self) -> Option<&Delivery> {
        self.terms.as_ref().map(|terms| &terms.delivery)
    }

    pub fn promo_code(&self) -> Option<&str> {
        self.terms.as_ref()?.promo_code.as_deref()
    }

    pub fn cancel_requested_by(&self) -> Option<Actor> {
        if let OrderState::Creating { cancel_requested_by }
        | OrderState::AwaitingPayment { cancel_requested_by, .. } = self.state
        {
            cancel_requested_by
        } else {
            None
        }
    }

    /// What was ordered, as the ledger knows it.
    pub fn products(&self) -> Vec<OrderedProduct> {
        self.lines.iter().map(OrderLine::product).collect()
    }

    /// When it was placed, or the latest entry of its history was made.
    pub fn changed_at(&self) -> Timestamp {
        self.history.iter().map(|entry| entry.at).fold(self.placed_at, Timestamp::max)
    }

    /// When an action was done last, and by whom.
    pub fn last(&self, action: OrderAction) -> Option<&HistoryEntry> {
        self.history.iter().rev().find(|entry| entry.what == HistoryItem::Action(action))
    }

    /// What staff can do to it now, in the order of their buttons.
    pub fn staff_actions(&self) -> Vec<OrderAction> {
        OrderAction::OF_STAFF.into_iter().filter(|action| self.can_apply(*action)).collect()
    }

    /// Whether [`ShopOrder::apply`] would do it. Placing, registering and paying have functions of their own.
    pub fn can_apply(&self, action: OrderAction) -> bool {
        use Progress::{Delivered, New, OnTheWay, Preparing, Ready};
        let is_unpaid =
            matches!(self.state, OrderState::Creating { .. } | OrderState::AwaitingPayment { .. });
        let progress = if let OrderState::Paid { progress, .. } = self.state { Some(progress) } else { None };
        let is_shipped = self.delivery() != Some(&Delivery::Pickup);
        match action {
            OrderAction::Placed | OrderAction::Registered | OrderAction::Paid => false,
            OrderAction::Accepted => progress == Some(New),
            OrderAction::MadeReady => progress == Some(Preparing),
            OrderAction::SentOff => matches!(progress, Some(Preparing | Ready)) && is_shipped,
            OrderAction::Delivered => matches!(progress, Some(Ready | OnTheWay)),
            OrderAction::Cancelled => is_unpaid || progress.is_some_and(|progress| progress != Delivered),
            OrderAction::Expired => is_unpaid,
            OrderAction::Refunded => {
                progress == Some(Delivered)
                    || matches!(self.state, OrderState::Cancelled { sale: Some(_), .. })
            }
        }
    }

    /// Applies an action once and enters it into the history.
    pub fn apply(&mut self, action: OrderAction, by: Actor, at: Timestamp) -> Outcome<Stage> {
        self.enter(HistoryEntry::of_action(action, by, at), action)
    }

    fn enter(&mut self, entry: HistoryEntry, action: OrderAction) -> Outcome<Stage> {
        let stage = self.stage();
        if stage == action.target() {
            return Outcome::AlreadyApplied;
        }
        if !self.can_apply(action) {
            return Outcome::Refused(stage);
        }
        let sale = self.sale().cloned();
        let progress = match action {
            OrderAction::Accepted => Some(Progress::Preparing),
            OrderAction::MadeReady => Some(Progress::Ready),
            OrderAction::SentOff => Some(Progress::OnTheWay),
            OrderAction::Delivered => Some(Progress::Delivered),
            OrderAction::Placed
            | OrderAction::Registered
            | OrderAction::Paid
            | OrderAction::Cancelled
            | OrderAction::Expired
            | OrderAction::Refunded => None,
        };
        self.state = match (action, progress, sale) {
            (_, Some(progress), Some(sale)) => OrderState::Paid { sale, progress },
            (OrderAction::Cancelled, _, sale) => {
                if self.stock == Stock::Committed {
                    self.stock = Stock::Restocking;
                }
                OrderState::Cancelled { by: entry.by, sale }
            }
            (OrderAction::Refunded, _, Some(sale)) => {
                self.record_refund_by_hand(self.kept(), entry.at);
                OrderState::Refunded { sale, at: entry.at, goods_left: stage == Stage::Delivered }
            }
            (OrderAction::Expired, _, None) => OrderState::Expired,
            _ => return Outcome::Refused(stage),
        };
        history::add(&mut self.history, entry);
        Outcome::Applied
    }

    /// The ledger knows the order: it can be paid at this link. Refused once somebody has given it up.
    pub fn register(&mut self, link: PaymentLink, at: Timestamp) -> Outcome<Stage> {
        match &mut self.state {
            OrderState::Creating { cancel_requested_by: None } => {
                self.state = OrderState::AwaitingPayment { link: Some(link), cancel_requested_by: None };
                let entry = HistoryEntry::of_action(OrderAction::Registered, Actor::Shopper, at);
                history::add(&mut self.history, entry);
                Outcome::Applied
            }
            OrderState::AwaitingPayment { link: known, .. } => {
                *known = Some(link);
                Outcome::AlreadyApplied
            }
            OrderState::Creating { cancel_requested_by: Some(_) }
            | OrderState::Paid { .. }
            | OrderState::Expired
            | OrderState::Cancelled { .. }
            | OrderState::Refunded { .. } => Outcome::Refused(self.stage()),
        }
    }

    /// The money is in. It is honoured wherever the order stands; a second payment is refused as an anomaly.
    pub fn pay(&mut self, mut payment: PaymentFacts, event_id: EventId) -> Outcome<Anomaly> {
        if let Some(known) = self.payment() {
            return if known.is_same_payment(&payment) {
                Outcome::AlreadyApplied
            } else {
                Outcome::Refused(Anomaly::PaidTwice)
            };
        }
        let was_closed = matches!(self.state, OrderState::Expired | OrderState::Cancelled { .. });
        payment.late |= was_closed;
        if !matches!(self.state, OrderState::AwaitingPayment { .. }) {
            // Whoever closed the order, or gave up creating it, may have released some of its goods, and may still be
            // releasing them.
            self.stock = Stock::Unheld;
        }
        self.state =
            OrderState::Paid { sale: Sale { payment, missing: Vec::new() }, progress: Progress::New };
        let paid = HistoryEntry::of_action(OrderAction::Paid, Actor::Click, payment.paid_at);
        history::add(&mut self.history, HistoryEntry { event_id: Some(event_id), ..paid });
        self.end_if_refunded();
        Outcome::Applied
    }

    /// It cannot be paid any more: an unpaid order is cancelled by whoever asked for that, else by `by`.
    pub fn close(&mut self, action: OrderAction, by: Actor, at: Timestamp) -> Outcome<Stage> {
        match self.cancel_requested_by() {
            Some(asker) => self.apply(OrderAction::Cancelled, asker, at),
            None => self.apply(action, by, at),
        }
    }

    /// The ledger says that it expired, which is also how it ends an order that was cancelled. A paid order stays paid.
    pub fn expire(&mut self, event_id: EventId, at: Timestamp) {
        if self.history.iter().any(|entry| entry.event_id.as_ref() == Some(&event_id)) {
            return;
        }
        let (action, by) = match (&self.state, self.cancel_requested_by()) {
            (_, Some(asker)) => (OrderAction::Cancelled, asker),
            (OrderState::Creating { .. }, None) => (OrderAction::Cancelled, Actor::Clock),
            _ => (OrderAction::Expired, Actor::Clock),
        };
        let ended = |entry: &&mut HistoryEntry| {
            matches!(entry.what, HistoryItem::Action(OrderAction::Expired | OrderAction::Cancelled))
        };
        let entry = HistoryEntry { event_id: Some(event_id), ..HistoryEntry::of_action(action, by, at) };
        if let Some(known) = self.history.iter_mut().find(ended) {
            known.event_id = entry.event_id;
        } else if !self.enter(entry.clone(), action).is_applied() {
            history::add(&mut self.history, entry);
        }
    }

    /// Enters news that changes nothing but the history.
    pub fn note(&mut self, what: HistoryItem, event_id: EventId, at: Timestamp) {
        let entry = HistoryEntry { at, what, by: Actor::Click, event_id: Some(event_id) };
        history::add(&mut self.history, entry);
    }

    /// Somebody wants an unpaid order cancelled; the first to ask counts. `false`: it is not waiting to be paid.
    pub fn request_cancel(&mut self, by: Actor) -> bool {
        let (OrderState::Creating { cancel_requested_by }
        | OrderState::AwaitingPayment { cancel_requested_by, .. }) = &mut self.state
        else {
            return false;
        };
        cancel_requested_by.get_or_insert(by);
        true
    }

    /// The ledger did not cancel it: nobody waits for that any more.
    pub fn withdraw_cancel_request(&mut self) {
        if let OrderState::Creating { cancel_requested_by }
        | OrderState::AwaitingPayment { cancel_requested_by, .. } = &mut self.state
        {
            *cancel_requested_by = None;
        }
    }

    /// Sets who bought what for how much to what the ledger says, and the payment where it is paid.
    pub(crate) fn correct(&mut self, user_id: UserId, total: Tiyin, payment: PaymentFacts) {
        (self.user_id, self.total) = (user_id, total);
        if let Some(sale) = self.sale_mut() {
            let late = sale.payment.late;
            sale.payment = PaymentFacts { late, ..payment };
        }
    }

    /// Whether the goods leave the shop: it is paid, and staff have not cancelled it before they went out.
    pub(crate) fn goods_leave(&self) -> bool {
        matches!(self.state, OrderState::Paid { .. } | OrderState::Refunded { goods_left: true, .. })
    }

    /// Whether it ended without money.
    pub(crate) fn is_closed_unpaid(&self) -> bool {
        matches!(self.state, OrderState::Expired | OrderState::Cancelled { sale: None, .. })
    }

    /// Whether its goods, or what it holds, are not yet where its state says that they belong.
    pub fn is_unsettled(&self) -> bool {
        if self.has_returns() {
            return true;
        }
        match self.stock {
            Stock::Held => self.is_paid() || self.is_closed_unpaid(),
            Stock::Unheld => self.is_paid(),
            Stock::Committed | Stock::Restocking => self.is_paid() && !self.goods_leave(),
            Stock::Released => false,
        }
    }

    pub(crate) fn sale_mut(&mut self) -> Option<&mut Sale> {
        match &mut self.state {
            OrderState::Paid { sale, .. } | OrderState::Refunded { sale, .. } => Some(sale),
            OrderState::Cancelled { sale, .. } => sale.as_mut(),
            OrderState::Creating { .. } | OrderState::AwaitingPayment { .. } | OrderState::Expired => None,
        }
    }
}
