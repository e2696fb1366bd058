//! Logs once that a peer went away, and once that it is back.

use std::{
    fmt::Display,
    sync::atomic::{AtomicBool, Ordering},
};

/// Whether a peer answered the last time it was asked.
#[derive(Debug)]
pub struct Availability {
    peer: &'static str,
    away: AtomicBool,
}

impl Availability {
    pub const fn new(peer: &'static str) -> Self {
        Self { peer, away: AtomicBool::new(false) }
    }

    /// Logs the first failure in a row.
    pub fn mark_down(&self, error: impl Display) {
        if !self.away.swap(true, Ordering::Relaxed) {
            tracing::warn!(peer = self.peer, %error, "{} is away; trying again until it is back", self.peer);
        }
    }

    pub fn mark_up(&self) {
        if self.away.swap(false, Ordering::Relaxed) {
            tracing::warn!(peer = self.peer, "{} is back", self.peer);
        }
    }

    /// What a call to the peer came back with.
    pub fn mark<E: Display>(&self, answer: Result<(), E>) {
        match answer {
            Ok(()) => self.mark_up(),
            Err(error) => self.mark_down(error),
        }
    }

    pub fn is_down(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }
}
