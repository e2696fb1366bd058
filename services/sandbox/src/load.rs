//! Generates load: places orders, pays them through the simulated CLICK and counts the messages about them.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt, future::BoxFuture, stream};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::Instant;
use tolov_domain::time::unix_ms;
use tolov_kit::{clock::Clock, lifecycle::Stop};

use crate::{
    click::Click,
    monitor::{Dashboard, Trace},
    telegram::{NewShopper, Telegram},
};

/// Places orders at the page's request.
pub trait OrderSource: Send + Sync + fmt::Debug {
    /// Places an order of the shopper and registers it for payment. The error is shown on the page.
    fn place(&self, shopper_id: i64) -> BoxFuture<'_, Result<PlacedOrder, String>>;
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedOrder {
    pub order_id: String,
    pub shopper_id: i64,
    /// So'm, as the pay link has it.
    pub amount: String,
    pub payment_url: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct LoadRequest {
    pub purchases: u32,
    #[serde(default = "default_at_once")]
    pub at_once: u32,
}

const fn default_at_once() -> u32 {
    16
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LoadProgress {
    pub wanted: u32,
    pub paid: u32,
    pub failed: u32,
    /// Paid orders that a message to a shopper has named.
    pub notified: u32,
    pub is_running: bool,
    pub started_at_ms: i64,
    pub elapsed_ms: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    #[error("no order source is registered: `tolov demo` has one")]
    NoOrderSource,
    #[error("a load is running already: wait for it or stop it")]
    Running,
    #[error("from 1 to {MAX_PURCHASES} purchases, from 1 to {MAX_AT_ONCE} at once")]
    TooMany,
}

const MAX_PURCHASES: u32 = 10_000;
const MAX_AT_ONCE: u32 = 64;
/// So few that the list of chats stays readable.
const SHOPPERS: i64 = 50;
const FIRST_SHOPPER_ID: i64 = 8_000_001;
/// For the messages after the last payment; Telegram limits their rate.
const NOTIFY_TIMEOUT: Duration = Duration::from_mins(10);
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// Runs one load at a time. Clones share it.
#[derive(Debug, Clone)]
pub struct LoadGenerator {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    click: Click,
    telegram: Telegram,
    trace: Trace,
    dashboard: Dashboard,
    clock: Arc<dyn Clock>,
    stopping: Stop,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    order_source: Option<Arc<dyn OrderSource>>,
    /// Stops the running load.
    running: Option<Stop>,
    paid: Vec<String>,
    failed: u32,
}

impl LoadGenerator {
    pub(crate) fn new(
        click: Click,
        telegram: Telegram,
        (trace, dashboard): (Trace, Dashboard),
        clock: Arc<dyn Clock>,
        stopping: Stop,
    ) -> Self {
        let state = Mutex::new(State::default());
        Self { inner: Arc::new(Inner { click, telegram, trace, dashboard, clock, stopping, state }) }
    }

    pub fn set_order_source(&self, source: Arc<dyn OrderSource>) {
        self.with(|state| state.order_source = Some(source));
        self.inner.dashboard.show("can_order", json!(true));
    }

    /// Places one order. The inner error is the order source's.
    pub async fn place_order(&self, shopper_id: i64) -> Result<Result<PlacedOrder, String>, LoadError> {
        let source = self.order_source()?;
        Ok(source.place(shopper_id).await)
    }

    /// Starts a load; the dashboard shows its progress.
    pub fn start(&self, request: LoadRequest) -> Result<(), LoadError> {
        let source = self.order_source()?;
        if !(1..=MAX_PURCHASES).contains(&request.purchases) || !(1..=MAX_AT_ONCE).contains(&request.at_once)
        {
            return Err(LoadError::TooMany);
        }
        let stop = self.inner.stopping.child_token();
        self.with(|state| {
            if state.running.is_some() {
                return Err(LoadError::Running);
            }
            *state = State {
                order_source: state.order_source.take(),
                running: Some(stop.clone()),
                ..State::default()
            };
            Ok(())
        })?;
        let load = self.clone();
        tokio::spawn(async move {
            let began = (Instant::now(), unix_ms(load.inner.clock.now()));
            tokio::select! {
                () = load.run(&*source, request, began) => {}
                () = stop.cancelled() => {}
            }
            load.with(|state| state.running = None);
            load.show_progress(request, began, false);
        });
        Ok(())
    }

    /// Stops the running load and abandons its payments under way.
    pub fn stop(&self) {
        if let Some(stop) = self.with(|state| state.running.clone()) {
            stop.cancel();
        }
    }

    async fn run(&self, source: &dyn OrderSource, request: LoadRequest, began: (Instant, i64)) {
        let purchases = async {
            let at_once = usize::try_from(request.at_once).unwrap_or(1);
            stream::iter(0..i64::from(request.purchases))
                .for_each_concurrent(at_once, |number| {
                    self.purchase(source, FIRST_SHOPPER_ID + number % SHOPPERS)
                })
                .await;
            let deadline = Instant::now() + NOTIFY_TIMEOUT;
            while self.notified() < self.with(|state| state.paid.len()) && Instant::now() < deadline {
                tokio::time::sleep(POLL_INTERVAL).await;
            }
        };
        tokio::pin!(purchases);
        loop {
            tokio::select! {
                () = &mut purchases => return,
                () = tokio::time::sleep(POLL_INTERVAL) => self.show_progress(request, began, true),
            }
        }
    }

    async fn purchase(&self, source: &dyn OrderSource, shopper_id: i64) {
        // The shopper may exist already.
        drop(self.inner.telegram.create_shopper(NewShopper {
            id: Some(shopper_id),
            first_name: Some(format!("Load {}", shopper_id - FIRST_SHOPPER_ID + 1)),
            ..NewShopper::default()
        }));
        let paid = match source.place(shopper_id).await {
            Ok(placed) => {
                let payment = self.inner.click.pay(&placed.order_id, &placed.amount).await;
                payment.is_ok_and(|payment| payment.is_paid()).then_some(placed.order_id)
            }
            Err(problem) => {
                tracing::debug!(problem, "the load could not place an order");
                None
            }
        };
        self.with(|state| match paid {
            Some(order_id) => state.paid.push(order_id),
            None => state.failed += 1,
        });
    }

    fn notified(&self) -> usize {
        self.with(|state| state.paid.iter().filter(|order_id| self.inner.trace.is_notified(order_id)).count())
    }

    fn show_progress(&self, request: LoadRequest, began: (Instant, i64), is_running: bool) {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let (paid, failed) = self.with(|state| (state.paid.len(), state.failed));
        let progress = LoadProgress {
            wanted: request.purchases,
            paid: count(paid),
            failed,
            notified: count(self.notified()),
            is_running,
            started_at_ms: began.1,
            elapsed_ms: u64::try_from(began.0.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        self.inner.dashboard.show("load", json!(progress));
    }

    fn order_source(&self) -> Result<Arc<dyn OrderSource>, LoadError> {
        self.with(|state| state.order_source.clone()).ok_or(LoadError::NoOrderSource)
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.inner.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
