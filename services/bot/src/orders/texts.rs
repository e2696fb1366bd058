//! Stages of an order, and what is done to it, in words.

use tolov_domain::Language;
use tolov_shop::order::{Delivery, HistoryItem, MissingChoice, OrderAction, ShopOrder, Stage};

use crate::texts::{l, t};

/// The stage of an order as shoppers read it, with a picture before it.
pub(crate) fn stage_for_shopper(language: Language, order: &ShopOrder) -> String {
    match order.stage() {
        Stage::Creating => l!(language, "state-placing"),
        Stage::AwaitingPayment => l!(language, "state-waiting"),
        Stage::Paid => l!(language, "state-paid"),
        Stage::Preparing => l!(language, "state-preparing"),
        Stage::Ready => l!(language, "state-ready"),
        Stage::OnTheWay => l!(language, "state-on-the-way"),
        Stage::Delivered if is_pickup(order) => l!(language, "state-picked-up"),
        Stage::Delivered => l!(language, "state-delivered"),
        Stage::Cancelled => l!(language, "state-cancelled"),
        Stage::Expired => l!(language, "state-expired"),
        Stage::Refunded => l!(language, "state-refunded"),
    }
}

/// The stage of an order as staff read it.
pub(crate) fn stage_of_order_for_staff(language: Language, order: &ShopOrder) -> String {
    if order.stage() == Stage::Delivered && is_pickup(order) {
        return l!(language, "staff-stage-picked-up");
    }
    stage_for_staff(language, order.stage())
}

/// A stage as staff read it.
pub(crate) fn stage_for_staff(language: Language, stage: Stage) -> String {
    match stage {
        Stage::Creating => l!(language, "staff-stage-placing"),
        Stage::AwaitingPayment => l!(language, "staff-stage-waiting"),
        Stage::Paid => l!(language, "staff-stage-paid"),
        Stage::Preparing => l!(language, "staff-stage-preparing"),
        Stage::Ready => l!(language, "staff-stage-ready"),
        Stage::OnTheWay => l!(language, "staff-stage-on-the-way"),
        Stage::Delivered => l!(language, "staff-stage-delivered"),
        Stage::Cancelled => l!(language, "staff-stage-cancelled"),
        Stage::Expired => l!(language, "staff-stage-expired"),
        Stage::Refunded => l!(language, "staff-stage-refunded"),
    }
}

/// The label of the button with which staff do an action.
pub(crate) fn action_button(language: Language, order: &ShopOrder, action: OrderAction) -> String {
    match action {
        OrderAction::Accepted => l!(language, "action-accept"),
        OrderAction::MadeReady => l!(language, "action-make-ready"),
        OrderAction::SentOff => l!(language, "action-send-off"),
        OrderAction::Delivered if is_pickup(order) => l!(language, "action-hand-over"),
        OrderAction::Delivered => l!(language, "action-deliver"),
        OrderAction::Cancelled => l!(language, "action-cancel"),
        OrderAction::Refunded => l!(language, "action-refund"),
        OrderAction::Placed | OrderAction::Registered | OrderAction::Paid | OrderAction::Expired => {
            String::new()
        }
    }
}

fn is_pickup(order: &ShopOrder) -> bool {
    order.delivery() == Some(&Delivery::Pickup)
}

/// An action in the history of its order.
pub(crate) fn action_done(language: Language, order: &ShopOrder, action: OrderAction) -> String {
    match action {
        OrderAction::Placed => l!(language, "action-done-placed"),
        OrderAction::Registered => l!(language, "action-done-registered"),
        OrderAction::Paid => l!(language, "action-done-paid"),
        OrderAction::Expired => l!(language, "action-done-expired"),
        OrderAction::Accepted => l!(language, "action-done-accepted"),
        OrderAction::MadeReady => l!(language, "action-done-made-ready"),
        OrderAction::SentOff => l!(language, "action-done-sent-off"),
        OrderAction::Delivered if is_pickup(order) => l!(language, "action-done-picked-up"),
        OrderAction::Delivered => l!(language, "action-done-delivered"),
        OrderAction::Cancelled => l!(language, "action-done-cancelled"),
        OrderAction::Refunded => l!(language, "action-done-refunded"),
    }
}

/// An action in the journal of staff, which does not know whether the order was picked up.
pub(crate) fn action_in_journal(language: Language, action: OrderAction) -> String {
    match action {
        OrderAction::Placed => l!(language, "journal-order-placed"),
        OrderAction::Registered => l!(language, "journal-order-registered"),
        OrderAction::Paid => l!(language, "journal-order-paid"),
        OrderAction::Expired => l!(language, "journal-order-expired"),
        OrderAction::Accepted => l!(language, "journal-order-accepted"),
        OrderAction::MadeReady => l!(language, "journal-order-made-ready"),
        OrderAction::SentOff => l!(language, "journal-order-sent-off"),
        OrderAction::Delivered => l!(language, "journal-order-delivered"),
        OrderAction::Cancelled => l!(language, "journal-order-cancelled"),
        OrderAction::Refunded => l!(language, "journal-order-refunded"),
    }
}

/// What the shopper is told of what staff did. `None`: nothing, or a notification tells it.
pub(crate) fn message_of(language: Language, order: &ShopOrder, what: HistoryItem) -> Option<String> {
    match what {
        HistoryItem::Action(action) => message_of_action(language, order, action),
        HistoryItem::MissingDecided(MissingChoice::Wait) => {
            Some(t!(language, "told-wait-for-goods", order = order.id))
        }
        HistoryItem::MissingDecided(MissingChoice::Other) => {
            Some(t!(language, "told-other-goods", order = order.id))
        }
        HistoryItem::PaymentCancelled
        | HistoryItem::PaymentQuestioned(_)
        | HistoryItem::PartlyRefunded
        | HistoryItem::RefundUndecided => None,
    }
}

fn message_of_action(language: Language, order: &ShopOrder, action: OrderAction) -> Option<String> {
    let order_id = order.id;
    Some(match action {
        OrderAction::Accepted => t!(language, "told-accepted", order = order_id),
        OrderAction::MadeReady if is_pickup(order) => {
            t!(language, "told-ready-for-pickup", order = order_id)
        }
        OrderAction::MadeReady => t!(language, "told-ready", order = order_id),
        OrderAction::SentOff => t!(language, "told-sent-off", order = order_id),
        OrderAction::Delivered if is_pickup(order) => t!(language, "told-picked-up", order = order_id),
        OrderAction::Delivered => t!(language, "told-delivered", order = order_id),
        OrderAction::Cancelled if order.is_paid() => t!(language, "told-cancelled-paid", order = order_id),
        OrderAction::Cancelled => t!(language, "told-cancelled", order = order_id),
        OrderAction::Refunded => t!(language, "told-refunded", order = order_id),
        OrderAction::Placed | OrderAction::Registered | OrderAction::Paid | OrderAction::Expired => {
            return None;
        }
    })
}
