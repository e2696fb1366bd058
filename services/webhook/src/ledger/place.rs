//! Where a ledger is.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use tolov_kit::secret::{Secret, redact_url};

/// The engine that keeps the ledger, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerPlace {
    /// SQLite.
    File(PathBuf),
    /// The address of a PostgreSQL database, which may hold a password.
    Postgres(Secret),
}

/// Without the password.
impl fmt::Display for LedgerPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(formatter),
            Self::Postgres(url) => formatter.write_str(&redact_url(url.expose())),
        }
    }
}

impl From<PathBuf> for LedgerPlace {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl From<&PathBuf> for LedgerPlace {
    fn from(path: &PathBuf) -> Self {
        Self::File(path.clone())
    }
}

impl From<&Path> for LedgerPlace {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl From<&Self> for LedgerPlace {
    fn from(place: &Self) -> Self {
        place.clone()
    }
}
