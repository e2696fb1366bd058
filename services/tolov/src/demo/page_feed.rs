//! Feeds the page with what only this process knows: the ledger's commits, and how full outbox and queues are.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tolov_domain::{
    OrderId,
    ports::bus::{BusAdmin, Queue},
    time::unix_ms,
};
use tolov_kit::{
    clock::{Clock, SystemClock},
    lifecycle::{Stop, pause},
};
use tolov_sandbox::{Handle, monitor::TraceEvent};
use tolov_webhook::ledger::{Ledger, LedgerError};

/// The most callbacks that are read at once.
const MAX_AT_ONCE: usize = 200;
const GAUGES_EVERY: Duration = Duration::from_millis(300);

/// Follows the callbacks and shows what each committed to the ledger, until `stop`.
pub(super) async fn commits(handle: Handle, ledger: Ledger, stop: Stop) {
    let mut changes = handle.trace().changes();
    let mut seen = 0;
    loop {
        let (events, _) = handle.trace().after(seen, MAX_AT_ONCE);
        let Some(last) = events.last() else {
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return },
                () = stop.cancelled() => return,
            }
            continue;
        };
        seen = last.seq;
        for event in events.iter().filter(|event| matches!(event.stage, "prepare" | "complete")) {
            // The callback was answered, so its commit is there to be read; if not, there is nothing to show.
            if let Ok(Some(event)) = commit_of(&ledger, event).await {
                handle.trace().record(event);
            }
        }
    }
}

/// What the callback of an event left in the ledger.
async fn commit_of(ledger: &Ledger, event: &TraceEvent) -> Result<Option<TraceEvent>, LedgerError> {
    let number = event.order_id.as_deref().and_then(|id| id.parse().ok());
    let Some(order_id) = number.and_then(|number| OrderId::try_new(number).ok()) else { return Ok(None) };
    let (order, attempts, callbacks) =
        tokio::try_join!(ledger.order(order_id), ledger.attempts(order_id), ledger.callbacks(order_id))?;
    let (Some(order), Some(last)) = (order, callbacks.last()) else { return Ok(None) };
    if last.received_at < event.at_ms {
        // This one was lost on the way: the ledger has nothing of it.
        return Ok(None);
    }
    let text = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|_| text.into());
    let kept: Vec<Value> = callbacks
        .iter()
        .map(|callback| {
            json!({
                "received_at_ms": callback.received_at,
                "verified": true,
                "fields": text(&callback.fields),
                "answer": text(&callback.answer),
            })
        })
        .collect();
    let payload = json!({
        "order": {
            "order_id": order.order_id,
            "status": order.status,
            "amount_tiyin": order.amount_tiyin,
            "changed_at_ms": order.changed_at,
            "paid_by": order.paid_by,
        },
        "attempts": attempts,
        "callbacks": kept,
    });
    let title = format!("COMMIT: {}, {}", event.stage, order.status);
    let commit = TraceEvent::new("ledger", title).of_order(&order.order_id).at_ms(last.received_at);
    Ok(Some(commit.facts(json!({ "status": order.status })).payload(&payload)))
}

/// Shows outbox and queues on the board until `stop`.
pub(super) async fn gauges(handle: Handle, ledger: Ledger, bus: Arc<dyn BusAdmin>, stop: Stop) {
    while pause(&stop, GAUGES_EVERY).await {
        if let Ok(outbox) = ledger.outbox_status().await {
            let now_ms = unix_ms(SystemClock.now());
            let age_ms = outbox.oldest_at.map_or(0, |since| (now_ms - since).max(0));
            handle.dashboard().show("outbox", json!({ "depth": outbox.depth, "age_ms": age_ms }));
        }
        for queue in Queue::ALL {
            if let Ok(depth) = bus.depth(queue).await {
                let shown =
                    json!({ "ready": depth.ready, "retrying": depth.retrying, "parked": depth.parked });
                handle.dashboard().show(queue.name(), shown);
            }
        }
    }
}
