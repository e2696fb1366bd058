//! What the service believes to be the time: its clock, without what it was set forward by of late.

use std::{sync::Arc, time::Duration};

use tokio::sync::{Mutex, MutexGuard};
use tolov_domain::time::Timestamp;
use tolov_kit::{clock::Clock, clock_watch::ClockWatch};

use crate::ledger::{Ledger, LedgerError};

const NOTED_EVERY: Duration = Duration::from_mins(5);
/// After this a clock that was set forward is believed: an alert has called somebody by then.
const BELIEVED_AFTER: Duration = Duration::from_hours(24);

/// Clones share it.
#[derive(Debug, Clone)]
pub struct BelievedTime {
    ledger: Ledger,
    clock: Arc<dyn Clock>,
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
        let watch = ClockWatch::new(clock.as_ref(), longest_limit.max(BELIEVED_AFTER));
        Self { ledger, clock, state: Arc::new(Mutex::new(State { watch, noted: Noted::Unread })) }
    }

    /// The time by which days end. It is behind for a day after the clock was set forward; then it catches up.
    pub async fn now(&self) -> Result<Timestamp, LedgerError> {
        Ok(self.look().await?.watch.unless_set(BELIEVED_AFTER))
    }

    /// What was written at this moment or before is older than `limit`. `None`: before every date.
    pub(crate) async fn older_than(&self, limit: Duration) -> Result<Option<Timestamp>, LedgerError> {
        Ok(self.look().await?.watch.older_than(limit))
    }

    /// Reads the clock, and has the ledger remember the time. Nothing is believed before the ledger has said what an earlier
    /// process believed.
    async fn look(&self) -> Result<MutexGuard<'_, State>, LedgerError> {
        let mut state = self.state.lock().await;
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
        state.watch.look(self.clock.as_ref());
        let note = state.watch.note();
        let time = note.believed;
        if noted.is_none_or(|noted| (time - noted).unsigned_abs() >= NOTED_EVERY) {
            self.ledger.note_clock(note).await?;
            state.noted = Noted::At(Some(time));
        }
        Ok(state)
    }
}
