//! The bus with a span for each message that is sent and for each that is handled, as OpenTelemetry's conventions for
//! messages name them. Around the ports only where spans are made.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use tolov_domain::{
    TraceParent,
    ports::{
        PortError,
        bus::{Consumer, Delivery, DeliveryTag, OutgoingMessage, Published, Publisher, Queue, Verdict},
    },
};
use tolov_kit::spans::{Beginning, Kind, Span};

fn parsed(span: &Span) -> Option<TraceParent> {
    span.traceparent().and_then(|parent| parent.try_into().ok())
}

fn beginning(system: &'static str, operation: &'static str, destination: &'static str) -> Beginning {
    Beginning::of(format!("{operation} {destination}"))
        .with("messaging.system", system)
        .with("messaging.operation.name", operation)
}

/// `messaging.message.*`
fn of_message(beginning: Beginning, id: &str, body: &[u8]) -> Beginning {
    beginning
        .with("messaging.message.id", id.to_owned())
        .with("messaging.message.body.size", i64::try_from(body.len()).unwrap_or(i64::MAX))
}

/// `system` is messaging.system.
#[derive(Debug)]
pub(crate) struct TracedPublisher {
    pub(crate) inner: Arc<dyn Publisher>,
    pub(crate) system: &'static str,
}

impl TracedPublisher {
    fn begin(&self, message: &OutgoingMessage) -> Span {
        let (exchange, key) = (message.route.exchange(), message.route.routing_key());
        Span::begin(Kind::Producer, message.traceparent.clone().map(Into::into), || {
            let beginning = beginning(self.system, "publish", exchange)
                .with("messaging.operation.type", "send")
                .with("messaging.destination.name", format!("{exchange}:{key}"))
                .with("messaging.rabbitmq.destination.routing_key", key.to_owned());
            of_message(beginning, message.id.as_str(), &message.body)
        })
    }
}

#[async_trait]
impl Publisher for TracedPublisher {
    async fn publish(&self, window: &[OutgoingMessage]) -> Result<Vec<Published>, PortError> {
        let mut spans: Vec<Span> = window.iter().map(|message| self.begin(message)).collect();
        let messages = window.iter().zip(&spans);
        let window: Vec<OutgoingMessage> = messages
            .map(|(message, span)| OutgoingMessage { traceparent: parsed(span), ..message.clone() })
            .collect();
        let published = self.inner.publish(&window).await;
        for (place, span) in spans.iter_mut().enumerate() {
            match published.as_ref().map(|published| published.get(place)) {
                Ok(Some(Published::Confirmed)) => {}
                Ok(Some(Published::Rejected(_))) => span.fail("rejected"),
                Ok(Some(Published::Unknown(_)) | None) => span.fail("unknown"),
                Err(_) => span.fail("unavailable"),
            }
        }
        published
    }

    async fn is_reachable(&self) -> bool {
        self.inner.is_reachable().await
    }
}

/// A message is handled from its delivery to its verdict.
#[derive(Debug)]
pub(crate) struct TracedConsumer {
    inner: Arc<dyn Consumer>,
    queue: Queue,
    system: &'static str,
    /// No more than the bus delivers without a verdict.
    handled: Mutex<BTreeMap<DeliveryTag, Handled>>,
}

#[derive(Debug)]
struct Handled {
    span: Span,
    /// Where it is tried again, it is handled for the same reason.
    published: Option<TraceParent>,
}

impl TracedConsumer {
    pub(crate) fn new(inner: Arc<dyn Consumer>, queue: Queue, system: &'static str) -> Self {
        Self { inner, queue, system, handled: Mutex::default() }
    }

    fn handled(&self) -> MutexGuard<'_, BTreeMap<DeliveryTag, Handled>> {
        self.handled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, delivery: &Delivery) -> Span {
        Span::begin(Kind::Consumer, delivery.traceparent.clone().map(Into::into), || {
            let beginning = beginning(self.system, "process", self.queue.name())
                .with("messaging.operation.type", "process")
                .with(
                    "messaging.destination.name",
                    format!("{}:{}", self.queue.exchange(), self.queue.name()),
                )
                .with("tolov.retries", i64::from(delivery.retries));
            of_message(beginning, delivery.id.as_str(), &delivery.body)
        })
    }
}

#[async_trait]
impl Consumer for TracedConsumer {
    async fn receive(&self, max: usize) -> Result<Vec<Delivery>, PortError> {
        let mut deliveries = self.inner.receive(max).await?;
        let mut handled = self.handled();
        // Nobody settles those of a channel that is gone.
        if let Some(newest) = deliveries.iter().map(|delivery| delivery.tag.generation).max() {
            handled.retain(|tag, _| tag.generation >= newest);
        }
        for delivery in &mut deliveries {
            let span = self.begin(delivery);
            let published = std::mem::replace(&mut delivery.traceparent, parsed(&span));
            handled.insert(delivery.tag, Handled { span, published });
        }
        drop(handled);
        Ok(deliveries)
    }

    async fn settle(&self, mut verdicts: Vec<(Delivery, Verdict)>) -> Result<usize, PortError> {
        let mut ended = Vec::with_capacity(verdicts.len());
        for (delivery, verdict) in &mut verdicts {
            let Some(Handled { mut span, published }) = self.handled().remove(&delivery.tag) else {
                continue;
            };
            match verdict {
                Verdict::Done => {}
                Verdict::Retry { .. } => span.fail("retry"),
                Verdict::Later { .. } => span.set("tolov.verdict", "later"),
                Verdict::Park { .. } => span.fail("parked"),
            }
            delivery.traceparent = published;
            ended.push(span);
        }
        self.inner.settle(verdicts).await
    }
}

#[cfg(test)]
mod tests {
    use tolov_domain::EventId;

    use super::*;

    /// A bus of one message.
    #[derive(Debug, Default)]
    struct Bus(Mutex<Vec<Delivery>>);

    #[async_trait]
    impl Consumer for Bus {
        async fn receive(&self, _: usize) -> Result<Vec<Delivery>, PortError> {
            Ok(std::mem::take(&mut *self.0.lock().unwrap()))
        }

        async fn settle(&self, verdicts: Vec<(Delivery, Verdict)>) -> Result<usize, PortError> {
            let count = verdicts.len();
            self.0.lock().unwrap().extend(verdicts.into_iter().map(|(delivery, _)| delivery));
            Ok(count)
        }
    }

    fn parent(span: u8) -> Option<TraceParent> {
        TraceParent::parse(&format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{span:016x}-01")).ok()
    }

    fn delivery(generation: u64, number: u64) -> Delivery {
        Delivery {
            id: EventId::new("order.expired:1"),
            schema: "order.expired/1".to_owned(),
            body: Vec::new(),
            retries: 0,
            traceparent: parent(1),
            tag: DeliveryTag { generation, number },
        }
    }

    #[tokio::test]
    async fn a_message_that_is_tried_again_keeps_what_it_was_published_with() {
        let bus = Arc::new(Bus(Mutex::new(vec![delivery(1, 1)])));
        let consumer = TracedConsumer::new(bus.clone(), Queue::ProjectorPayments, "test");
        let mut received = consumer.receive(1).await.unwrap().pop().unwrap();
        // As a span of its own would be named.
        received.traceparent = parent(2);
        consumer.settle(vec![(received, Verdict::Retry { reason: String::new() })]).await.unwrap();
        assert_eq!(bus.0.lock().unwrap()[0].traceparent, parent(1));
        assert!(consumer.handled().is_empty());
    }

    #[tokio::test]
    async fn what_is_never_settled_is_forgotten_with_its_channel() {
        let bus = Arc::new(Bus(Mutex::new(vec![delivery(1, 1), delivery(1, 2)])));
        let consumer = TracedConsumer::new(bus.clone(), Queue::ProjectorPayments, "test");
        assert_eq!(consumer.receive(2).await.unwrap().len(), 2);
        bus.0.lock().unwrap().push(delivery(2, 1));
        assert_eq!(consumer.receive(2).await.unwrap().len(), 1);
        let kept: Vec<_> = consumer.handled().keys().copied().collect();
        assert_eq!(kept, [DeliveryTag { generation: 2, number: 1 }]);
    }
}
