//! The consumer's port: reading, and beginning again after every break.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures_util::{FutureExt, StreamExt};
use lapin::{
    Channel,
    options::{BasicConsumeOptions, BasicQosOptions},
    types::FieldTable,
};
use tokio::time::{Instant, sleep_until};
use tolov_domain::ports::{
    PortError,
    bus::{Consumer, Delivery, DeliveryTag, Queue, Verdict},
};
use tolov_kit::retry::Pauses;

use crate::{
    Shared,
    failure::{sorted, within},
    link::Link,
    message,
    topology::name,
    unsettled::{Held, Unsettled},
};

/// Between tries to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A connection that lived so long was a good one: the pauses begin anew. One that breaks at once (a message that
/// breaks it each time) does not turn into a loop without pauses.
const GOOD_AFTER: Duration = Duration::from_secs(30);

/// Generations are told apart in the whole process, so that a delivery that is settled with another consumer than
/// the one that gave it out is not mistaken for one of that.
static GENERATION: AtomicU64 = AtomicU64::new(1);

/// Reads one queue. Dropping it gives back what is not settled.
#[derive(Debug)]
pub struct RabbitConsumer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) queue: Queue,
    pub(crate) unsettled: Arc<Unsettled>,
    pub(crate) requeue_pauses: Mutex<Pauses>,
    receiving: tokio::sync::Mutex<Receiving>,
}

#[derive(Debug)]
struct Receiving {
    feed: Option<Feed>,
    pauses: Pauses,
    next_try: Instant,
    /// Why there is no feed, since it was logged.
    outage: Option<PortError>,
}

/// A subscription on a channel of its own. The fields are dropped in this order.
#[derive(Debug)]
struct Feed {
    deliveries: lapin::Consumer,
    generation: u64,
    since: Instant,
    /// When it last gave a delivery, or was new.
    active_at: Instant,
    channel: Channel,
    link: Link,
}

impl RabbitConsumer {
    pub(crate) fn new(shared: Arc<Shared>, queue: Queue) -> Self {
        let receiving = Receiving {
            feed: None,
            pauses: Pauses::new(FIRST_PAUSE, LONGEST_PAUSE),
            next_try: Instant::now(),
            outage: None,
        };
        Self {
            shared,
            queue,
            unsettled: Arc::new(Unsettled::new()),
            requeue_pauses: Mutex::new(Pauses::new(Duration::from_secs(1), Duration::from_secs(30))),
            receiving: tokio::sync::Mutex::new(receiving),
        }
    }

    /// Makes sure that there is a feed, and says so by an error when there is none at `report_at`.
    async fn ensure_feed(&self, receiving: &mut Receiving, report_at: Instant) -> Result<(), PortError> {
        while receiving.feed.is_none() {
            if receiving.next_try > report_at
                && let Some(outage) = &receiving.outage
            {
                sleep_until(report_at).await;
                return Err(outage.clone());
            }
            sleep_until(receiving.next_try).await;
            match self.connect().await {
                Ok(feed) => {
                    if receiving.outage.take().is_some() {
                        tracing::info!(queue = self.queue.name(), "reading from RabbitMQ again");
                    }
                    receiving.feed = Some(feed);
                }
                Err(error) => {
                    self.lose(receiving, error.clone());
                    if matches!(error, PortError::Refused(_)) || Instant::now() >= report_at {
                        return Err(error);
                    }
                }
            }
        }
        Ok(())
    }

    /// Connects, declares what is missing and subscribes.
    async fn connect(&self) -> Result<Feed, PortError> {
        let link = Link::open(&self.shared.target, self.queue.name()).await?;
        self.shared.topology.declare(&link).await?;
        self.subscribe(link).await
    }

    async fn subscribe(&self, link: Link) -> Result<Feed, PortError> {
        let channel = link.channel().await?;
        let bounding = channel.basic_qos(self.shared.options.prefetch, BasicQosOptions::default());
        within(link.request_timeout(), "bound the deliveries", bounding).await?;
        let queue = self.shared.topology.work(self.queue);
        let consuming = channel.basic_consume(
            name(&queue)?,
            name("")?,
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        let deliveries = within(link.request_timeout(), "read from the queue", consuming).await?;
        let generation = GENERATION.fetch_add(1, Ordering::Relaxed);
        self.unsettled.begin(generation);
        let since = Instant::now();
        Ok(Feed { deliveries, generation, since, active_at: since, channel, link })
    }

    /// Waits for the feed's next deliveries, or for its end.
    async fn next_from(&self, feed: &mut Feed, max: usize) -> Result<Vec<Delivery>, PortError> {
        if !feed.link.is_connected() {
            // What is still waiting inside lapin comes again on the next connection: to work on it now would be work
            // for nothing.
            return Err(broken("the connection is lost"));
        }
        tokio::select! {
            biased;
            () = self.unsettled.stuck(feed.generation) => {
                Err(broken("an acknowledgement did not get through"))
            }
            delivery = feed.deliveries.next() => match delivery {
                Some(Ok(first)) => Ok(self.hand_out(feed, first, max)),
                Some(Err(error)) => Err(sorted("read on", &error)),
                None => Err(broken("the broker has ended it; was the queue deleted?")),
            },
        }
    }

    /// Subscribes anew on the same connection.
    ///
    /// When a quorum queue was deleted and made again at once, RabbitMQ 3.10 has been seen to keep its reader and to
    /// deliver to it, but the messages never left the broker: its channel took them for old ones. No request of AMQP
    /// shows that. A new channel has no memory, and gets what the old one sat on.
    async fn renew(&self, receiving: &mut Receiving) {
        let Some(feed) = receiving.feed.take() else { return };
        let Feed { link, deliveries, channel, .. } = feed;
        drop((deliveries, channel));
        match self.subscribe(link).await {
            Ok(feed) => receiving.feed = Some(feed),
            Err(why) => self.lose(receiving, why),
        }
    }

    /// Notes that there is no feed any more. Logs it once until there is one again.
    fn lose(&self, receiving: &mut Receiving, why: PortError) {
        if let Some(feed) = receiving.feed.take()
            && feed.since.elapsed() >= GOOD_AFTER
        {
            receiving.pauses.reset();
        }
        if receiving.outage.is_none() {
            tracing::warn!(queue = self.queue.name(), %why, "not reading from RabbitMQ; trying again until it works");
        }
        receiving.outage = Some(why);
        receiving.next_try = Instant::now() + receiving.pauses.next_pause();
    }

    /// Hands out the first delivery and what else is there already. Nothing in here waits: a caller that goes away
    /// has either got all of it or taken nothing from the feed.
    fn hand_out(&self, feed: &mut Feed, first: lapin::message::Delivery, max: usize) -> Vec<Delivery> {
        feed.active_at = Instant::now();
        let mut deliveries = vec![self.hand_out_one(feed.generation, first)];
        while deliveries.len() < max {
            // A break is found again by the next call, as the end of the feed.
            let Some(Some(Ok(next))) = feed.deliveries.next().now_or_never() else { break };
            deliveries.push(self.hand_out_one(feed.generation, next));
        }
        deliveries
    }

    fn hand_out_one(&self, generation: u64, delivery: lapin::message::Delivery) -> Delivery {
        let tag = DeliveryTag { generation, number: delivery.delivery_tag };
        let lapin::message::Delivery { properties, data, acker, .. } = delivery;
        self.unsettled.hold(Held { tag, acker, published_s: properties.timestamp().unwrap_or(0) });
        Delivery {
            id: message::id(&properties, &data),
            schema: message::schema(&properties),
            retries: message::retries(&properties),
            body: data,
            tag,
        }
    }
}

#[async_trait]
impl Consumer for RabbitConsumer {
    async fn receive(&self, max: usize) -> Result<Vec<Delivery>, PortError> {
        let mut receiving = self.receiving.lock().await;
        let report_at = Instant::now() + self.shared.options.outage_report_every;
        loop {
            self.ensure_feed(&mut receiving, report_at).await?;
            let Some(feed) = &mut receiving.feed else { continue };
            let idle_until = feed.active_at + self.shared.options.idle_renewal_every;
            match tokio::time::timeout_at(idle_until, self.next_from(feed, max)).await {
                Ok(Ok(deliveries)) => return Ok(deliveries),
                Ok(Err(why)) => self.lose(&mut receiving, why),
                Err(_) if self.unsettled.is_empty() => self.renew(&mut receiving).await,
                // What is in the reader's hands would come again.
                Err(_) => feed.active_at = Instant::now(),
            }
        }
    }

    async fn settle(&self, verdicts: Vec<(Delivery, Verdict)>) -> Result<usize, PortError> {
        Ok(self.settle_each(verdicts).await)
    }
}

fn broken(why: &str) -> PortError {
    PortError::Unavailable(format!("RabbitMQ: reading broke off: {why}"))
}
