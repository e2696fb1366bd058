//! The port `Publisher`.

use std::sync::Arc;

use async_trait::async_trait;
use tolov_domain::ports::{
    PortError,
    bus::{BODY_MAX_BYTES, OutgoingMessage, Published, Publisher},
};

use crate::{
    message::{Metadata, seconds},
    shared::Shared,
    window::Publication,
};

/// Publishes to the exchanges of the bus.
#[derive(Debug, Clone)]
pub struct RabbitPublisher {
    shared: Arc<Shared>,
}

impl RabbitPublisher {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// The message for the broker, or why it can never be published.
    fn publication<'a>(
        &self,
        message: &'a OutgoingMessage,
        exchange: &'a str,
        published_s: u64,
    ) -> Result<Publication<'a>, String> {
        let routing_key = message.route.routing_key();
        if message.body.len() > BODY_MAX_BYTES {
            return Err(format!("the body has {} bytes, more than {BODY_MAX_BYTES}", message.body.len()));
        }
        let metadata = Metadata {
            id: message.id.as_str(),
            schema: &message.schema,
            published_s,
            app_id: &self.shared.options.app_id,
            traceparent: message.traceparent.as_ref(),
            ..Metadata::default()
        };
        let properties = metadata.properties()?;
        let is_bound = message.route.queues().next().is_some();
        Ok(Publication {
            exchange,
            routing_key,
            id: message.id.as_str(),
            properties,
            body: &message.body,
            is_bound,
        })
    }
}

#[async_trait]
impl Publisher for RabbitPublisher {
    async fn publish(&self, window: &[OutgoingMessage]) -> Result<Vec<Published>, PortError> {
        let published_s = seconds(self.shared.options.clock.now());
        let exchanges: Vec<_> =
            window.iter().map(|message| self.shared.topology.exchange(message.route.exchange())).collect();
        let mut publications = Vec::with_capacity(window.len());
        let mut refusals = Vec::with_capacity(window.len());
        for (message, exchange) in window.iter().zip(&exchanges) {
            match self.publication(message, exchange, published_s) {
                Ok(publication) => {
                    publications.push(publication);
                    refusals.push(None);
                }
                Err(refusal) => refusals.push(Some(refusal)),
            }
        }
        let mut published =
            self.shared.publisher.publish(&publications).await.map_err(unavailable)?.into_iter();
        let answer = |refusal| match refusal {
            Some(refusal) => Published::Rejected(refusal),
            None => published.next().unwrap_or_else(|| Published::Unknown("no answer".to_owned())),
        };
        Ok(refusals.into_iter().map(answer).collect())
    }

    async fn is_reachable(&self) -> bool {
        self.shared.publisher.is_reachable().await
    }
}

/// A broker that refuses us (a changed password, a queue with other arguments) has not rejected a message: the caller
/// must keep it and try again until the cause is mended.
fn unavailable(error: PortError) -> PortError {
    match error {
        PortError::Refused(reason) | PortError::Unavailable(reason) => PortError::Unavailable(reason),
    }
}
