//! The ledger's file: its rights, its SQLite, and every rule that a backup is checked by.

use std::path::Path;

use tempfile::NamedTempFile;
use tolov_webhook::ledger::backup;

use super::{report::Finding, settings::is_open_to_all};

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
    if tolov_webhook::ledger::restore::is_unfinished(ledger) {
        findings.push(Finding::bad("half-restored").with("path", path));
        return findings;
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
    findings
}
