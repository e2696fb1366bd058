//! The port `Consumer`: a subscription that is renewed after every break.

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
    connection::BrokerConnection,
    failure::{port_error, within},
    message,
    shared::Shared,
    topology::name,
    unacked::{Unacked, UnackedDelivery},
};

/// Pauses between tries to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// After so long a life of the subscription the pauses start again with the first. One that always breaks at once must
/// not become a loop without pauses.
const STABLE_AFTER: Duration = Duration::from_secs(30);

/// Unique in the process, so that a delivery of another consumer is not mistaken for one of this.
static GENERATION: AtomicU64 = AtomicU64::new(1);

/// Consumes one queue. When it is dropped, unsettled messages are redelivered.
#[derive(Debug)]
pub struct RabbitConsumer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) queue: Queue,
    pub(crate) unacked: Arc<Unacked>,
    pub(crate) requeue_pauses: Mutex<Pauses>,
    receiving: tokio::sync::Mutex<Receiving>,
}

#[derive(Debug)]
struct Receiving {
    subscription: Option<Subscription>,
    pauses: Pauses,
    next_try: Instant,
    /// Why there is no subscription, once that is logged.
    outage: Option<PortError>,
}

/// A subscription on a channel of its own. The order of the fields is the order in which they are dropped.
#[derive(Debug)]
struct Subscription {
    deliveries: lapin::Consumer,
    generation: u64,
    since: Instant,
    /// When it last received a delivery, or was made.
    active_at: Instant,
    channel: Channel,
    connection: BrokerConnection,
}

impl RabbitConsumer {
    pub(crate) fn new(shared: Arc<Shared>, queue: Queue) -> Self {
        let receiving = Receiving {
            subscription: None,
            pauses: Pauses::new(FIRST_PAUSE, LONGEST_PAUSE),
            next_try: Instant::now(),
            outage: None,
        };
        Self {
            shared,
            queue,
            unacked: Arc::new(Unacked::new()),
            requeue_pauses: Mutex::new(Pauses::new(Duration::from_secs(1), Duration::from_secs(30))),
            receiving: tokio::sync::Mutex::new(receiving),
        }
    }

    /// Subscribes if there is no subscription. Fails at `report_at`; the next call goes on trying.
    async fn ensure_subscription(
        &self,
        receiving: &mut Receiving,
        report_at: Instant,
    ) -> Result<(), PortError> {
        while receiving.subscription.is_none() {
            if receiving.next_try > report_at
                && let Some(outage) = &receiving.outage
            {
                sleep_until(report_at).await;
                return Err(outage.clone());
            }
            sleep_until(receiving.next_try).await;
            match self.connect().await {
                Ok(subscription) => {
                    if receiving.outage.take().is_some() {
                        tracing::info!(queue = self.queue.name(), "consuming from RabbitMQ again");
                    }
                    receiving.subscription = Some(subscription);
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

    /// Connects, declares the topology and subscribes.
    async fn connect(&self) -> Result<Subscription, PortError> {
        let connection = BrokerConnection::open(&self.shared.target, self.queue.name()).await?;
        self.shared.topology.declare(&connection).await?;
        self.subscribe(connection).await
    }

    async fn subscribe(&self, connection: BrokerConnection) -> Result<Subscription, PortError> {
        let channel = connection.channel().await?;
        let bounding = channel.basic_qos(self.shared.options.prefetch, BasicQosOptions::default());
        within(connection.request_timeout(), "set the prefetch count", bounding).await?;
        let queue = self.shared.topology.work(self.queue);
        let consuming = channel.basic_consume(
            name(&queue)?,
            name("")?,
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        let deliveries = within(connection.request_timeout(), "consume the queue", consuming).await?;
        let generation = GENERATION.fetch_add(1, Ordering::Relaxed);
        self.unacked.begin(generation);
        let since = Instant::now();
        Ok(Subscription { deliveries, generation, since, active_at: since, channel, connection })
    }

    /// Waits for the next deliveries, or for the end of the subscription.
    async fn next_from(
        &self,
        subscription: &mut Subscription,
        max: usize,
    ) -> Result<Vec<Delivery>, PortError> {
        if !subscription.connection.is_connected() {
            // What lapin still holds will be redelivered on the next connection, so to handle it now is in vain.
            return Err(broken("the connection is lost"));
        }
        tokio::select! {
            biased;
            () = self.unacked.abandoned(subscription.generation) => {
                Err(broken("an acknowledgement could not be written"))
            }
            delivery = subscription.deliveries.next() => match delivery {
                Some(Ok(first)) => Ok(self.take(subscription, first, max)),
                Some(Err(error)) => Err(port_error("consume on", &error)),
                None => Err(broken("the broker has cancelled it; was the queue deleted?")),
            },
        }
    }

    /// Subscribes again on the same connection.
    ///
    /// When a quorum queue is deleted and declared again at once, RabbitMQ 3.10 has been seen to keep its consumer and
    /// never to send it the messages, which the channel took for old ones. No AMQP request shows that; a new channel
    /// receives them.
    async fn renew(&self, receiving: &mut Receiving) {
        let Some(subscription) = receiving.subscription.take() else { return };
        let Subscription { connection, deliveries, channel, .. } = subscription;
        drop((deliveries, channel));
        match self.subscribe(connection).await {
            Ok(subscription) => receiving.subscription = Some(subscription),
            Err(why) => self.lose(receiving, why),
        }
    }

    /// Notes that the subscription is lost. Logs it once until there is one again.
    fn lose(&self, receiving: &mut Receiving, why: PortError) {
        if let Some(subscription) = receiving.subscription.take()
            && subscription.since.elapsed() >= STABLE_AFTER
        {
            receiving.pauses.reset();
        }
        if receiving.outage.is_none() {
            tracing::warn!(queue = self.queue.name(), %why, "cannot consume from RabbitMQ; trying again until it works");
        }
        receiving.outage = Some(why);
        receiving.next_try = Instant::now() + receiving.pauses.next_pause();
    }

    /// Takes the first delivery and those that lapin has received already. It does not wait, so that a dropped caller
    /// has either received all of them or taken none.
    fn take(
        &self,
        subscription: &mut Subscription,
        first: lapin::message::Delivery,
        max: usize,
    ) -> Vec<Delivery> {
        subscription.active_at = Instant::now();
        let mut deliveries = vec![self.take_one(subscription.generation, first)];
        while deliveries.len() < max {
            // The next call meets the error again, as the end of the subscription.
            let Some(Some(Ok(next))) = subscription.deliveries.next().now_or_never() else { break };
            deliveries.push(self.take_one(subscription.generation, next));
        }
        deliveries
    }

    fn take_one(&self, generation: u64, delivery: lapin::message::Delivery) -> Delivery {
        let tag = DeliveryTag { generation, number: delivery.delivery_tag };
        let lapin::message::Delivery { properties, data, acker, .. } = delivery;
        self.unacked.add(UnackedDelivery { tag, acker, published_s: properties.timestamp().unwrap_or(0) });
        Delivery {
            id: message::id(&properties, &data),
            schema: message::schema(&properties),
            retries: message::retries(&properties),
            traceparent: message::traceparent(&properties),
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
            self.ensure_subscription(&mut receiving, report_at).await?;
            let Some(subscription) = &mut receiving.subscription else { continue };
            let idle_until = subscription.active_at + self.shared.options.idle_renewal_every;
            match tokio::time::timeout_at(idle_until, self.next_from(subscription, max)).await {
                Ok(Ok(deliveries)) => return Ok(deliveries),
                Ok(Err(why)) => self.lose(&mut receiving, why),
                Err(_) if self.unacked.is_empty() => self.renew(&mut receiving).await,
                // Unsettled messages would be redelivered.
                Err(_) => subscription.active_at = Instant::now(),
            }
        }
    }

    async fn settle(&self, verdicts: Vec<(Delivery, Verdict)>) -> Result<usize, PortError> {
        Ok(self.settle_each(verdicts).await)
    }
}

fn broken(why: &str) -> PortError {
    PortError::Unavailable(format!("RabbitMQ: the subscription ended: {why}"))
}
