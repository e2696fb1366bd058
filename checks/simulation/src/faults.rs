//! What goes wrong: processes that die at any call, calls that fail, answers that get lost, outages.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;
use tolov_contract::random::Random;
use tolov_domain::ports::PortError;
use tolov_kit::clock::Clock;

use crate::clock::SimulatedClock;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Process {
    Webhook,
    Projector,
    Bot,
    Reconciler,
}

/// What processes call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Store,
    Bus,
    Telegram,
    Merchant,
}

/// How often each happens at a call, in a thousand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rates {
    /// The process dies before the call, or after it took effect.
    pub crash: u64,
    /// The call has no effect.
    pub fail: u64,
    /// The call has its effect, and its answer is lost.
    pub lose: u64,
}

/// Clones share the state.
#[derive(Debug, Clone)]
pub struct Faults {
    state: Arc<Mutex<State>>,
    clock: SimulatedClock,
    crash: Arc<Notify>,
}

#[derive(Debug)]
struct State {
    random: Random,
    rates: Rates,
    /// Until when parts are out of order, on the monotonic clock.
    out_until: BTreeMap<Part, Duration>,
    crashed: BTreeSet<Process>,
    /// How often chance was asked, in the whole run.
    draws: u64,
}

impl Faults {
    pub fn new(clock: SimulatedClock) -> Self {
        let (random, rates) = (Random::new(0), Rates::default());
        let state = State { random, rates, out_until: BTreeMap::new(), crashed: BTreeSet::new(), draws: 0 };
        Self { state: Arc::new(Mutex::new(state)), clock, crash: Arc::default() }
    }

    /// From here on chance follows this seed.
    pub fn begin(&self, seed: u64, rates: Rates) {
        let mut state = self.state();
        (state.random, state.rates) = (Random::new(seed), rates);
    }

    pub fn out_for(&self, part: Part, time: Duration) {
        let until = self.clock.monotonic() + time;
        self.state().out_until.insert(part, until);
    }

    pub fn end_outages(&self) {
        self.state().out_until.clear();
    }

    pub fn draw<T>(&self, draw: impl FnOnce(&mut Random, Rates) -> T) -> T {
        let mut state = self.state();
        let rates = state.rates;
        state.draws += 1;
        draw(&mut state.random, rates)
    }

    /// Two runs that differ anywhere differ in this, as a rule.
    pub fn draws(&self) -> u64 {
        self.state().draws
    }

    /// What every call meets first: other tasks, the death of its process, a failure without effect.
    pub async fn before(&self, process: Process, part: Part) -> Result<(), PortError> {
        for _ in 0..self.draw(|random, _| random.below(3)) {
            tokio::task::yield_now().await;
        }
        if self.has_crashed(process) || self.draw(|random, rates| random.per_mille(rates.crash)) {
            self.die(process).await;
        }
        let is_out = self.state().out_until.get(&part).is_some_and(|until| *until > self.clock.monotonic());
        if is_out || self.draw(|random, rates| random.per_mille(rates.fail)) {
            return Err(PortError::Unavailable(format!("{part:?} is out of order")));
        }
        Ok(())
    }

    /// What every call meets once it has had its effect.
    pub async fn after(&self, process: Process) -> Result<(), PortError> {
        if self.has_crashed(process) || self.draw(|random, rates| random.per_mille(rates.crash)) {
            self.die(process).await;
        }
        if self.draw(|random, rates| random.per_mille(rates.lose)) {
            return Err(PortError::Unavailable("the answer was lost".to_owned()));
        }
        Ok(())
    }

    pub fn crash(&self, process: Process) {
        self.state().crashed.insert(process);
        self.crash.notify_waiters();
    }

    pub fn has_crashed(&self, process: Process) -> bool {
        self.state().crashed.contains(&process)
    }

    /// Resolves when the process has died.
    pub async fn death_of(&self, process: Process) {
        loop {
            let crash = self.crash.notified();
            tokio::pin!(crash);
            crash.as_mut().enable();
            if self.has_crashed(process) {
                return;
            }
            crash.await;
        }
    }

    /// The process may be started again. Returns whether it was dead.
    pub fn bury(&self, process: Process) -> bool {
        self.state().crashed.remove(&process)
    }

    async fn die(&self, process: Process) {
        self.crash(process);
        std::future::pending::<()>().await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
