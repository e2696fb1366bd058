//! Many purchases at once, for the page's plot: orders from whoever registered a desk, paid by the pretend CLICK.

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
    board::Board,
    click::Click,
    hops::Hops,
    telegram::{NewShopper, Telegram},
};

/// Where orders come from when the page asks for one.
pub trait OrderDesk: Send + Sync + fmt::Debug {
    /// Puts down an order of the shopper and registers it for payment; the error is for the person at the page.
    fn place(&self, shopper_id: i64) -> BoxFuture<'_, Result<PlacedOrder, String>>;
}

/// An order that waits for its payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedOrder {
    pub order_id: String,
    pub shopper_id: i64,
    /// So'm, as the pay link has it.
    pub amount: String,
    pub payment_url: String,
}

/// How many purchases, and how many of them at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct LoadOrder {
    pub purchases: u32,
    #[serde(default = "usual_at_once")]
    pub at_once: u32,
}

const fn usual_at_once() -> u32 {
    16
}

/// How far a load is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LoadProgress {
    pub wanted: u32,
    pub paid: u32,
    pub failed: u32,
    /// Paid orders that a message to their shopper has named.
    pub told: u32,
    pub is_running: bool,
    pub started_at_ms: i64,
    pub elapsed_ms: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    #[error("nobody places orders here: start `tolov demo`, which does")]
    NoDesk,
    #[error("a load is running already: wait for it or stop it")]
    Running,
    #[error("from 1 to {MAX_PURCHASES} purchases, from 1 to {MAX_AT_ONCE} at once")]
    TooMany,
}

const MAX_PURCHASES: u32 = 10_000;
const MAX_AT_ONCE: u32 = 64;
/// The shoppers of a load are used again and again, so that the list of chats stays readable.
const SHOPPERS: i64 = 50;
const FIRST_SHOPPER_ID: i64 = 8_000_001;
/// After the last payment: how long the messages may take, Telegram's limits included.
const TELLING_PATIENCE: Duration = Duration::from_mins(10);
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Runs loads, one at a time: cheap to clone.
#[derive(Debug, Clone)]
pub struct Loads {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    click: Click,
    telegram: Telegram,
    hops: Hops,
    board: Board,
    clock: Arc<dyn Clock>,
    stopping: Stop,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    desk: Option<Arc<dyn OrderDesk>>,
    /// Ends the load that runs.
    running: Option<Stop>,
    paid: Vec<String>,
    failed: u32,
}

impl Loads {
    pub(crate) fn new(
        click: Click,
        telegram: Telegram,
        (hops, board): (Hops, Board),
        clock: Arc<dyn Clock>,
        stopping: Stop,
    ) -> Self {
        let state = Mutex::new(State::default());
        Self { inner: Arc::new(Inner { click, telegram, hops, board, clock, stopping, state }) }
    }

    /// Registers where orders come from.
    pub fn open_desk(&self, desk: Arc<dyn OrderDesk>) {
        self.with(|state| state.desk = Some(desk));
        self.inner.board.show("desk", json!(true));
    }

    /// One order of a shopper, for the page's button.
    pub async fn place(&self, shopper_id: i64) -> Result<Result<PlacedOrder, String>, LoadError> {
        let desk = self.desk()?;
        Ok(desk.place(shopper_id).await)
    }

    /// Starts a load; the board shows how far it is.
    pub fn start(&self, order: LoadOrder) -> Result<(), LoadError> {
        let desk = self.desk()?;
        if !(1..=MAX_PURCHASES).contains(&order.purchases) || !(1..=MAX_AT_ONCE).contains(&order.at_once) {
            return Err(LoadError::TooMany);
        }
        let stop = self.inner.stopping.child_token();
        self.with(|state| {
            if state.running.is_some() {
                return Err(LoadError::Running);
            }
            *state = State { desk: state.desk.take(), running: Some(stop.clone()), ..State::default() };
            Ok(())
        })?;
        let loads = self.clone();
        tokio::spawn(async move {
            let began = (Instant::now(), unix_ms(loads.inner.clock.now()));
            tokio::select! {
                () = loads.run(&*desk, order, began) => {}
                () = stop.cancelled() => {}
            }
            loads.with(|state| state.running = None);
            loads.show(order, began, false);
        });
        Ok(())
    }

    /// Ends the load that runs, if one does. Payments under way are broken off where they are.
    pub fn stop(&self) {
        if let Some(stop) = self.with(|state| state.running.clone()) {
            stop.cancel();
        }
    }

    async fn run(&self, desk: &dyn OrderDesk, order: LoadOrder, began: (Instant, i64)) {
        let purchases = async {
            let at_once = usize::try_from(order.at_once).unwrap_or(1);
            stream::iter(0..i64::from(order.purchases))
                .for_each_concurrent(at_once, |number| {
                    self.purchase(desk, FIRST_SHOPPER_ID + number % SHOPPERS)
                })
                .await;
            let patience = Instant::now() + TELLING_PATIENCE;
            while self.told() < self.with(|state| state.paid.len()) && Instant::now() < patience {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        tokio::pin!(purchases);
        loop {
            tokio::select! {
                () = &mut purchases => return,
                () = tokio::time::sleep(LOOK_EVERY) => self.show(order, began, true),
            }
        }
    }

    async fn purchase(&self, desk: &dyn OrderDesk, shopper_id: i64) {
        // Known already is as good as made.
        drop(self.inner.telegram.create_shopper(NewShopper {
            id: Some(shopper_id),
            first_name: Some(format!("Load {}", shopper_id - FIRST_SHOPPER_ID + 1)),
            ..NewShopper::default()
        }));
        let paid = match desk.place(shopper_id).await {
            Ok(placed) => {
                let payment = self.inner.click.pay(&placed.order_id, &placed.amount).await;
                payment.is_ok_and(|payment| payment.is_paid()).then_some(placed.order_id)
            }
            Err(problem) => {
                tracing::debug!(problem, "an order of the load was not placed");
                None
            }
        };
        self.with(|state| match paid {
            Some(order_id) => state.paid.push(order_id),
            None => state.failed += 1,
        });
    }

    fn told(&self) -> usize {
        self.with(|state| state.paid.iter().filter(|order_id| self.inner.hops.is_told(order_id)).count())
    }

    fn show(&self, order: LoadOrder, began: (Instant, i64), is_running: bool) {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let (paid, failed) = self.with(|state| (state.paid.len(), state.failed));
        let progress = LoadProgress {
            wanted: order.purchases,
            paid: count(paid),
            failed,
            told: count(self.told()),
            is_running,
            started_at_ms: began.1,
            elapsed_ms: u64::try_from(began.0.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        self.inner.board.show("load", json!(progress));
    }

    fn desk(&self) -> Result<Arc<dyn OrderDesk>, LoadError> {
        self.with(|state| state.desk.clone()).ok_or(LoadError::NoDesk)
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.inner.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
