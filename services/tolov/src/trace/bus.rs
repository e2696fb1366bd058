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
        if let Err(error) = of_queue(admin, queue, order_id, &mut entries).await {
            entries.push(Entry::away(Source::Bus, format!("{}: {error}", queue.name())));
        }
    }
    entries
}

/// What was seen before an error is kept.
async fn of_queue(
    admin: &dyn BusAdmin,
    queue: Queue,
    order_id: OrderId,
    entries: &mut Vec<Entry>,
) -> Result<(), PortError> {
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
    admin.each_parked(queue, &mut see).await
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use async_trait::async_trait;
    use tolov_domain::{EventId, ports::bus::QueueDepth};

    use super::*;

    /// An account that may count messages and read none.
    #[derive(Debug)]
    struct Counting;

    #[async_trait]
    impl BusAdmin for Counting {
        async fn depth(&self, _: Queue) -> Result<QueueDepth, PortError> {
            Ok(QueueDepth { ready: 3, retrying: 1, parked: 0 })
        }

        async fn each_waiting(&self, _: Queue, _: &mut (dyn FnMut(Vec<u8>) + Send)) -> Result<(), PortError> {
            Err(PortError::Refused("access refused".to_owned()))
        }

        async fn each_parked(
            &self,
            _: Queue,
            _: &mut (dyn FnMut(ParkedMessage) + Send),
        ) -> Result<(), PortError> {
            Err(PortError::Refused("access refused".to_owned()))
        }

        async fn requeue_parked(
            &self,
            _: Queue,
            _: &BTreeSet<EventId>,
        ) -> Result<BTreeSet<EventId>, PortError> {
            Err(PortError::Refused("access refused".to_owned()))
        }

        async fn drop_parked(&self, _: Queue, _: &EventId) -> Result<Option<ParkedMessage>, PortError> {
            Err(PortError::Refused("access refused".to_owned()))
        }
    }

    #[tokio::test]
    async fn what_waits_is_shown_also_where_parked_messages_may_not_be_read() {
        let entries = entries(&Counting, OrderId::try_new(1024).unwrap()).await;
        let keys: Vec<&str> = entries.iter().map(|entry| entry.key).collect();
        assert_eq!(keys, [WAITING, "trace-away", WAITING, "trace-away"]);
    }
}
