//! Says once that something is away, and once that it is back.

use std::{
    fmt::Display,
    sync::atomic::{AtomicBool, Ordering},
};

/// Whether the other side could be reached the last time.
#[derive(Debug)]
pub(crate) struct Reach {
    name: &'static str,
    away: AtomicBool,
}

impl Reach {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, away: AtomicBool::new(false) }
    }

    /// Takes note that it is away, and says whether it was before.
    pub(crate) fn lost(&self, error: impl Display) -> bool {
        let was_away = self.away.swap(true, Ordering::Relaxed);
        if !was_away {
            tracing::warn!(peer = self.name, %error, "{} is away; trying again until it is back", self.name);
        }
        was_away
    }

    pub(crate) fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    pub(crate) fn found(&self) {
        if self.away.swap(false, Ordering::Relaxed) {
            tracing::warn!(peer = self.name, "{} is back", self.name);
        }
    }
}
