//! What lapin does by itself: the windows of our publisher and consumer, and nothing of what these keep.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures_util::{FutureExt, StreamExt};
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties,
    options::{
        BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
    },
    types::{AMQPValue, FieldTable, ShortString},
};
use tolov_domain::ports::bus::OutgoingMessage;

/// AMQP's delivery mode of a message that the broker writes to its disk.
const PERSISTENT: u8 = 2;

/// Publishes to an exchange, with confirms.
pub(super) struct RawPublisher {
    channel: Channel,
    exchange: ShortString,
    _connection: Connection,
}

impl RawPublisher {
    pub(super) async fn connect(amqp: &str, exchange: &str) -> Result<Self> {
        let connection = Connection::connect(amqp, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(Self { channel, exchange: ShortString::from(exchange), _connection: connection })
    }

    /// All messages, and then all confirms.
    pub(super) async fn publish(&self, window: &[OutgoingMessage]) -> Result<()> {
        let mut confirms = Vec::with_capacity(window.len());
        for message in window {
            let key = ShortString::from(message.route.routing_key());
            let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
            let publishing = self.channel.basic_publish(
                self.exchange.clone(),
                key,
                options,
                &message.body,
                properties(message),
            );
            confirms.push(publishing.await?);
        }
        for confirm in confirms {
            ensure!(matches!(confirm.await?, Confirmation::Ack(None)), "a message was not confirmed");
        }
        Ok(())
    }
}

/// As many as our publisher writes.
fn properties(message: &OutgoingMessage) -> BasicProperties {
    let mut headers = FieldTable::default();
    headers.insert(ShortString::from("schema"), AMQPValue::LongString(message.schema.as_str().into()));
    BasicProperties::default()
        .with_message_id(ShortString::from(message.id.as_str()))
        .with_type(ShortString::from(message.schema.as_str()))
        .with_app_id(ShortString::from("bench"))
        .with_timestamp(0)
        .with_content_type(ShortString::from("application/json"))
        .with_delivery_mode(PERSISTENT)
        .with_headers(headers)
}

/// Consumes a queue.
pub(super) struct RawConsumer {
    deliveries: lapin::Consumer,
    _connection: Connection,
}

impl RawConsumer {
    pub(super) async fn connect(amqp: &str, queue: &str, prefetch: u16) -> Result<Self> {
        let connection = Connection::connect(amqp, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
        let (queue, tag) = (ShortString::from(queue), ShortString::from(""));
        let deliveries =
            channel.basic_consume(queue, tag, BasicConsumeOptions::default(), FieldTable::default()).await?;
        Ok(Self { deliveries, _connection: connection })
    }

    /// Takes what is there, but at least one and at most `max`, and acknowledges all of them together.
    pub(super) async fn batch(&mut self, max: usize) -> Result<(usize, Duration)> {
        let began = Instant::now();
        let mut last = self.deliveries.next().await.context("the subscription ended")??;
        let mut count = 1;
        while count < max {
            let Some(Some(next)) = self.deliveries.next().now_or_never() else { break };
            last = next?;
            count += 1;
        }
        last.ack(BasicAckOptions { multiple: true }).await?;
        Ok((count, began.elapsed()))
    }
}
