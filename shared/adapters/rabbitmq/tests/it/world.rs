//! A bus with a name prefix of its own on the tests' broker, directly and through a proxy that fails on command.

use std::{
    net::SocketAddr,
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use anyhow::Context;
use futures_util::FutureExt;
use lapin::{Connection, ConnectionProperties, uri::AMQPUri};
use tolov_contract::{bus::payment_route, chaos_proxy::ChaosProxy};
use tolov_domain::{
    EventId,
    ports::bus::{BusAdmin, Consumer, Delivery, OutgoingMessage, Queue, QueueDepth, Verdict},
};
use tolov_rabbitmq::{RabbitBus, RabbitOptions};

/// No delivery takes longer.
pub(crate) const ARRIVAL_LIMIT: Duration = Duration::from_secs(20);

/// Numbers the worlds of a test process.
static NUMBER: AtomicU64 = AtomicU64::new(0);

pub(crate) fn amqp_url() -> anyhow::Result<String> {
    std::env::var("TEST_AMQP_URL")
        .context("TEST_AMQP_URL is not set: run ./scripts/test, which starts a RabbitMQ")
}

/// Options under a prefix that no other test has.
pub(crate) fn options() -> RabbitOptions {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    RabbitOptions {
        name_prefix: format!("test-{}-{number}.", std::process::id()),
        retry_delays_ms: tolov_contract::bus::RETRY_DELAYS_MS.to_vec(),
        ..RabbitOptions::default()
    }
}

/// Options for a broker that does not answer.
pub(crate) fn impatient() -> RabbitOptions {
    let (window_timeout, request_timeout) = (Duration::from_secs(1), Duration::from_secs(1));
    RabbitOptions { window_timeout, request_timeout, ..options() }
}

/// Where the broker listens.
pub(crate) async fn broker_addr() -> anyhow::Result<SocketAddr> {
    let uri: AMQPUri = amqp_url()?.parse().map_err(anyhow::Error::msg)?;
    let host = (uri.authority.host.as_str(), uri.authority.port);
    tokio::net::lookup_host(host).await?.next().context("the broker has no address")
}

/// The broker's URL with the address of a proxy.
pub(crate) fn through(proxy: SocketAddr) -> anyhow::Result<String> {
    let mut uri: AMQPUri = amqp_url()?.parse().map_err(anyhow::Error::msg)?;
    uri.authority.host = proxy.ip().to_string();
    uri.authority.port = proxy.port();
    Ok(uri.to_string())
}

pub(crate) struct World {
    pub(crate) options: RabbitOptions,
    /// Straight to the broker.
    pub(crate) direct: RabbitBus,
    /// The same exchanges and queues, through the proxy.
    pub(crate) proxied: RabbitBus,
    pub(crate) proxy: ChaosProxy,
}

impl World {
    async fn new(options: RabbitOptions) -> anyhow::Result<Self> {
        let proxy = ChaosProxy::start(broker_addr().await?).await?;
        Ok(Self {
            direct: RabbitBus::try_new(&amqp_url()?, options.clone())?,
            proxied: RabbitBus::try_new(&through(proxy.addr())?, options.clone())?,
            proxy,
            options,
        })
    }

    /// The broker's name for a queue or an exchange.
    pub(crate) fn named(&self, name: &str) -> String {
        format!("{}{name}", self.options.name_prefix)
    }

    pub(crate) async fn depth(&self) -> anyhow::Result<QueueDepth> {
        Ok(self.direct.admin().depth(Queue::ProjectorPayments).await?)
    }
}

/// Runs a test in a world of its own and deletes its topology, whether the test passed or not.
pub(crate) fn in_world(
    options: RabbitOptions,
    test: impl AsyncFnOnce(&World) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let world = World::new(options).await?;
        let limited = async { tokio::time::timeout(Duration::from_secs(90), test(&world)).await? };
        let outcome = AssertUnwindSafe(limited).catch_unwind().await;
        world.direct.delete_prefixed_topology().await?;
        outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// A channel for what no port offers.
pub(crate) async fn raw_channel() -> anyhow::Result<(Connection, lapin::Channel)> {
    let connection = Connection::connect(&amqp_url()?, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    Ok((connection, channel))
}

pub(crate) fn payment(number: usize) -> OutgoingMessage {
    OutgoingMessage {
        id: EventId::new(format!("payment.completed:{number}")),
        route: payment_route("payment.completed"),
        schema: "payment.completed/1".to_owned(),
        body: format!("{{\"order_id\":{number}}}").into_bytes(),
        traceparent: None,
    }
}

pub(crate) fn payments(numbers: std::ops::Range<usize>) -> Vec<OutgoingMessage> {
    numbers.map(payment).collect()
}

/// The next message, over any number of outages.
pub(crate) async fn receive_one(consumer: &dyn Consumer) -> anyhow::Result<Delivery> {
    let receiving = async {
        loop {
            match consumer.receive(1).await {
                Ok(deliveries) => {
                    return deliveries.into_iter().next().context("receive returned no message");
                }
                Err(error) if error.is_unavailable() => {}
                Err(error) => return Err(error.into()),
            }
        }
    };
    tokio::time::timeout(ARRIVAL_LIMIT, receiving).await.context("nothing came")?
}

pub(crate) async fn settle(
    consumer: &dyn Consumer,
    deliveries: Vec<Delivery>,
    verdict: Verdict,
) -> anyhow::Result<usize> {
    Ok(consumer.settle(deliveries.into_iter().map(|delivery| (delivery, verdict.clone())).collect()).await?)
}

/// Waits for a condition.
pub(crate) async fn until(
    what: &str,
    mut is_so: impl AsyncFnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let waiting = async {
        while !is_so().await? {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    };
    tokio::time::timeout(ARRIVAL_LIMIT, waiting)
        .await
        .with_context(|| format!("this never happened: {what}"))?
}
