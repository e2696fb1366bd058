//! What a process that is killed could still write down.

use std::path::{Path, PathBuf};

/// What the killed process could still write down: names of messages, one a line.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Note {
    Confirmed,
    /// Written before the verdict is given.
    Settling,
    /// Written when the verdict was taken.
    Done,
}

impl Note {
    pub(crate) fn path(self, folder: &Path) -> PathBuf {
        folder.join(match self {
            Self::Confirmed => "confirmed",
            Self::Settling => "settling",
            Self::Done => "done",
        })
    }
}
