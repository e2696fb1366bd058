//! What the shop store knows of an order: the order with its history, its notifications and messages, what staff did to it.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::Value;
use tolov_domain::{
    EventId, OrderId,
    notification::{self, Recipient},
    order::OrderLine,
    ports::{
        ShopStore,
        documents::Key,
        notifications::{SendOutcome, Settled},
    },
    time::from_unix_ms,
};
use tolov_shop::{
    order::{self, Actor, HistoryItem, ShopOrder},
    staff::{self, Action, StaffAction},
};

use super::entry::{Entry, Source};
use crate::{
    adapters::{Shop, ShopAddress},
    data_folder::Part,
};

/// `events`: the ids of the events that the ledger has of it.
pub(super) async fn of_address(
    address: &ShopAddress,
    order_id: OrderId,
    events: BTreeSet<String>,
) -> Result<Vec<Entry>> {
    if let ShopAddress::Embedded(folder) = address
        && !folder.join(Part::Shop.file_name()).exists()
    {
        return Ok(Vec::new());
    }
    let shop = Shop::open(address).await?;
    let entries = entries(shop.store().as_ref(), order_id, events).await;
    shop.close().await;
    entries
}

pub(super) async fn entries(
    store: &dyn ShopStore,
    order_id: OrderId,
    mut events: BTreeSet<String>,
) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    if let Some(order) = order::order(store, order_id).await? {
        let known = order.history.iter().filter_map(|entry| entry.event_id.as_ref());
        events.extend(known.map(|id| id.as_str().to_owned()));
        entries.extend(of_order(&order)?);
    }
    for action in staff::actions_on(store, order_id).await? {
        entries.extend(of_action(&action)?);
    }
    entries.extend(notifications_of(store, &events).await?);
    entries.extend(messages_of(store, order_id).await?);
    Ok(entries)
}

fn of_order(order: &ShopOrder) -> Result<Vec<Entry>> {
    let mut entries = vec![
        Entry::new(Some(order.placed_at), Source::Shop, "trace-placed")
            .with("user", order.user_id)
            .with("amount", order.total.grouped())
            .with("lines", lines_of(order)),
    ];
    for entry in &order.history {
        let by = match entry.by {
            Actor::Shopper => "shopper".to_owned(),
            Actor::Staff(id) => format!("staff {id}"),
            Actor::Click => "CLICK".to_owned(),
            Actor::Clock => "clock".to_owned(),
        };
        entries.push(
            Entry::new(Some(entry.at), Source::Shop, "trace-history")
                .with_word("what", code_of(&serde_json::to_value(entry.what)?))
                .with_word("by", by)
                .with("event", entry.event_id.as_ref().map_or("-", EventId::as_str)),
        );
    }
    let payment = order.payment().map_or_else(
        || "-".to_owned(),
        |payment| format!("{}/{}", payment.click_trans_id, payment.click_paydoc_id),
    );
    entries.push(
        Entry::new(None, Source::Shop, "trace-stands")
            .with_word("stage", order.stage().as_str())
            .with_word("stock", code_of(&serde_json::to_value(order.stock)?))
            .with("payment", payment)
            .with("missing", order.missing().len()),
    );
    Ok(entries)
}

fn lines_of(order: &ShopOrder) -> String {
    let line = |line: &OrderLine| format!("{} ({}) × {}", line.title, line.product_id, line.count);
    order.lines.iter().map(line).collect::<Vec<_>>().join(", ")
}

/// `None`: it is about no order.
fn of_action(entry: &StaffAction) -> Result<Option<Entry>> {
    let done = |key, code: String| {
        let done = Entry::new(Some(entry.at), Source::Shop, key).with("staff", entry.staff_id);
        Ok(Some(done.with_word("action", code)))
    };
    match &entry.action {
        Action::Order { action, .. } => done("trace-staff", code_of(&serde_json::to_value(action)?)),
        Action::Refund { refund_id, sum, change, .. } => {
            let code = format!("refund_{}", code_of(&serde_json::to_value(change)?));
            let done = done("trace-staff-refund", code)?;
            Ok(done.map(|done| done.with("refund", refund_id).with("amount", sum.grouped())))
        }
        Action::Missing { choice, .. } => {
            let decided = HistoryItem::MissingDecided(*choice);
            done("trace-staff", code_of(&serde_json::to_value(decided)?))
        }
        Action::PaymentAccepted { .. } => done("trace-staff", "payment_accepted".to_owned()),
        Action::Category { .. }
        | Action::Product { .. }
        | Action::Variant { .. }
        | Action::Promo { .. }
        | Action::Member { .. }
        | Action::CatalogueImported { .. }
        | Action::Broadcast { .. }
        | Action::SupportAnswered { .. } => Ok(None),
    }
}

/// As the store calls it; what it is about follows in the same word.
fn code_of(state: &Value) -> String {
    if let Value::Object(parts) = state {
        let words: Vec<String> =
            parts.iter().flat_map(|(what, about)| [what.clone(), code_of(about)]).collect();
        return words.join("_");
    }
    state.as_str().unwrap_or_default().to_owned()
}

/// Of a payment shopper and staff must hear; of other events only what was sent is shown.
async fn notifications_of(store: &dyn ShopStore, events: &BTreeSet<String>) -> Result<Vec<Entry>> {
    let of_event = |event: &String| Recipient::ALL.map(|it| notification::id_of(&EventId::new(event), it));
    let ids: Vec<EventId> = events.iter().flat_map(of_event).collect();
    let outcomes = store.outcomes(&ids).await?;
    let entry = |(id, settled): (&EventId, Option<Settled>)| {
        let at = settled.as_ref().map(|settled| settled.at);
        let new = |key| Entry::new(at, Source::Bot, key).with("notification", id);
        match settled.map(|settled| settled.outcome) {
            Some(SendOutcome::Sent { message_id }) => Some(new("trace-told").with("message", message_id)),
            Some(SendOutcome::Undeliverable { reason }) => {
                Some(new("trace-undeliverable").with("reason", reason))
            }
            None if id.as_str().starts_with("payment.completed:") => Some(new("trace-not-told")),
            None => None,
        }
    };
    Ok(ids.iter().zip(outcomes).filter_map(entry).collect())
}

async fn messages_of(store: &dyn ShopStore, order_id: OrderId) -> Result<Vec<Entry>> {
    let Some(collection) = tolov_bot::COLLECTIONS.into_iter().find(|it| it.name() == "order_messages") else {
        return Ok(Vec::new());
    };
    let Some(messages) = store.get(collection, &Key::Number(order_id.get())).await? else {
        return Ok(Vec::new());
    };
    let places = ["shopper", "staff_post"].into_iter().filter_map(|place| {
        let mut message = messages.body.get(place)?.as_object()?.clone();
        let sent_at = message.remove("sent_at").and_then(|at| at.as_i64()).map(from_unix_ms);
        let message = Value::Object(message);
        Some(Entry::new(sent_at, Source::Bot, "trace-message").with("place", place).with("message", message))
    });
    Ok(places.collect())
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;
    use tolov_domain::{Language, RefundId, Tiyin, UserId, payment::Anomaly};
    use tolov_shop::{
        order::{MissingChoice, OrderAction, Stock},
        staff::RefundChange,
    };

    use super::*;
    use crate::doctor::texts::word;

    #[test]
    fn everything_that_happens_to_an_order_and_its_stock_has_a_word() {
        use OrderAction::{
            Accepted, Cancelled, Delivered, Expired, MadeReady, Paid, Placed, Refunded, Registered, SentOff,
        };
        let actions =
            [Placed, Registered, Paid, Accepted, MadeReady, SentOff, Delivered, Cancelled, Expired, Refunded];
        let items =
            [HistoryItem::PaymentCancelled, HistoryItem::PartlyRefunded, HistoryItem::RefundUndecided]
                .into_iter()
                .chain(Anomaly::ALL.map(HistoryItem::PaymentQuestioned))
                .chain([MissingChoice::Wait, MissingChoice::Other].map(HistoryItem::MissingDecided))
                .chain(actions.map(HistoryItem::Action));
        let stocks = [Stock::Held, Stock::Unheld, Stock::Committed, Stock::Restocking, Stock::Released];
        let states = items.map(|item| serde_json::to_value(item).unwrap());
        let stocks = stocks.map(|stock| serde_json::to_value(stock).unwrap());
        for code in states.chain(stocks).map(|state| code_of(&state)) {
            for language in Language::ALL {
                let word = word(language, &code);
                assert!(!word.contains(['_', '{']) && (language == Language::En || word != code), "{code}");
            }
        }
    }
    #[test]
    fn what_staff_did_to_an_order_is_told_in_words() {
        use RefundChange::{ByHand, Requested, SentAgain, Withdrawn};
        let order_id = OrderId::try_new(1024).unwrap();
        let (refund_id, sum) = (RefundId::try_new(7).unwrap(), Tiyin::from_soum(1_000).unwrap());
        let refunds = [Requested, ByHand, SentAgain, Withdrawn];
        let refunds = refunds.map(|change| Action::Refund { order_id, refund_id, sum, change });
        let choices = [MissingChoice::Wait, MissingChoice::Other];
        let choices = choices.map(|choice| Action::Missing { order_id, choice });
        let orders = OrderAction::OF_STAFF.map(|action| Action::Order { order_id, action });
        let all =
            refunds.into_iter().chain(choices).chain(orders).chain([Action::PaymentAccepted { order_id }]);
        for action in all {
            let (staff_id, at) = (UserId::try_new(5).unwrap(), datetime!(2026-11-23 09:00 UTC));
            let entry = of_action(&StaffAction { id: 1, staff_id, at, action }).unwrap().unwrap();
            for language in Language::ALL {
                let text = entry.text(language);
                assert!(!text.contains(['_', '{', '"']) && text.contains('5'), "{text}");
            }
        }
    }
}
