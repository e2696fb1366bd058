//! When the last audit was made and what it found: a file beside the ledger, for the metrics of the process that has the
//! ledger open.

use std::{io::Write, path::Path};

use anyhow::Result;
use serde_json::{Value, json};
use tolov_domain::time::{Timestamp, from_unix_ms, unix_ms};

use crate::data_folder::{replace_beside, with_ending};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LastAudit {
    pub(crate) at: Timestamp,
    pub(crate) differences: u64,
}

const ENDING: &str = ".last-audit";

impl LastAudit {
    pub(super) fn record(self, ledger: &Path) -> Result<()> {
        let text = json!({ "at_ms": unix_ms(self.at), "differences": self.differences });
        replace_beside(ledger, ENDING, |file| file.write_all(text.to_string().as_bytes()))
    }

    /// `None`: there was none, as far as this folder knows.
    pub(crate) fn of(ledger: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(with_ending(ledger, ENDING)).ok()?;
        let read: Value = serde_json::from_str(&text).ok()?;
        Some(Self { at: from_unix_ms(read["at_ms"].as_i64()?), differences: read["differences"].as_u64()? })
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn the_last_audit_is_kept_beside_the_ledger() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = folder.path().join("payments.db");
        std::fs::write(&ledger, "").unwrap();
        assert_eq!(LastAudit::of(&ledger), None);
        for differences in [3, 0] {
            let audit = LastAudit { at: datetime!(2026-11-28 03:30 UTC), differences };
            audit.record(&ledger).unwrap();
            assert_eq!(LastAudit::of(&ledger), Some(audit));
        }
    }
}
