//! The bus on RabbitMQ beside lapin by itself, with the same windows: the relay, which carries events out of a ledger, our
//! publisher without a ledger, and our consumer.

mod raw;

use std::{
    fmt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use async_trait::async_trait;
use tolov_domain::ports::{
    PortError,
    bus::{Consumer, OutgoingMessage, Published, Publisher, Queue, Verdict},
};
use tolov_kit::clock::SystemClock;
use tolov_rabbitmq::{RabbitBus, RabbitConsumer, RabbitOptions};
use tolov_webhook::{
    ledger::{Ledger, UnverifiedLimits},
    relay::{Relay, Relayed},
};

use self::raw::{RawConsumer, RawPublisher};
use crate::{
    load::{Report, pay_orders},
    service::Server,
};

const QUEUE: Queue = Queue::ProjectorPayments;
const CONNECTIONS: usize = 64;

/// What is published and acknowledged at once.
#[derive(Debug, Clone, Copy)]
pub struct Windows {
    pub published: usize,
    /// At most so many deliveries are acknowledged together.
    pub consumed: usize,
    /// So many windows are published in a round.
    pub count: usize,
    /// Of each program in turn.
    pub rounds: usize,
}

/// What a run measured.
#[derive(Debug)]
pub struct Measured {
    windows: Windows,
    prefetch: u16,
    raw_publisher: Times,
    publisher: Times,
    relay: Times,
    raw_consumer: Times,
    consumer: Times,
}

/// The windows of one program over all rounds.
#[derive(Debug, Default)]
struct Times {
    windows: Vec<Duration>,
    count: usize,
}

impl Times {
    fn add(&mut self, count: usize, took: Duration) {
        self.windows.push(took);
        self.count += count;
    }

    /// Windows follow each other, so that the run took as long as all of them.
    fn report(&self) -> Report {
        Report::of_windows(self.windows.clone(), self.count, self.windows.iter().sum())
    }
}

/// Publishes and consumes in rounds by turns, on queues of their own. The ledger goes into `folder`.
pub async fn measure(amqp: &str, name_prefix: String, folder: &Path, windows: Windows) -> Result<Measured> {
    let options = RabbitOptions { name_prefix: name_prefix.clone(), ..RabbitOptions::default() };
    let prefetch = options.prefetch;
    let bus = RabbitBus::try_new(amqp, options)?;
    bus.declare().await?;
    let (ledger, writer, sample) = paid_orders(folder, windows).await?;
    let publisher = Arc::new(bus.publisher());
    let relay = Relay::new(ledger, publisher.clone(), Arc::new(SystemClock));
    let raw_publisher = RawPublisher::connect(amqp, &format!("{name_prefix}{}", QUEUE.exchange())).await?;
    let queue = format!("{name_prefix}{}", QUEUE.name());
    let mut measured = Measured {
        windows,
        prefetch,
        raw_publisher: Times::default(),
        publisher: Times::default(),
        relay: Times::default(),
        raw_consumer: Times::default(),
        consumer: Times::default(),
    };
    let (total, max) = (windows.published * windows.count, windows.consumed);
    for round in 0..windows.rounds {
        for _ in 0..windows.count {
            let began = Instant::now();
            raw_publisher.publish(&sample).await?;
            measured.raw_publisher.add(sample.len(), began.elapsed());
        }
        consume(&bus.consumer(QUEUE), total, max, &mut measured.consumer).await?;
        for _ in 0..windows.count {
            let began = Instant::now();
            let published = publisher.publish(&sample).await?;
            measured.publisher.add(sample.len(), began.elapsed());
            ensure!(published.iter().all(|one| *one == Published::Confirmed), "not all were confirmed");
        }
        let raw = RawConsumer::connect(amqp, &queue, prefetch).await?;
        consume_raw(raw, total, max, &mut measured.raw_consumer).await?;
        for _ in 0..windows.count {
            let began = Instant::now();
            let relayed = relay.relay_once(u32::try_from(windows.published)?).await;
            measured.relay.add(windows.published, began.elapsed());
            let is_whole = matches!(relayed, Relayed::Window { sent, .. } if sent == windows.published);
            ensure!(is_whole, "the relay did not carry a whole window: {relayed:?}");
        }
        if round % 2 == 0 {
            consume(&bus.consumer(QUEUE), total, max, &mut measured.consumer).await?;
        } else {
            let raw = RawConsumer::connect(amqp, &queue, prefetch).await?;
            consume_raw(raw, total, max, &mut measured.raw_consumer).await?;
        }
    }
    drop((relay, raw_publisher));
    writer.close().await;
    bus.delete_prefixed_topology().await?;
    bus.close().await;
    Ok(measured)
}

/// The first batch is not measured: the subscription is made while it is waited for.
async fn consume(consumer: &RabbitConsumer, total: usize, max: usize, times: &mut Times) -> Result<()> {
    let mut taken = 0;
    while taken < total {
        let began = Instant::now();
        let received = consumer.receive(max).await?;
        let count = received.len();
        let verdicts = received.into_iter().map(|delivery| (delivery, Verdict::Done)).collect();
        ensure!(consumer.settle(verdicts).await? == count, "not all were acknowledged");
        if taken > 0 {
            times.add(count, began.elapsed());
        }
        taken += count;
    }
    Ok(())
}

async fn consume_raw(mut consumer: RawConsumer, total: usize, max: usize, times: &mut Times) -> Result<()> {
    let mut taken = 0;
    while taken < total {
        let (count, took) = consumer.batch(max).await?;
        if taken > 0 {
            times.add(count, took);
        }
        taken += count;
    }
    Ok(())
}

/// A ledger with an event of a paid order for every place in the relay's windows, and one window of them.
async fn paid_orders(
    folder: &Path,
    windows: Windows,
) -> Result<(Ledger, tolov_webhook::ledger::WriterTask, Vec<OutgoingMessage>)> {
    let file = folder.join(format!("payments-{}.db", windows.published));
    let orders = i64::try_from(windows.published * windows.count * windows.rounds)?;
    let away = Arc::new(Away::default());
    let server = Server::with_orders(file.clone().into(), away.clone(), 1..=orders).await?;
    let numbers: Vec<i64> = (1..=orders).collect();
    pay_orders(&server.shop(), &numbers, CONNECTIONS).await?;
    server.close().await?;
    let (ledger, writer) = Ledger::open(file, UnverifiedLimits::default()).await?;
    let window = u32::try_from(windows.published)?;
    Relay::new(ledger.clone(), away.clone(), Arc::new(SystemClock)).relay_once(window).await;
    let sample = away.refused();
    ensure!(sample.len() == windows.published, "a window of {} events", sample.len());
    Ok((ledger, writer, sample))
}

/// A bus that is away, and keeps what it should have published last.
#[derive(Debug, Default)]
struct Away {
    refused: Mutex<Vec<OutgoingMessage>>,
}

impl Away {
    fn refused(&self) -> Vec<OutgoingMessage> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Publisher for Away {
    async fn publish(&self, window: &[OutgoingMessage]) -> Result<Vec<Published>, PortError> {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = window.to_vec();
        Err(PortError::Unavailable("it is away until all orders are paid".to_owned()))
    }

    async fn is_reachable(&self) -> bool {
        false
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { windows, prefetch, raw_publisher, publisher, relay, raw_consumer, consumer } = self;
        let Windows { published, consumed, count, rounds } = windows;
        writeln!(
            formatter,
            "windows of {published} with confirms, {count} a round; prefetch {prefetch}, acknowledged {consumed} at most; \
             {rounds} rounds by turns"
        )?;
        let mut compare = |name: &str, raw: &Times, ours: &[(&str, &Times)]| {
            let raw = raw.report();
            writeln!(formatter, "{name}  lapin      {raw}")?;
            for (name, times) in ours {
                let report = times.report();
                let percent = report.rate() * 100 / raw.rate().max(1);
                writeln!(formatter, "           {name:<9}  {report}   {percent:>4}% of lapin's rate")?;
            }
            Ok(())
        };
        compare("published", raw_publisher, &[("publisher", publisher), ("relay", relay)])?;
        compare("consumed ", raw_consumer, &[("consumer", consumer)])
    }
}
