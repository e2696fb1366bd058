//! The publisher's port.

use std::sync::Arc;

use async_trait::async_trait;
use tolov_domain::ports::{
    PortError,
    bus::{BODY_MAX_BYTES, OutgoingMessage, Published, Publisher},
};

use crate::{
    Shared,
    message::{Note, seconds},
    window::Parcel,
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

    /// The message as it goes to the broker, or why it cannot.
    fn parcel<'a>(
        &self,
        message: &'a OutgoingMessage,
        exchange: &'a str,
        published_s: u64,
    ) -> Result<Parcel<'a>, String> {
        let routing_key = message.route.routing_key();
        if message.body.len() > BODY_MAX_BYTES {
            return Err(format!(
                "the body has {} bytes, at most {BODY_MAX_BYTES} are taken",
                message.body.len()
            ));
        }
        if routing_key.len() > 255 {
            return Err(format!("the routing key has {} bytes, AMQP takes 255", routing_key.len()));
        }
        let note = Note {
            id: message.id.as_str(),
            schema: &message.schema,
            published_s,
            app_id: &self.shared.options.app_id,
            ..Note::default()
        };
        let properties = note.properties()?;
        Ok(Parcel { exchange, routing_key, id: message.id.as_str(), properties, body: &message.body })
    }
}

#[async_trait]
impl Publisher for RabbitPublisher {
    async fn publish(&self, window: &[OutgoingMessage]) -> Result<Vec<Published>, PortError> {
        let published_s = seconds(self.shared.options.clock.now());
        let exchanges: Vec<_> =
            window.iter().map(|message| self.shared.topology.exchange(message.route.exchange())).collect();
        let mut parcels = Vec::with_capacity(window.len());
        let mut refusals = Vec::with_capacity(window.len());
        for (message, exchange) in window.iter().zip(&exchanges) {
            match self.parcel(message, exchange, published_s) {
                Ok(parcel) => {
                    parcels.push(parcel);
                    refusals.push(None);
                }
                Err(refusal) => refusals.push(Some(refusal)),
            }
        }
        let mut published = self.shared.windows.publish(&parcels).await.map_err(held)?.into_iter();
        let answer = |refusal| match refusal {
            Some(refusal) => Published::Rejected(refusal),
            None => published.next().unwrap_or_else(|| Published::Unknown("no answer".to_owned())),
        };
        Ok(refusals.into_iter().map(answer).collect())
    }

    async fn is_reachable(&self) -> bool {
        self.shared.windows.is_reachable().await
    }
}

/// A broker that refuses us (a changed password, a queue with other arguments) says nothing against the messages,
/// which have [`Published::Rejected`] for that. Whoever publishes must hold them until somebody has put it right, not
/// count it against them and give them up.
fn held(error: PortError) -> PortError {
    match error {
        PortError::Refused(reason) | PortError::Unavailable(reason) => PortError::Unavailable(reason),
    }
}
