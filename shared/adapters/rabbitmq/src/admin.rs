//! The operator's port: how full the queues are, and what to do with parked messages.
//!
//! Parked messages are looked at by taking them without an acknowledgement and giving them back. While one operator
//! looks, another does not see those messages; nothing is lost if either of them is cut off. All of them are taken
//! every time, because a quorum queue hands out what was given back before everything else and in the order in which
//! it was given back: taking a few would put them behind the others.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use lapin::{
    Channel,
    message::BasicGetMessage,
    options::{BasicAckOptions, BasicGetOptions, BasicNackOptions, QueueDeclareOptions},
    types::FieldTable,
};
use tokio::sync::Mutex;
use tolov_domain::{
    EventId,
    ports::{
        PortError,
        bus::{BusAdmin, ParkedMessage, Published, Queue, QueueDepth},
    },
};

use crate::{
    Shared,
    failure::{is_not_found, sorted, timed_out, within},
    link::Link,
    message::{self, Note},
    topology::name,
    window::Parcel,
};

/// How many messages of a parking queue are looked at.
const PARKED_LOOK_MAX: usize = 10_000;

/// The longest that one request of the operator may take.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);

/// Looks after the queues. [`QueueDepth::ready`] holds what waits in the queue and not what readers have at the
/// moment: AMQP does not tell that number, and no other way in is needed for the rest.
#[derive(Debug)]
pub struct RabbitAdmin {
    shared: Arc<Shared>,
    link: Mutex<Option<Link>>,
}

/// Why the parked messages are looked through.
#[derive(Debug)]
enum Errand<'a> {
    /// To show the first `max`.
    Show { max: usize, shown: Vec<ParkedMessage> },
    /// To remove the oldest with this id, for good or after it was published to its work queue.
    Remove { id: &'a EventId, requeue: bool, found: bool },
}

impl RabbitAdmin {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, link: Mutex::default() }
    }

    /// A channel for one request. If the request breaks off, its end gives back what it has taken.
    async fn channel(&self) -> Result<Channel, PortError> {
        let mut link = self.link.lock().await;
        link.take_if(|link| !link.is_connected());
        if let Some(link) = link.as_ref() {
            return link.channel().await;
        }
        let opened = Link::open(&self.shared.target, "admin").await?;
        self.shared.topology.declare(&opened).await?;
        link.insert(opened).channel().await
    }

    /// Ends a request. When the broker has answered, what was given back is in its queue again.
    async fn close(&self, channel: &Channel) -> Result<(), PortError> {
        within(self.timeout(), "close a channel", channel.close(200, name("done")?)).await
    }

    fn timeout(&self) -> Duration {
        self.shared.options.request_timeout
    }

    async fn count(&self, channel: &Channel, queue: &str) -> Result<u64, PortError> {
        let looking = channel.queue_declare(
            name(queue)?,
            QueueDeclareOptions::durable().passive(),
            FieldTable::default(),
        );
        match tokio::time::timeout(self.timeout(), looking).await {
            Ok(Ok(found)) => Ok(u64::from(found.message_count())),
            Ok(Err(error)) if is_not_found(&error) => Err(PortError::Refused(format!(
                "RabbitMQ has no queue {queue}. It was deleted; any service makes it again when it is started."
            ))),
            Ok(Err(error)) => Err(sorted("count messages", &error)),
            Err(_) => Err(timed_out("count messages")),
        }
    }

    /// Looks through the parked messages, and gives back those that stay. Returns how many there were.
    async fn look_through(&self, queue: Queue, errand: &mut Errand<'_>) -> Result<usize, PortError> {
        let parked = self.shared.topology.parked(queue);
        let channel = self.channel().await?;
        let (mut count, mut last_kept) = (0, None);
        while count < PARKED_LOOK_MAX {
            let taking = channel.basic_get(name(&parked)?, BasicGetOptions::default());
            let taken = within(self.timeout(), "look at a parked message", taking).await?;
            let Some(message) = taken else { break };
            count += 1;
            match errand {
                Errand::Remove { id, requeue, found }
                    if !*found && message::id(&message.properties, &message.data) == **id =>
                {
                    if *requeue {
                        self.publish_anew(queue, &message).await?;
                    }
                    self.acknowledge(&message).await?;
                    *found = true;
                }
                Errand::Remove { .. } => last_kept = Some(message.delivery_tag),
                Errand::Show { max, shown } => {
                    last_kept = Some(message.delivery_tag);
                    if shown.len() < *max {
                        shown.push(as_shown(message));
                    }
                }
            }
        }
        if let Some(last_kept) = last_kept {
            let giving_back =
                channel.basic_nack(last_kept, BasicNackOptions { multiple: true, requeue: true });
            within(self.timeout(), "give parked messages back", giving_back).await?;
        }
        self.close(&channel).await?;
        Ok(count)
    }

    async fn remove(&self, queue: Queue, id: &EventId, requeue: bool) -> Result<bool, PortError> {
        let mut errand = Errand::Remove { id, requeue, found: false };
        let count = bounded(self.look_through(queue, &mut errand)).await?;
        let found = matches!(errand, Errand::Remove { found: true, .. });
        if !found && count == PARKED_LOOK_MAX {
            return Err(PortError::Refused(format!(
                "{id} is not among the first {PARKED_LOOK_MAX} parked messages: deal with those first"
            )));
        }
        Ok(found)
    }

    async fn acknowledge(&self, message: &BasicGetMessage) -> Result<(), PortError> {
        let removing = message.acker.ack(BasicAckOptions::default());
        // lapin answers `false` when the channel is gone; the message is parked still.
        if within(self.timeout(), "remove a parked message", removing).await? {
            Ok(())
        } else {
            Err(timed_out("remove a parked message"))
        }
    }

    /// Publishes a parked message to its work queue, without any note of what happened to it.
    async fn publish_anew(&self, queue: Queue, message: &BasicGetMessage) -> Result<(), PortError> {
        let (properties, body) = (&message.properties, &message.data);
        let (id, schema) = (message::id(properties, body), message::schema(properties));
        let note = Note {
            id: id.as_str(),
            schema: &schema,
            published_s: properties.timestamp().unwrap_or(0),
            app_id: &self.shared.options.app_id,
            ..Note::default()
        };
        let work = self.shared.topology.work(queue);
        let properties = note.properties().map_err(PortError::Refused)?;
        let parcel = Parcel { exchange: "", routing_key: &work, id: id.as_str(), properties, body };
        match self.shared.windows.publish(&[parcel]).await?.pop() {
            Some(Published::Confirmed) => Ok(()),
            Some(Published::Rejected(why) | Published::Unknown(why)) => {
                Err(PortError::Unavailable(format!("{id} stays parked: {why}")))
            }
            None => Err(timed_out("publish a parked message")),
        }
    }
}

#[async_trait]
impl BusAdmin for RabbitAdmin {
    async fn depth(&self, queue: Queue) -> Result<QueueDepth, PortError> {
        let topology = &self.shared.topology;
        let counting = async {
            let channel = self.channel().await?;
            let mut retrying = 0;
            for step in topology.retries(queue) {
                retrying += self.count(&channel, &step).await?;
            }
            let ready = self.count(&channel, &topology.work(queue)).await?;
            let parked = self.count(&channel, &topology.parked(queue)).await?;
            self.close(&channel).await?;
            Ok(QueueDepth { ready, retrying, parked })
        };
        bounded(counting).await
    }

    async fn parked(&self, queue: Queue, max: usize) -> Result<Vec<ParkedMessage>, PortError> {
        let mut errand = Errand::Show { max, shown: Vec::new() };
        bounded(self.look_through(queue, &mut errand)).await?;
        match errand {
            Errand::Show { shown, .. } => Ok(shown),
            Errand::Remove { .. } => Ok(Vec::new()),
        }
    }

    async fn requeue_parked(&self, queue: Queue, id: &EventId) -> Result<bool, PortError> {
        self.remove(queue, id, true).await
    }

    async fn drop_parked(&self, queue: Queue, id: &EventId) -> Result<bool, PortError> {
        self.remove(queue, id, false).await
    }
}

async fn bounded<T>(request: impl Future<Output = Result<T, PortError>>) -> Result<T, PortError> {
    tokio::time::timeout(REQUEST_TIMEOUT, request)
        .await
        .unwrap_or_else(|_| Err(timed_out("do what was asked")))
}

fn as_shown(message: BasicGetMessage) -> ParkedMessage {
    let lapin::message::Delivery { properties, data, .. } = message.delivery;
    ParkedMessage {
        id: message::id(&properties, &data),
        schema: message::schema(&properties),
        reason: message::reason(&properties),
        retries: message::retries(&properties),
        body: data,
    }
}
