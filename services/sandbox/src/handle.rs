//! What the control API does, for the process that the sandbox runs in.

use crate::{
    click::Click,
    load::LoadGenerator,
    monitor::{Dashboard, Trace},
    telegram::Telegram,
};

/// Cheap to clone, and usable after the sandbox has stopped, to read what happened.
#[derive(Debug, Clone)]
pub struct Handle {
    pub(crate) telegram: Telegram,
    pub(crate) click: Click,
    pub(crate) trace: Trace,
    pub(crate) dashboard: Dashboard,
    pub(crate) load: LoadGenerator,
}

impl Handle {
    pub fn telegram(&self) -> &Telegram {
        &self.telegram
    }

    pub fn click(&self) -> &Click {
        &self.click
    }

    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    pub fn dashboard(&self) -> &Dashboard {
        &self.dashboard
    }

    pub fn load(&self) -> &LoadGenerator {
        &self.load
    }

    /// Clears everything but the channels and the merchant's address.
    pub fn reset(&self) {
        self.load.stop();
        self.telegram.reset();
        self.click.reset();
        self.trace.reset();
    }
}
