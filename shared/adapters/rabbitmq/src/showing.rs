//! Looking through a queue, from its first message to its last, without taking anything from it.
//!
//! AMQP shows a message only by delivering it. So all are received, and given back at the end: a quorum queue delivers what
//! was given back before everything else, so a look at a few would move them behind the others. Subscriptions do it, one
//! after the other; `basic.get` takes a round through the queue's log for each message, which is a minute for ten thousand.

use std::{collections::BTreeSet, time::Duration};

use futures_util::StreamExt;
use lapin::{
    Channel,
    message::Delivery,
    options::{
        BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicGetOptions, BasicNackOptions,
        BasicQosOptions, QueueDeclareOptions,
    },
    types::FieldTable,
};
use tokio::time::{Instant, timeout};
use tolov_domain::ports::PortError;

use crate::{
    failure::{is_not_found, port_error, timed_out, within},
    topology::{LENGTH_MAX, name},
};

/// What one subscription receives at most: quorum queues allow no more without an answer.
const SUBSCRIPTION_MAX: u16 = 2_000;
/// How many messages a quorum queue of RabbitMQ 3.10 takes back at once in their order.
const IN_ORDER_MAX: usize = 32;
/// So long without a delivery it is asked whether there are more.
const PAUSE: Duration = Duration::from_millis(50);
/// So long RabbitMQ waits for the leader of a quorum queue when it is asked for counts; then it answers that there are no
/// messages and no readers (`rabbit_quorum_queue:stat`).
const LEADER_WAITED_FOR: Duration = Duration::from_millis(250);
/// The broker has counted what was given back, and readers that have ended, well within this.
const COUNTED_WITHIN: Duration = Duration::from_secs(1);

/// A queue, by a channel of its own.
pub(crate) struct Look<'a> {
    pub(crate) channel: &'a Channel,
    pub(crate) queue: &'a str,
    /// The longest that one request may take.
    pub(crate) limit: Duration,
}

impl Look<'_> {
    /// Shows every message that is ready. Returns their delivery tags, for [`Look::end`]; after an error the end of the
    /// connection gives them back.
    pub(crate) async fn show_all(&self, mut see: impl FnMut(Delivery)) -> Result<Vec<u64>, PortError> {
        let bounding = self.channel.basic_qos(SUBSCRIPTION_MAX, BasicQosOptions::default());
        within(self.limit, "set the prefetch count", bounding).await?;
        let mut held = Vec::new();
        loop {
            let before = held.len();
            let ready = self.ready().await?;
            if ready == 0 {
                // A queue without a leader is counted as an empty one. Only a read that finds nothing is sure.
                let reading = self.channel.basic_get(name(self.queue)?, BasicGetOptions::default());
                let Some(message) = within(self.limit, "read a message", reading).await? else {
                    return Ok(held);
                };
                held.push(message.delivery_tag);
                see(message.delivery);
                continue;
            }
            if i32::try_from(before).unwrap_or(i32::MAX) > LENGTH_MAX {
                return Err(PortError::Unavailable(format!("RabbitMQ: {} has no end", self.queue)));
            }
            // Given back in the order of these names.
            let tag = format!("look-{before:012}");
            let options = BasicConsumeOptions::default();
            let subscribing =
                self.channel.basic_consume(name(self.queue)?, name(&tag)?, options, FieldTable::default());
            let mut deliveries = within(self.limit, "subscribe to a queue", subscribing).await?;
            let mut hold = |delivery: Delivery| {
                held.push(delivery.delivery_tag);
                see(delivery);
                held.len() - before
            };
            let mut count = 0;
            while count < usize::from(SUBSCRIPTION_MAX) {
                // Perhaps that was the last one: it is asked at once.
                let pause = if count < ready { PAUSE } else { Duration::ZERO };
                let Some(next) = self.next(&mut deliveries, pause).await? else { break };
                count = hold(next);
            }
            // What was under way comes before the answer.
            let ending = self.channel.basic_cancel(name(&tag)?, BasicCancelOptions::default());
            within(self.limit, "end a subscription", ending).await?;
            while let Some(next) = deliveries.next().await {
                hold(next.map_err(|error| port_error("read a message", &error))?);
            }
        }
    }

    /// `None`: the queue has no message left that is ready.
    async fn next(
        &self,
        deliveries: &mut lapin::Consumer,
        mut pause: Duration,
    ) -> Result<Option<Delivery>, PortError> {
        let deadline = Instant::now() + self.limit;
        loop {
            match timeout(pause, deliveries.next()).await {
                Ok(Some(Ok(delivery))) => return Ok(Some(delivery)),
                Ok(Some(Err(error))) => return Err(port_error("read a message", &error)),
                Ok(None) => {
                    return Err(PortError::Unavailable("RabbitMQ: it ended a subscription".to_owned()));
                }
                Err(_) if self.ready().await? == 0 => return Ok(None),
                Err(_) if Instant::now() > deadline => return Err(timed_out("read a message")),
                Err(_) => pause = PAUSE,
            }
        }
    }

    /// Removes some of the messages that are held, and gives the others back; by their delivery tags, which must grow. The order
    /// is lost where the broker is slow to count them.
    ///
    /// Neighbours are removed by one acknowledgement: of many that wait, a quorum queue forgets some with the end of the channel.
    pub(crate) async fn end(&self, held: &[u64], removed: &BTreeSet<u64>) -> Result<(), PortError> {
        let mut back = self.ready().await?;
        let mut is_in_order = true;
        for run in held.chunk_by(|one, next| removed.contains(one) == removed.contains(next)) {
            let Some(last) = run.last() else { continue };
            if removed.contains(last) {
                self.remove_up_to(*last).await?;
            } else if is_in_order {
                is_in_order = self.return_in_order(run, &mut back).await?;
            } else {
                self.return_up_to(*last).await?;
            }
        }
        Ok(())
    }

    /// `false`: they are given back, but not in their order.
    async fn return_in_order(&self, run: &[u64], back: &mut usize) -> Result<bool, PortError> {
        let mut portions = run.chunks(IN_ORDER_MAX);
        while let Some(portion) = portions.next() {
            let Some(last) = portion.last() else { continue };
            self.return_up_to(*last).await?;
            *back = back.saturating_add(portion.len());
            if !self.is_counted(*back).await? {
                if let Some(last) = portions.next_back().and_then(<[u64]>::last) {
                    self.return_up_to(*last).await?;
                }
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn return_up_to(&self, last: u64) -> Result<(), PortError> {
        let returning = self.channel.basic_nack(last, BasicNackOptions { multiple: true, requeue: true });
        within(self.limit, "give messages back", returning).await
    }

    async fn remove_up_to(&self, last: u64) -> Result<(), PortError> {
        let removing = self.channel.basic_ack(last, BasicAckOptions { multiple: true });
        within(self.limit, "remove messages", removing).await
    }

    /// Whether so many messages are ready, by the end of some time.
    async fn is_counted(&self, count: usize) -> Result<bool, PortError> {
        let deadline = Instant::now() + COUNTED_WITHIN;
        loop {
            if self.ready().await? >= count {
                return Ok(true);
            }
            if Instant::now() > deadline {
                return Ok(false);
            }
        }
    }

    /// How many readers have subscribed. One that has ended is counted for a moment.
    pub(crate) async fn readers(&self) -> Result<u32, PortError> {
        let deadline = Instant::now() + COUNTED_WITHIN;
        loop {
            let readers = self.state().await?.consumer_count();
            if readers == 0 || Instant::now() > deadline {
                return Ok(readers);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn ready(&self) -> Result<usize, PortError> {
        Ok(usize::try_from(self.state().await?.message_count()).unwrap_or(usize::MAX))
    }

    pub(crate) async fn state(&self) -> Result<lapin::Queue, PortError> {
        let deadline = Instant::now() + self.limit;
        loop {
            let asked_at = Instant::now();
            let state = self.state_as_told().await?;
            let is_empty = state.message_count() == 0 && state.consumer_count() == 0;
            if !is_empty || asked_at.elapsed() < LEADER_WAITED_FOR {
                return Ok(state);
            }
            if Instant::now() > deadline {
                return Err(timed_out("count messages"));
            }
        }
    }

    async fn state_as_told(&self) -> Result<lapin::Queue, PortError> {
        let options = QueueDeclareOptions::durable().passive();
        let looking = self.channel.queue_declare(name(self.queue)?, options, FieldTable::default());
        match timeout(self.limit, looking).await {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(error)) if is_not_found(&error) => Err(PortError::Refused(format!(
                "RabbitMQ has no queue {}: it was deleted. Any service declares it again when it starts.",
                self.queue
            ))),
            Ok(Err(error)) => Err(port_error("count messages", &error)),
            Err(_) => Err(timed_out("count messages")),
        }
    }
}
