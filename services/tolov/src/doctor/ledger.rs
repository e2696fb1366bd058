//! The ledger's file: its rights, its SQLite, every rule that a backup is checked by, and the age of the last backup.

use std::path::Path;

use tempfile::NamedTempFile;
use tolov_kit::clock::{Clock, SystemClock};
use tolov_webhook::ledger::backup;

use super::{report::Finding, settings::is_open_to_all};
use crate::backup::last_backup;

/// A day, and time for a backup that is late.
const BACKUP_AGE_MAX_H: i64 = 36;

pub(super) async fn check(ledger: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    let path = ledger.display();
    let folder = ledger.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if folder.exists()
        && let Err(error) = NamedTempFile::new_in(folder)
    {
        let unwritable = Finding::bad("folder-unwritable").with("path", folder.display());
        findings.push(unwritable.with("detail", error.kind()));
    }
    if !ledger.exists() {
        findings.push(Finding::good("ledger-not-yet").with("path", path));
        return findings;
    }
    if is_open_to_all(ledger) {
        findings.push(Finding::doubtful("ledger-open").with("path", path));
    }
    match backup::settings(ledger).await {
        Ok(sqlite) if !sqlite.is_safe => {
            findings.push(Finding::bad("sqlite-old").with("version", sqlite.version));
        }
        Ok(sqlite) => {
            let good = Finding::good("sqlite-good").with("version", sqlite.version);
            findings.push(good.with("journal", sqlite.journal_mode));
        }
        Err(error) => {
            findings.push(Finding::bad("ledger-bad").with("detail", error));
            return findings;
        }
    }
    findings.push(match backup::examine(ledger).await {
        Ok(summary) => Finding::good("ledger-good")
            .with("orders", summary.orders)
            .with("paid", summary.paid)
            .with("unsent", summary.unsent),
        Err(error) => Finding::bad("ledger-bad").with("detail", error),
    });
    findings.push(match last_backup::made_at(ledger) {
        None => Finding::doubtful("backup-none"),
        Some(made_at) => {
            let hours = (SystemClock.now() - made_at).whole_hours();
            let good = hours <= BACKUP_AGE_MAX_H;
            let found = if good { Finding::good("backup-good") } else { Finding::doubtful("backup-old") };
            found.with("hours", hours)
        }
    });
    findings
}
