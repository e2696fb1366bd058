//! A ledger that was put back from a backup may have lost a Complete: until CLICK was asked for it, a new Prepare could let
//! somebody pay a second time.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// CLICK repeats nothing for ever, and the shop has to sell: after this Prepares are let in, whoever was asked.
const CLOSED_MAX: Duration = Duration::from_mins(15);
/// How often the ledger is asked meanwhile: the reconciler tells one process, and there may be several.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Whether Prepares wait, since a start on a restored ledger, until CLICK was asked for what it lost. By the time that passes
/// ([`tolov_kit::clock::Clock::monotonic`]): a clock that is set opens nothing and keeps nobody waiting.
#[derive(Debug)]
pub(crate) struct RestoreGate {
    is_closed: AtomicBool,
    closed_until: Duration,
    next_look: Mutex<Duration>,
}

impl RestoreGate {
    pub(crate) fn new(is_closed: bool, now: Duration) -> Self {
        if is_closed {
            tracing::warn!(
                "the ledger is a restored copy: Prepares wait until the reconciler has asked CLICK for what it lost, \
                 15 minutes at most"
            );
        }
        Self {
            is_closed: AtomicBool::new(is_closed),
            closed_until: now + CLOSED_MAX,
            next_look: Mutex::new(now),
        }
    }

    pub(crate) fn is_closed(&self, now: Duration) -> bool {
        if !self.is_closed.load(Ordering::Relaxed) {
            return false;
        }
        if now < self.closed_until {
            return true;
        }
        if self.is_closed.swap(false, Ordering::Relaxed) {
            tracing::error!(
                "nobody has asked CLICK for what the restored ledger lost; Prepares are let in all the same"
            );
        }
        false
    }

    /// Whether it is time to ask the ledger if another process was told. `true` once a second.
    pub(crate) fn is_look_due(&self, now: Duration) -> bool {
        let mut next_look = self.next_look.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = now >= *next_look;
        if is_due {
            *next_look = now + LOOK_EVERY;
        }
        is_due
    }

    pub(crate) fn open(&self) {
        if self.is_closed.swap(false, Ordering::Relaxed) {
            tracing::info!("Prepares are let in");
        }
    }
}
