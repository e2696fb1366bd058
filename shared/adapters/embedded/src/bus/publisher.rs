//! Publishing: a window is one transaction.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;
use sqlx::Connection;
use tolov_domain::ports::{
    PortError,
    bus::{BODY_MAX_BYTES, OutgoingMessage, Published, Publisher},
};

use super::store::Store;
use crate::sqlite::BEGIN_WRITING;

/// The longest id and schema, as in AMQP.
const NAME_MAX_BYTES: usize = 255;
/// How many bytes of bodies go into one statement.
const STATEMENT_MAX_BYTES: usize = 16 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct EmbeddedPublisher {
    store: Arc<Store>,
}

impl EmbeddedPublisher {
    pub(super) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }
}

/// Messages for one statement: their bodies as one value, and where each begins. Bodies are no JSON strings, and a
/// statement with one parameter each would be prepared again for every size of window.
#[derive(Debug, Default)]
struct Rows {
    bodies: Vec<u8>,
    rows: Vec<serde_json::Value>,
}

impl Rows {
    fn add(&mut self, queue: &str, message: &OutgoingMessage) {
        let from = self.bodies.len() + 1;
        self.bodies.extend_from_slice(&message.body);
        let OutgoingMessage { id, schema, body, traceparent, .. } = message;
        self.rows.push(json!([queue, id, schema, from, body.len(), traceparent]));
    }
}

#[async_trait]
impl Publisher for EmbeddedPublisher {
    async fn publish(&self, window: &[OutgoingMessage]) -> Result<Vec<Published>, PortError> {
        let mut statements = vec![Rows::default()];
        let mut queues = Vec::new();
        let mut answers = Vec::with_capacity(window.len());
        for message in window {
            if let Some(reason) = reason_to_reject(message) {
                answers.push(Published::Rejected(reason));
                continue;
            }
            for queue in message.route.queues() {
                if !queues.contains(&queue) {
                    queues.push(queue);
                }
                match statements.last_mut() {
                    Some(rows) if rows.bodies.len() + message.body.len() <= STATEMENT_MAX_BYTES => {
                        rows.add(queue.name(), message);
                    }
                    _ => {
                        let mut rows = Rows::default();
                        rows.add(queue.name(), message);
                        statements.push(rows);
                    }
                }
            }
            answers.push(Published::Confirmed);
        }
        if queues.is_empty() {
            return Ok(answers);
        }
        let store = Arc::clone(&self.store);
        store
            .run_to_completion(async move |store| {
                let stored = insert(&store, statements).await;
                for queue in queues {
                    store.wakers.wake(queue);
                }
                stored
            })
            .await?;
        Ok(answers)
    }

    async fn is_reachable(&self) -> bool {
        sqlx::query("SELECT 1 FROM messages LIMIT 1").fetch_optional(self.store.file.readers()).await.is_ok()
    }
}

/// Why a message can never be stored. The others of its window are not affected.
fn reason_to_reject(message: &OutgoingMessage) -> Option<String> {
    if message.body.len() > BODY_MAX_BYTES {
        return Some(format!("the body has {} bytes, more than {BODY_MAX_BYTES}", message.body.len()));
    }
    let names = [message.id.as_str(), &message.schema];
    if names.iter().any(|name| name.is_empty() || name.len() > NAME_MAX_BYTES) {
        return Some(format!("id and schema must have 1 to {NAME_MAX_BYTES} bytes"));
    }
    if message.route.queues().next().is_none() {
        let (exchange, key) = (message.route.exchange(), message.route.routing_key());
        return Some(format!("unroutable: no queue is bound to {exchange} for {key}"));
    }
    None
}

async fn insert(store: &Store, statements: Vec<Rows>) -> Result<(), PortError> {
    let mut writer = store.file.writer().await?;
    let stored = async {
        let mut transaction = writer.begin_with(BEGIN_WRITING).await?;
        for Rows { bodies, rows } in statements {
            sqlx::query(
                "INSERT INTO messages (queue, message_id, schema, body, traceparent)
                 SELECT value ->> 0, value ->> 1, value ->> 2,
                        -- A part of nothing is NULL, and a body may be empty.
                        coalesce(substr(?1, value ->> 3, value ->> 4), x''), value ->> 5
                 FROM jsonb_each(?2)",
            )
            .bind(bodies)
            .bind(json!(rows).to_string())
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await
    };
    stored.await.map_err(|error| store.file.failed(&error))
}
