//! The files in which a process that is killed records its progress.

use std::path::{Path, PathBuf};

/// A file of message names, one a line.
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
