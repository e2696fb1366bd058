//! METRICS_ADDR: health, readiness and metrics of the services in this process.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use tolov_bot::Service as Bot;
use tolov_domain::{
    UserId,
    ports::{
        ShopStore,
        bus::{BusAdmin, Publisher, Queue, QueueDepth},
    },
    time::unix_ms,
};
use tolov_kit::{
    clock::{Clock, SystemClock},
    env::Env,
    in_flight::InFlight,
    lifecycle::{Stop, Tasks},
    metrics::{self, Metrics},
    status::{Dependency, Report, Status, Waiting, run, within_check_timeout},
};
use tolov_projector::Projector;

use crate::adapters::Bus;

/// METRICS_ADDR. `None`: nothing is served.
pub(crate) fn address(env: &Env) -> Option<SocketAddr> {
    env.parsed("METRICS_ADDR")
}

/// The page, bound but not yet serving, so that services can be added.
#[derive(Debug, Default)]
pub(crate) struct StatusPage {
    bound: Option<(TcpListener, Metrics)>,
    pub(crate) status: Status,
}

impl StatusPage {
    /// Binds before the services start, so that an address in use is reported at once. Metrics count from here on.
    pub(crate) async fn open(addr: Option<SocketAddr>) -> Result<Self> {
        let Some(addr) = addr else { return Ok(Self::default()) };
        let listener = TcpListener::bind(addr).await.with_context(|| {
            format!("cannot listen on {addr}: change METRICS_ADDR or stop what listens there")
        })?;
        tracing::info!(addr = %listener.local_addr()?, "/health, /ready and /metrics listen");
        Ok(Self { bound: Some((listener, metrics::install()?)), status: Status::default() })
    }

    pub(crate) fn serve(self, tasks: &mut Tasks, stop: &Stop) {
        if let Some((listener, metrics)) = self.bound {
            tasks.spawn("status page", run(listener, metrics, self.status, stop.clone()));
        }
    }

    pub(crate) fn add_projector(&mut self, projector: &Projector, bus: &Bus, shop: Arc<dyn ShopStore>) {
        let service = QueueService {
            queue: Queue::ProjectorPayments,
            publisher: bus.publisher(),
            admin: bus.admin(),
            shop,
            in_hand: projector.in_hand(),
            in_hand_name: "events_in_hand",
        };
        self.status.add(move || service.clone().report());
    }

    pub(crate) fn add_bot(&mut self, bot: &Bot, bus: &Bus, shop: Arc<dyn ShopStore>) {
        let service = QueueService {
            queue: Queue::BotNotifications,
            publisher: bus.publisher(),
            admin: bus.admin(),
            shop,
            in_hand: bot.in_hand(),
            in_hand_name: "notifications_in_hand",
        };
        let in_hand = bot.in_hand();
        let telegram = bot.telegram_status();
        self.status.add(move || {
            let report = service.clone().report();
            ::metrics::gauge!("tolov_send_queue_depth").set(u32::try_from(in_hand.len()).unwrap_or(u32::MAX));
            let telegram = Dependency { name: "telegram", reachable: telegram(), needed: true };
            async move {
                let mut report = report.await;
                report.dependencies.push(telegram);
                report
            }
        });
    }
}

/// What is reported of a service that reads a queue and works on the shop store.
#[derive(Debug, Clone)]
struct QueueService {
    queue: Queue,
    publisher: Arc<dyn Publisher>,
    admin: Arc<dyn BusAdmin>,
    shop: Arc<dyn ShopStore>,
    in_hand: InFlight,
    in_hand_name: &'static str,
}

impl QueueService {
    async fn report(self) -> Report {
        let (bus, shop, depth) = tokio::join!(
            within_check_timeout(self.publisher.is_reachable()),
            within_check_timeout(self.reaches_shop()),
            self.depth(),
        );
        if let Some(depth) = depth {
            record(self.queue, depth);
        }
        let oldest = self.in_hand.oldest().map_or(0, |since| unix_ms(SystemClock.now()) - unix_ms(since));
        let waiting = Waiting {
            name: self.in_hand_name,
            depth: i64::try_from(self.in_hand.len()).unwrap_or(i64::MAX),
            oldest_age_ms: oldest.max(0),
            refused: None,
        };
        let dependency = |name, reachable| Dependency { name, reachable, needed: true };
        Report {
            dependencies: vec![dependency("bus", bus), dependency("shop", shop)],
            waiting: vec![waiting],
        }
    }

    /// One small read, of a user that need not exist.
    async fn reaches_shop(&self) -> bool {
        match UserId::try_new(1) {
            Ok(anybody) => tolov_shop::shopper::shopper(&*self.shop, anybody).await.is_ok(),
            Err(_) => false,
        }
    }

    async fn depth(&self) -> Option<QueueDepth> {
        tokio::time::timeout(DEPTH_TIMEOUT, self.admin.depth(self.queue)).await.ok()?.ok()
    }
}

const DEPTH_TIMEOUT: Duration = Duration::from_secs(5);

fn record(queue: Queue, depth: QueueDepth) {
    let whole = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    let queue = queue.name();
    for (state, count) in [("ready", depth.ready), ("retrying", depth.retrying)] {
        ::metrics::gauge!("tolov_queue_depth", "queue" => queue, "state" => state).set(whole(count));
    }
    ::metrics::gauge!("tolov_dlq_depth", "queue" => queue).set(whole(depth.parked));
}
