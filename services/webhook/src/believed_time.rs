//! What the service believes to be the time: its clock, without what it was set forward by of late.

use std::{sync::Arc, time::Duration};

use tokio::sync::{Mutex, MutexGuard};
use tolov_domain::time::Timestamp;
use tolov_kit::{clock::Clock, clock_watch::ClockWatch};

use crate::{
    ledger::{Ledger, LedgerError},
    ledger_clock::LedgerClock,
};

const NOTED_EVERY: Duration = Duration::from_mins(5);
/// After this a clock that was set forward is believed: an alert has called somebody by then.
const BELIEVED_AFTER: Duration = Duration::from_hours(24);

/// Clones share it.
#[derive(Debug, Clone)]
pub struct BelievedTime {
    ledger: Ledger,
    clock: Arc<LedgerClock>,
    longest_limit: Duration,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    watch: ClockWatch,
    noted: Noted,
}

/// When the ledger was last told the time.
#[derive(Debug, Clone, Copy)]
enum Noted {
    /// Not since the start: the service before this one may have noted a time.
    Unread,
    At(Option<Timestamp>),
}

impl BelievedTime {
    /// `longest_limit`: of the limits that [`BelievedTime::older_than`] will be asked for.
    pub fn new(ledger: Ledger, clock: Arc<dyn Clock>, longest_limit: Duration) -> Self {
        let longest_limit = longest_limit.max(BELIEVED_AFTER);
        let clock = Arc::new(LedgerClock::new(clock));
        let watch = ClockWatch::new(&*clock, longest_limit);
        let state = Arc::new(Mutex::new(State { watch, noted: Noted::Unread }));
        Self { ledger, clock, longest_limit, state }
    }

    /// By which everything in the ledger is dated.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::<LedgerClock>::clone(&self.clock)
    }

    /// Has the clock go by that of the ledger's server before the first order is dated by it.
    pub(crate) async fn begin(&self) {
        if let Err(error) = self.compare(&mut *self.state.lock().await).await {
            tracing::warn!(
                error = error.chain(),
                "the ledger's clock could not be read; maintenance tries again"
            );
        }
    }

    /// The time by which days end. It is behind for a day after the clock was set forward; then it catches up.
    pub async fn now(&self) -> Result<Timestamp, LedgerError> {
        Ok(self.look().await?.watch.unless_set(BELIEVED_AFTER))
    }

    /// What was written at this moment or before is older than `limit`. `None`: before every date.
    pub(crate) async fn older_than(&self, limit: Duration) -> Result<Option<Timestamp>, LedgerError> {
        Ok(self.look().await?.watch.older_than(limit))
    }

    async fn compare(&self, state: &mut State) -> Result<(), LedgerError> {
        let Some(compared) = self.clock.compare(&self.ledger).await? else { return Ok(()) };
        if compared.is_first {
            // That another clock is gone by from here on is no jump of it.
            state.watch = ClockWatch::new(&*self.clock, self.longest_limit);
            state.noted = Noted::Unread;
        }
        state.watch.stands_apart(compared.apart);
        Ok(())
    }

    /// Reads the clock, and has the ledger remember the time. Nothing is believed before the ledger has said what an earlier
    /// process believed.
    async fn look(&self) -> Result<MutexGuard<'_, State>, LedgerError> {
        let mut state = self.state.lock().await;
        self.compare(&mut state).await?;
        let noted = match state.noted {
            Noted::At(noted) => noted,
            Noted::Unread => {
                let note = self.ledger.clock_note().await?;
                if let Some(note) = &note {
                    state.watch.compare_with(note, NOTED_EVERY);
                }
                let noted = note.map(|note| note.believed);
                state.noted = Noted::At(noted);
                noted
            }
        };
        state.watch.look(&*self.clock);
        let note = state.watch.note();
        let time = note.believed;
        if noted.is_none_or(|noted| (time - noted).unsigned_abs() >= NOTED_EVERY) {
            self.ledger.note_clock(note).await?;
            state.noted = Noted::At(Some(time));
        }
        Ok(state)
    }
}
