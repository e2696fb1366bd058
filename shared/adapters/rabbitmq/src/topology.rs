//! Our exchanges and queues, with the reason for every argument.
//!
//! ```text
//! exchange ──▶ projector.payments ──(delivery limit)──▶ projector.payments.parked
//!                   ▲          │ Verdict::Retry, Later         ▲ Verdict::Park, or no retry left
//!      (TTL ended)  │          ▼                              │
//!              projector.payments.retry.1s … .10m ────────────┘
//! ```
//!
//! The consumer moves a message itself: it publishes it to the next queue and acknowledges it when that is confirmed. Its
//! exchange for that, such as projector.payments.moves, reaches these queues alone. A right to the default exchange
//! would be one to write to every queue.
//!
//! Retries are counted in a header of ours, because the broker's own counters differ from version to version, and
//! RabbitMQ 4 ignores the death headers of what a client publishes.
//!
//! Arguments are fixed for the life of a queue. To change one is a migration, described by the error below: the broker
//! does not declare a queue that exists with other arguments.

use std::time::Duration;

use lapin::{
    Channel, ExchangeKind,
    options::{
        ExchangeDeclareOptions, ExchangeDeleteOptions, QueueBindOptions, QueueDeclareOptions,
        QueueDeleteOptions,
    },
    types::{AMQPValue, FieldTable, ShortString},
};
use tolov_domain::ports::{
    PortError,
    bus::{DELIVERY_LIMIT, Queue},
};

use crate::{
    connection::BrokerConnection,
    failure::{is_access_refused, is_precondition_failed, port_error, timed_out, within},
    options::RabbitOptions,
};

/// A look at a parked message counts as a delivery. RabbitMQ 4 would drop it at 20, and 3.10 does not know the "-1" for
/// no limit.
const PARKED_DELIVERY_LIMIT: i32 = 1_000_000_000;

/// At-least-once dead-lettering requires a limit; a publisher beyond it gets a nack and keeps its message.
pub(crate) const LENGTH_MAX: i32 = 1_000_000;

/// A queue to declare.
#[derive(Debug, Clone)]
struct Declaration {
    name: String,
    arguments: FieldTable,
}

/// The names and the arguments of one bus.
#[derive(Debug, Clone)]
pub(crate) struct Topology {
    name_prefix: String,
    retry_delays_ms: Vec<u64>,
}

impl Topology {
    pub(crate) fn new(options: &RabbitOptions) -> Self {
        Self { name_prefix: options.name_prefix.clone(), retry_delays_ms: options.retry_delays_ms.clone() }
    }

    pub(crate) fn exchange(&self, name: &str) -> String {
        format!("{}{name}", self.name_prefix)
    }

    pub(crate) fn work(&self, queue: Queue) -> String {
        format!("{}{}", self.name_prefix, queue.name())
    }

    pub(crate) fn parked(&self, queue: Queue) -> String {
        format!("{}.parked", self.work(queue))
    }

    /// The exchange by which a consumer moves messages on: to a retry queue or to the parked ones, by the queue's name.
    pub(crate) fn moves(&self, queue: Queue) -> String {
        format!("{}.moves", self.work(queue))
    }

    /// The exclusive queue that an operator declares for the time of looking through the parked messages.
    pub(crate) fn turn(&self, queue: Queue) -> String {
        format!("{}.operator", self.parked(queue))
    }

    /// The queue of a retry, counted from 0; `None` after the last.
    pub(crate) fn retry(&self, queue: Queue, step: usize) -> Option<String> {
        let delay_ms = self.retry_delays_ms.get(step)?;
        Some(format!("{}.retry.{}", self.work(queue), delay_name(*delay_ms)))
    }

    /// The retry queues, each once: retries with the same delay share one.
    pub(crate) fn retries(&self, queue: Queue) -> Vec<String> {
        let mut names: Vec<_> =
            (0..self.retry_delays_ms.len()).filter_map(|step| self.retry(queue, step)).collect();
        names.dedup();
        names
    }

    /// The last retry whose delay is not longer than this time: behind longer ones a message would wait for them, since messages
    /// expire at the head of a queue only. The first where all are longer.
    pub(crate) fn retry_within(&self, after: Duration) -> usize {
        let within =
            self.retry_delays_ms.iter().filter(|delay_ms| u128::from(**delay_ms) <= after.as_millis());
        within.count().saturating_sub(1)
    }

    /// Declares everything. What is there already stays as it is.
    ///
    /// An account without the right to declare leaves that to others, such as the definitions that a broker loads at its
    /// start: a service needs no more than to publish to its exchange and to read its queue.
    pub(crate) async fn declare(&self, connection: &BrokerConnection) -> Result<(), PortError> {
        let channel = connection.channel().await?;
        for queue in Queue::ALL {
            let (exchange, moves) = (self.exchange(queue.exchange()), self.moves(queue));
            for (exchange, kind) in [(&exchange, ExchangeKind::Topic), (&moves, ExchangeKind::Direct)] {
                if !declare_exchange(&channel, connection, exchange, kind).await? {
                    return Ok(());
                }
            }
            for declaration in self.declarations(queue) {
                declare_queue(&channel, connection, declaration).await?;
            }
            // These need no answer: the broker handles a channel's requests in their order, and answers those that follow.
            for moved_to in self.retries(queue).into_iter().chain([self.parked(queue)]) {
                let options = QueueBindOptions { nowait: true };
                bind(&channel, connection, &moved_to, &moves, &moved_to, options).await?;
            }
            for pattern in queue.binding_keys() {
                let options = QueueBindOptions::default();
                bind(&channel, connection, &self.work(queue), &exchange, pattern, options).await?;
            }
        }
        Ok(())
    }

    pub(crate) async fn delete(&self, connection: &BrokerConnection) -> Result<(), PortError> {
        if self.name_prefix.is_empty() {
            return Err(PortError::Refused(
                "queues without a name prefix are production's: delete them with rabbitmqctl".to_owned(),
            ));
        }
        let channel = connection.channel().await?;
        for queue in Queue::ALL {
            for declaration in self.declarations(queue) {
                let deletion = channel.queue_delete(name(&declaration.name)?, QueueDeleteOptions::default());
                within(connection.request_timeout(), "delete a queue", deletion).await?;
            }
            for exchange in [self.exchange(queue.exchange()), self.moves(queue)] {
                let deletion = channel.exchange_delete(name(&exchange)?, ExchangeDeleteOptions::default());
                within(connection.request_timeout(), "delete an exchange", deletion).await?;
            }
        }
        Ok(())
    }

    /// The queues behind one queue of the domain. Targets of dead-lettering come first.
    fn declarations(&self, queue: Queue) -> Vec<Declaration> {
        let (work, parked) = (self.work(queue), self.parked(queue));
        let mut declarations = vec![
            Declaration { name: parked.clone(), arguments: parked_arguments() },
            Declaration { name: work.clone(), arguments: work_arguments(&parked) },
        ];
        declarations.extend(self.retry_delays_ms.iter().enumerate().filter_map(|(step, delay_ms)| {
            let arguments = retry_arguments(&work, *delay_ms);
            Some(Declaration { name: self.retry(queue, step)?, arguments })
        }));
        declarations
    }
}

/// The arguments of every queue.
fn quorum_arguments() -> FieldTable {
    let mut arguments = FieldTable::default();
    // Explicit, although it may be the vhost's default. Only a quorum queue's confirm means "on disk" on current
    // brokers, and it is the faster one for windows of 64 and more.
    arguments.insert("x-queue-type".into(), text("quorum"));
    // Bounds the disk. "reject-publish" answers the publisher with a nack; the default would drop the oldest message,
    // and would silently turn at-least-once dead-lettering off.
    arguments.insert("x-max-length".into(), AMQPValue::LongInt(LENGTH_MAX));
    arguments.insert("x-overflow".into(), text("reject-publish"));
    arguments
}

/// Dead-lettering that keeps the message until the target has confirmed it: duplicates are possible, losses are not.
fn dead_letter_to(arguments: &mut FieldTable, queue: &str) {
    // The default exchange routes by the queue's name and cannot be deleted.
    arguments.insert("x-dead-letter-exchange".into(), text(""));
    arguments.insert("x-dead-letter-routing-key".into(), text(queue));
    arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
}

/// RabbitMQ 4 would have 20, and a consumer that dies counts against all that it had received (prefetch).
fn delivery_limit() -> AMQPValue {
    AMQPValue::LongInt(i32::try_from(DELIVERY_LIMIT).unwrap_or(i32::MAX))
}

fn work_arguments(parked: &str) -> FieldTable {
    let mut arguments = quorum_arguments();
    arguments.insert("x-delivery-limit".into(), delivery_limit());
    dead_letter_to(&mut arguments, parked);
    arguments
}

fn retry_arguments(work: &str, delay_ms: u64) -> FieldTable {
    let mut arguments = quorum_arguments();
    // One delay for the whole queue: messages expire at its head only, so a long delay would hold up short ones.
    arguments
        .insert("x-message-ttl".into(), AMQPValue::LongLongInt(i64::try_from(delay_ms).unwrap_or(i64::MAX)));
    dead_letter_to(&mut arguments, work);
    arguments
}

fn parked_arguments() -> FieldTable {
    let mut arguments = quorum_arguments();
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(PARKED_DELIVERY_LIMIT));
    arguments
}

/// `false`: the account may not.
async fn declare_exchange(
    channel: &Channel,
    connection: &BrokerConnection,
    exchange: &str,
    kind: ExchangeKind,
) -> Result<bool, PortError> {
    // Durable: it must be there after a restart of the broker, or publishers find a closed channel instead of it.
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    let declared = channel.exchange_declare(name(exchange)?, kind, options, FieldTable::default());
    let doing = format!("declare the exchange {exchange}");
    match tokio::time::timeout(connection.request_timeout(), declared).await {
        Ok(Ok(())) => Ok(true),
        Ok(Err(error)) if is_access_refused(&error) => Ok(false),
        Ok(Err(error)) if is_precondition_failed(&error) => Err(PortError::Refused(format!(
            "RabbitMQ has an exchange {exchange} of another type. Stop the services, delete it and start them again; \
             they declare it and its bindings. The broker says: {error}"
        ))),
        Ok(Err(error)) => Err(port_error(&doing, &error)),
        Err(_) => Err(timed_out(&doing)),
    }
}

async fn bind(
    channel: &Channel,
    connection: &BrokerConnection,
    queue: &str,
    exchange: &str,
    key: &str,
    options: QueueBindOptions,
) -> Result<(), PortError> {
    let binding =
        channel.queue_bind(name(queue)?, name(exchange)?, name(key)?, options, FieldTable::default());
    within(connection.request_timeout(), "bind a queue", binding).await
}

async fn declare_queue(
    channel: &Channel,
    connection: &BrokerConnection,
    declaration: Declaration,
) -> Result<(), PortError> {
    let Declaration { name: queue, arguments } = declaration;
    let declared = channel.queue_declare(name(&queue)?, QueueDeclareOptions::durable(), arguments);
    let doing = format!("declare the queue {queue}");
    match tokio::time::timeout(connection.request_timeout(), declared).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) if is_precondition_failed(&error) => Err(PortError::Refused(format!(
            "RabbitMQ has a queue {queue} with other arguments than this version needs, and a queue's arguments cannot \
             be changed. Stop the services, move its messages away (rabbitmqctl or the shovel plugin) or let it run \
             empty, delete it (rabbitmqctl delete_queue {queue}) and start the services again; they declare it. The \
             broker says: {error}"
        ))),
        Ok(Err(error)) => Err(port_error(&doing, &error)),
        Err(_) => Err(timed_out(&doing)),
    }
}

/// AMQP's short strings have at most 255 bytes; lapin's own conversion panics beyond.
pub(crate) fn name(text: &str) -> Result<ShortString, PortError> {
    ShortString::try_new(text).map_err(|_| {
        PortError::Refused(format!("a name of {} bytes is too long for AMQP, which takes 255", text.len()))
    })
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

/// The largest unit that the delay is whole in: 1s, 10m, 250ms.
fn delay_name(delay_ms: u64) -> String {
    match delay_ms {
        _ if delay_ms.is_multiple_of(60_000) => format!("{}m", delay_ms / 60_000),
        _ if delay_ms.is_multiple_of(1_000) => format!("{}s", delay_ms / 1_000),
        _ => format!("{delay_ms}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topology() -> Topology {
        Topology::new(&RabbitOptions::default())
    }

    #[test]
    fn each_retry_delay_has_a_queue_that_is_named_by_it() {
        assert_eq!(
            topology().retries(Queue::BotNotifications),
            [
                "bot.notifications.retry.1s",
                "bot.notifications.retry.10s",
                "bot.notifications.retry.1m",
                "bot.notifications.retry.10m"
            ]
        );
        assert_eq!(delay_name(250), "250ms");
        assert_eq!(topology().retry(Queue::BotNotifications, 4), None);
    }

    #[test]
    fn later_uses_the_longest_delay_that_is_not_too_long() {
        for (after_ms, retry) in [(0, 0), (1_000, 0), (9_999, 0), (10_000, 1), (59_999, 1), (86_400_000, 3)] {
            assert_eq!(topology().retry_within(Duration::from_millis(after_ms)), retry, "{after_ms} ms");
        }
    }

    #[test]
    fn no_queue_drops_messages_at_a_limit() {
        for queue in Queue::ALL {
            for declaration in topology().declarations(queue) {
                let arguments = declaration.arguments.inner();
                assert_eq!(
                    arguments.get("x-overflow"),
                    Some(&text("reject-publish")),
                    "{}",
                    declaration.name
                );
                let ends_by_itself = arguments.contains_key("x-message-ttl")
                    || arguments.get("x-delivery-limit") == Some(&delivery_limit());
                let at_least_once = arguments.get("x-dead-letter-strategy") == Some(&text("at-least-once"));
                assert_eq!(ends_by_itself, at_least_once, "{}", declaration.name);
            }
        }
    }
}
