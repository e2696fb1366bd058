//! The operator's side of the bus: counts, and what to do with parked messages.
//!
//! AMQP shows a message only by delivering it, and what one operator has received is invisible to the others until it
//! is given back. So whoever reads a parking queue first declares an exclusive queue, which exists once in a vhost and
//! goes with its connection: operators take turns, and one that is killed holds nobody up.
//!
//! Every look receives all parked messages and gives them back in their order ([`crate::showing`]).

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use lapin::{
    Channel,
    message::Delivery,
    options::{QueueDeclareOptions, QueueDeleteOptions},
    types::{AMQPValue, FieldTable},
};
use tokio::sync::{Mutex, MutexGuard};
use tolov_domain::{
    EventId,
    ports::{
        PortError,
        bus::{BusAdmin, ParkedMessage, Published, Queue, QueueDepth},
    },
};

use crate::{
    connection::BrokerConnection,
    failure::{is_resource_locked, port_error, timed_out, within},
    message::{self, Metadata},
    shared::Shared,
    showing,
    topology::name,
    window::Publication,
};

/// How many messages are requeued by one window of publications.
const WINDOW: usize = 256;

/// The longest that counting may take, or the wait for other operators. A look takes as long as there are messages.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);

/// Between two tries to get one's turn.
const TURN_PAUSE: Duration = Duration::from_millis(50);

/// [`QueueDepth::ready`] holds what waits in the queue and not what readers have received: AMQP does not tell that
/// number, and the rest needs no other way in.
#[derive(Debug)]
pub struct RabbitAdmin {
    shared: Arc<Shared>,
    connection: Mutex<Option<BrokerConnection>>,
}

/// The connection for the length of one request. It is kept only if the request succeeds: otherwise its end gives back
/// what was received, and the turn.
#[derive(Debug)]
struct Session<'a> {
    connection: BrokerConnection,
    slot: MutexGuard<'a, Option<BrokerConnection>>,
}

impl Session<'_> {
    fn keep(mut self) {
        *self.slot = Some(self.connection);
    }
}

/// What becomes of the messages that are picked out of a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Deleted,
    /// Published to their queue again, and deleted.
    Requeued,
}

impl RabbitAdmin {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, connection: Mutex::default() }
    }

    async fn session(&self) -> Result<Session<'_>, PortError> {
        let mut slot = self.connection.lock().await;
        if let Some(connection) = slot.take().filter(BrokerConnection::is_connected) {
            return Ok(Session { connection, slot });
        }
        let connection = BrokerConnection::open(&self.shared.target, "admin").await?;
        self.shared.topology.declare(&connection).await?;
        Ok(Session { connection, slot })
    }

    fn timeout(&self) -> Duration {
        self.shared.options.request_timeout
    }

    /// Waits for the operator's turn at a parking queue.
    async fn take_turn(&self, connection: &BrokerConnection, queue: Queue) -> Result<Channel, PortError> {
        let turn = self.shared.topology.turn(queue);
        let options = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
        let mut arguments = FieldTable::default();
        // Quorum queues, which may be the vhost's default, cannot be exclusive.
        arguments.insert("x-queue-type".into(), AMQPValue::LongString("classic".into()));
        loop {
            let channel = connection.channel().await?;
            let declaring = channel.queue_declare(name(&turn)?, options, arguments.clone());
            match tokio::time::timeout(self.timeout(), declaring).await {
                Ok(Ok(_)) => return Ok(channel),
                Ok(Err(error)) if is_resource_locked(&error) => tokio::time::sleep(TURN_PAUSE).await,
                Ok(Err(error)) => return Err(port_error("wait for other operators", &error)),
                Err(_) => return Err(timed_out("wait for other operators")),
            }
        }
    }

    async fn end_turn(&self, channel: &Channel, queue: Queue) -> Result<(), PortError> {
        let turn = self.shared.topology.turn(queue);
        let deleting = channel.queue_delete(name(&turn)?, QueueDeleteOptions::default());
        within(self.timeout(), "let other operators in", deleting).await?;
        within(self.timeout(), "close a channel", channel.close(200, name("done")?)).await
    }

    fn look_at<'a>(&self, channel: &'a Channel, queue: &'a str) -> showing::Look<'a> {
        showing::Look { channel, queue, limit: self.timeout() }
    }

    async fn count(&self, channel: &Channel, queue: &str) -> Result<u64, PortError> {
        Ok(u64::from(self.look_at(channel, queue).state().await?.message_count()))
    }

    async fn depths(&self, queue: Queue) -> Result<QueueDepth, PortError> {
        let session = self.session().await?;
        let topology = &self.shared.topology;
        // No turn is taken: services ask for depths all the time, and their accounts may not declare a queue.
        let channel = session.connection.channel().await?;
        let mut retrying = 0;
        for retry_queue in topology.retries(queue) {
            retrying += self.count(&channel, &retry_queue).await?;
        }
        let ready = self.count(&channel, &topology.work(queue)).await?;
        let parked = self.count(&channel, &topology.parked(queue)).await?;
        within(self.timeout(), "close a channel", channel.close(200, name("done")?)).await?;
        session.keep();
        Ok(QueueDepth { ready, retrying, parked })
    }

    /// Shows all messages of a queue, the parked ones or those that wait. A reader of these would hide what it holds.
    async fn show_all(
        &self,
        queue: Queue,
        is_parked: bool,
        see: &mut (dyn FnMut(Delivery) + Send),
    ) -> Result<(), PortError> {
        let session = self.session().await?;
        let turn = bounded(self.take_turn(&session.connection, queue)).await?;
        let topology = &self.shared.topology;
        let shown = if is_parked { topology.parked(queue) } else { topology.work(queue) };
        let beside = self.look_at(&turn, &shown);
        if !is_parked {
            refuse_readers(&beside).await?;
        }
        let channel = session.connection.channel().await?;
        let look = self.look_at(&channel, &shown);
        let held = look.show_all(see).await?;
        look.end(&held, &BTreeSet::new()).await?;
        // When the broker has answered, what was given back is in its queue again.
        within(self.timeout(), "close a channel", channel.close(200, name("done")?)).await?;
        if !is_parked {
            // One may have come meanwhile.
            refuse_readers(&beside).await?;
        }
        self.end_turn(&turn, queue).await?;
        session.keep();
        Ok(())
    }

    /// Removes the oldest parked message with each of these ids.
    async fn remove(
        &self,
        queue: Queue,
        ids: &BTreeSet<EventId>,
        fate: Fate,
    ) -> Result<Vec<ParkedMessage>, PortError> {
        let session = self.session().await?;
        let turn = bounded(self.take_turn(&session.connection, queue)).await?;
        let channel = session.connection.channel().await?;
        let parked = self.shared.topology.parked(queue);
        let look = self.look_at(&channel, &parked);
        let (mut wanted, mut meant) = (ids.clone(), Vec::new());
        let pick = |message: Delivery| {
            if wanted.remove(&message::id(&message.properties, &message.data)) {
                meant.push(message);
            }
        };
        let held = look.show_all(pick).await?;
        let (mut removed, mut failure) = (meant.iter().map(|message| message.delivery_tag).collect(), None);
        if fate == Fate::Requeued {
            (removed, failure) = self.publish_again(queue, &meant).await;
        }
        look.end(&held, &removed).await?;
        // When the broker has answered, what was given back is in its queue again.
        within(self.timeout(), "close a channel", channel.close(200, name("done")?)).await?;
        self.end_turn(&turn, queue).await?;
        session.keep();
        failure.map_or_else(|| Ok(meant.iter().map(shown).collect()), Err)
    }

    /// Publishes parked messages to their work queue, without retries and reason. Returns the delivery tags of those that are
    /// stored there, and why others are not.
    async fn publish_again(&self, queue: Queue, messages: &[Delivery]) -> (BTreeSet<u64>, Option<PortError>) {
        let work = self.shared.topology.work(queue);
        let (mut stored, mut failure) = (BTreeSet::new(), None);
        for window in messages.chunks(WINDOW) {
            let named: Vec<EventId> = window.iter().map(|it| message::id(&it.properties, &it.data)).collect();
            let publications: Result<Vec<_>, _> =
                window.iter().zip(&named).map(|(message, id)| self.as_new(message, id, &work)).collect();
            let published = match publications {
                Ok(publications) => self.shared.publisher.publish(&publications).await,
                Err(refusal) => Err(refusal),
            };
            let outcomes = match published {
                Ok(outcomes) => outcomes,
                Err(error) => return (stored, Some(error)),
            };
            for ((message, id), outcome) in window.iter().zip(&named).zip(outcomes) {
                match outcome {
                    Published::Confirmed => drop(stored.insert(message.delivery_tag)),
                    Published::Rejected(why) | Published::Unknown(why) => {
                        failure = Some(PortError::Unavailable(format!("{id} stays parked: {why}")));
                    }
                }
            }
        }
        (stored, failure)
    }

    fn as_new<'a>(
        &'a self,
        message: &'a Delivery,
        id: &'a EventId,
        work: &'a str,
    ) -> Result<Publication<'a>, PortError> {
        let (schema, traceparent) =
            (message::schema(&message.properties), message::traceparent(&message.properties));
        let metadata = Metadata {
            id: id.as_str(),
            schema: &schema,
            published_s: message.properties.timestamp().unwrap_or(0),
            app_id: &self.shared.options.app_id,
            traceparent: traceparent.as_ref(),
            ..Metadata::default()
        };
        let properties = metadata.properties().map_err(PortError::Refused)?;
        let (id, body) = (id.as_str(), &message.data);
        Ok(Publication { exchange: "", routing_key: work, id, properties, body, is_bound: true })
    }
}

#[async_trait]
impl BusAdmin for RabbitAdmin {
    async fn depth(&self, queue: Queue) -> Result<QueueDepth, PortError> {
        bounded(self.depths(queue)).await
    }

    async fn each_waiting(
        &self,
        queue: Queue,
        see: &mut (dyn FnMut(Vec<u8>) + Send),
    ) -> Result<(), PortError> {
        self.show_all(queue, false, &mut |message| see(message.data)).await
    }

    async fn each_parked(
        &self,
        queue: Queue,
        see: &mut (dyn FnMut(ParkedMessage) + Send),
    ) -> Result<(), PortError> {
        self.show_all(queue, true, &mut |message| see(shown(&message))).await
    }

    async fn requeue_parked(
        &self,
        queue: Queue,
        ids: &BTreeSet<EventId>,
    ) -> Result<BTreeSet<EventId>, PortError> {
        let requeued = self.remove(queue, ids, Fate::Requeued).await?;
        Ok(requeued.into_iter().map(|message| message.id).collect())
    }

    async fn drop_parked(&self, queue: Queue, id: &EventId) -> Result<Option<ParkedMessage>, PortError> {
        Ok(self.remove(queue, &[id.clone()].into(), Fate::Deleted).await?.pop())
    }
}

/// Refuses a look while there is a reader: what it has received is neither ready nor told by the broker.
async fn refuse_readers(look: &showing::Look<'_>) -> Result<(), PortError> {
    match look.readers().await? {
        0 => Ok(()),
        readers => Err(PortError::Refused(format!(
            "{readers} readers have subscribed to {}, and what they hold cannot be seen: stop the services that read it",
            look.queue
        ))),
    }
}

async fn bounded<T>(request: impl Future<Output = Result<T, PortError>>) -> Result<T, PortError> {
    tokio::time::timeout(REQUEST_TIMEOUT, request)
        .await
        .unwrap_or_else(|_| Err(timed_out("look after the queues: perhaps another operator is at work")))
}

fn shown(message: &Delivery) -> ParkedMessage {
    let (properties, body) = (&message.properties, &message.data);
    ParkedMessage {
        id: message::id(properties, body),
        schema: message::schema(properties),
        reason: message::reason(properties),
        retries: message::retries(properties),
        body: body.clone(),
    }
}
