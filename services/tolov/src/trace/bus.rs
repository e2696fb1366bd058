//! What an account can see of an order on the bus: parked messages one by one, of the others only how many wait. The bot's
//! account may see its own queue.

use serde_json::Value;
use tolov_domain::{
    OrderId,
    ports::{
        PortError,
        bus::{BusAdmin, ParkedMessage, Queue},
    },
};

use super::entry::{Entry, Source};

/// How many messages wait, of all orders: why those of this one may not have come.
pub(super) const WAITING: &str = "trace-waiting";

pub(super) async fn entries(admin: &dyn BusAdmin, order_id: OrderId) -> Vec<Entry> {
    let mut entries = Vec::new();
    for queue in Queue::ALL {
        match of_queue(admin, queue, order_id).await {
            Ok(seen) => entries.extend(seen),
            Err(error) => entries.push(Entry::away(Source::Bus, format!("{}: {error}", queue.name()))),
        }
    }
    entries
}

async fn of_queue(admin: &dyn BusAdmin, queue: Queue, order_id: OrderId) -> Result<Vec<Entry>, PortError> {
    let mut entries = Vec::new();
    let depth = admin.depth(queue).await?;
    if depth.ready + depth.retrying > 0 {
        let waiting = Entry::new(None, Source::Bus, WAITING).with("queue", queue.name());
        entries.push(waiting.with("ready", depth.ready).with("retrying", depth.retrying));
    }
    let mut see = |message: ParkedMessage| {
        if is_about(&message, order_id) {
            entries.push(parked(queue, &message));
        }
    };
    admin.each_parked(queue, &mut see).await?;
    Ok(entries)
}

fn parked(queue: Queue, message: &ParkedMessage) -> Entry {
    Entry::new(None, Source::Bus, "trace-parked")
        .with("message", &message.id)
        .with("queue", queue.name())
        .with("retries", message.retries)
        .with("reason", &message.reason)
}

/// By the body; by the id where the body cannot be read.
fn is_about(message: &ParkedMessage, order_id: OrderId) -> bool {
    let body: Value = serde_json::from_slice(&message.body).unwrap_or_default();
    let number = order_id.to_string();
    body["order_id"] == order_id.get()
        || body["merchant_trans_id"] == number
        || message.id.as_str().split([':', '/']).nth(1) == Some(&number)
}
