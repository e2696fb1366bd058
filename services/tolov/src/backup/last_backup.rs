//! When the last good backup was made: the time of a file beside the ledger, for the metric of the process that has the
//! ledger open.

use std::{
    path::Path,
    time::{Duration, SystemTime},
};

use anyhow::Result;
use tolov_domain::time::{Timestamp, from_unix_ms, unix_ms};

use crate::data_folder::{replace_beside, with_ending};

const ENDING: &str = ".last-backup";

pub(super) fn record(ledger: &Path, made_at: Timestamp) -> Result<()> {
    let since_1970 = Duration::from_millis(u64::try_from(unix_ms(made_at)).unwrap_or(0));
    replace_beside(ledger, ENDING, |file| file.set_modified(SystemTime::UNIX_EPOCH + since_1970))
}

/// `None`: never, as far as this folder knows.
pub(crate) fn made_at(ledger: &Path) -> Option<Timestamp> {
    let modified = std::fs::metadata(with_ending(ledger, ENDING)).ok()?.modified().ok()?;
    let since_1970 = modified.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(from_unix_ms(i64::try_from(since_1970.as_millis()).ok()?))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn the_time_of_the_last_backup_is_kept_beside_the_ledger() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = folder.path().join("payments.db");
        assert_eq!(made_at(&ledger), None);
        for at in [datetime!(2026-11-28 03:30 UTC), datetime!(2026-11-29 03:30:01.5 UTC)] {
            record(&ledger, at).unwrap();
            assert_eq!(made_at(&ledger), Some(at));
        }
    }
}
