//! The clock of the simulated processes: it follows tokio's simulated time, and can be set like any machine's.

use std::{
    convert::Infallible,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    time::Duration,
};

use time::{OffsetDateTime, macros::datetime};
use tokio::{
    runtime::{Builder, Runtime},
    time::Instant,
};
use tolov_kit::clock::Clock;

const START: OffsetDateTime = datetime!(2026-11-23 09:00 UTC);

/// Clones share the time.
#[derive(Debug, Clone, Default)]
pub struct SimulatedClock(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// While tokio's simulated time runs, when that was zero.
    running_since: Option<Instant>,
    passed: Duration,
    set_forward_by: time::Duration,
}

impl SimulatedClock {
    /// Runs `work` on the simulated time of the runtime that this is called in.
    pub async fn run<T>(&self, work: impl Future<Output = T>) -> T {
        {
            let mut state = self.state();
            let now = Instant::now();
            state.running_since = Some(now.checked_sub(state.passed).unwrap_or(now));
        }
        let done = work.await;
        let passed = self.monotonic();
        let mut state = self.state();
        (state.passed, state.running_since) = (passed, None);
        done
    }

    /// Sets the clock forward, or back.
    pub fn set_forward(&self, by: time::Duration) {
        self.state().set_forward_by += by;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> OffsetDateTime {
        let passed = self.monotonic();
        let now = START.saturating_add(self.state().set_forward_by) + passed;
        now.replace_millisecond(now.millisecond()).unwrap_or(now)
    }

    fn monotonic(&self) -> Duration {
        let state = self.state();
        state.running_since.map_or(state.passed, |since| since.elapsed())
    }

    fn is_real(&self) -> bool {
        false
    }
}

/// What a [`PatientRuntime`] waits at a time.
const TICK: Duration = Duration::from_millis(1);

/// For work that waits for threads of its own, as SQLite's: time passes while it waits, but none while the machine stands
/// still, however long that is. So no time limit ends because the simulation was not run.
#[derive(Debug)]
pub(crate) struct PatientRuntime {
    /// Dropped before the runtime, whose blocking task waits for that.
    _is_used: mpsc::Sender<Infallible>,
    runtime: Runtime,
}

impl PatientRuntime {
    pub(crate) fn new() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build()?;
        let (is_used, until_dropped) = mpsc::channel::<Infallible>();
        // While a blocking task runs, tokio does not move its paused time to the next timer.
        runtime.spawn_blocking(move || until_dropped.recv());
        Ok(Self { _is_used: is_used, runtime })
    }

    /// The same for work that keeps no time: none passes.
    pub(crate) fn block_at_once_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                done = work => done,
                never = pass_time() => match never {},
            }
        })
    }
}

async fn pass_time() -> Infallible {
    loop {
        // A task that was not run to its end has waited less; nothing else can go wrong with it.
        drop(tokio::task::spawn_blocking(|| std::thread::sleep(TICK)).await);
        tokio::time::advance(TICK).await;
    }
}
