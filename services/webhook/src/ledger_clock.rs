//! The time by which a ledger is written. Processes that share a ledger on a server share the server's clock: an order that
//! one of them registered expires by another one's time, and their machines' clocks may differ.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use time::OffsetDateTime;
use tolov_kit::clock::Clock;

use crate::ledger::{Ledger, LedgerError};

/// The machine's clock may differ by so much before somebody is called.
const TOLERANCE: time::Duration = time::Duration::minutes(1);
/// By less the two readings may differ for the time that they take.
const PRECISION: time::Duration = time::Duration::seconds(1);
/// What took longer says nothing of a clock; the next round asks again.
const READING_MAX: Duration = Duration::from_secs(1);

/// The clock of the ledger's server as it was read last, and the time that has passed since. The machine's own clock where
/// there is no server, or it has not been asked.
#[derive(Debug)]
pub(crate) struct LedgerClock {
    own: Arc<dyn Clock>,
    server: Mutex<Option<Reading>>,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    server: OffsetDateTime,
    own: OffsetDateTime,
    monotonic: Duration,
}

/// What a look at the server's clock has shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Compared {
    /// By how much more than is tolerated the machine's clock is ahead of it, or behind where that is negative; or zero.
    pub(crate) apart: time::Duration,
    /// The ledger goes by it from now on.
    pub(crate) is_first: bool,
}

impl LedgerClock {
    pub(crate) const fn new(own: Arc<dyn Clock>) -> Self {
        Self { own, server: Mutex::new(None) }
    }

    /// Reads the server's clock. To be called at the start and every few seconds. `None`: it says nothing.
    pub(crate) async fn compare(&self, ledger: &Ledger) -> Result<Option<Compared>, LedgerError> {
        if !self.own.is_real() {
            return Ok(None);
        }
        let (own, began_at) = (self.own.now(), self.own.monotonic());
        let Some(server) = ledger.server_time().await? else { return Ok(None) };
        let took = self.own.monotonic().saturating_sub(began_at);
        if took > READING_MAX {
            tracing::debug!(
                took_ms = took.as_millis(),
                "the clock of the ledger's server was read too slowly"
            );
            return Ok(None);
        }
        let reading = Reading { server, own: own + took / 2, monotonic: began_at + took / 2 };
        let mut known = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = known.is_none();
        // While the two run alike, the time goes on evenly.
        if known.is_none_or(|known| (known.at(reading.own, reading.monotonic) - server).abs() > PRECISION) {
            *known = Some(reading);
        }
        drop(known);
        let ahead = reading.own - server;
        let apart = if ahead.abs() > TOLERANCE { ahead } else { time::Duration::ZERO };
        Ok(Some(Compared { apart, is_first }))
    }
}

impl Reading {
    /// On a machine that slept the monotonic clock stood still, and a clock that was set back has lost what passed: the longer
    /// of the two is right. By a clock that was set forward a thing is dated too late until the next look, and expires no sooner
    /// for it.
    fn at(self, own: OffsetDateTime, monotonic: Duration) -> OffsetDateTime {
        let passed = monotonic.saturating_sub(self.monotonic).try_into().unwrap_or(time::Duration::MAX);
        self.server.saturating_add((own - self.own).max(passed))
    }
}

impl Clock for LedgerClock {
    fn now(&self) -> OffsetDateTime {
        let (own, monotonic) = (self.own.now(), self.own.monotonic());
        let known = *self.server.lock().unwrap_or_else(PoisonError::into_inner);
        let now = known.map_or(own, |known| known.at(own, monotonic));
        now.replace_millisecond(now.millisecond()).unwrap_or(now)
    }

    fn monotonic(&self) -> Duration {
        self.own.monotonic()
    }
}
