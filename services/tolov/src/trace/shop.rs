//! What the shop store knows of an order: the order with its history, its notifications and messages, what staff did to it.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::Value;
use tolov_domain::{
    EventId, OrderId,
    notification::{self, Recipient},
    ports::{
        ShopStore,
        documents::Key,
        notifications::{SendOutcome, Settled},
    },
    time::from_unix_ms,
};
use tolov_shop::{
    order::{self, Actor, ShopOrder},
    staff,
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
        let done = serde_json::to_string(&action.action)?;
        let entry = Entry::new(Some(action.at), Source::Shop, "trace-staff");
        entries.push(entry.with("staff", action.staff_id).with("action", done));
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
            .with("lines", serde_json::to_string(&order.lines)?),
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
    use tolov_domain::{Language, payment::Anomaly};
    use tolov_shop::order::{HistoryItem, MissingChoice, OrderAction, Stock};

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
}
