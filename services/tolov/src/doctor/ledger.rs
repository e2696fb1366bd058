//! The ledger: the rights of its file, its engine, every rule that a backup is checked by, and the age of the last backup.

use std::path::Path;

use tempfile::NamedTempFile;
use tolov_kit::{
    clock::{Clock, SystemClock},
    secret::Secret,
};
use tolov_webhook::ledger::{LedgerPlace, backup, diagnosis::diagnose};

use super::{report::Finding, settings::is_open_to_all};
use crate::{backup::last_backup, data_folder::DataFolder};

/// A day, and time for a backup that is late.
const BACKUP_AGE_MAX_H: i64 = 36;

pub(super) async fn check(data: &DataFolder) -> Vec<Finding> {
    match data.ledger() {
        LedgerPlace::File(path) => check_file(path).await,
        LedgerPlace::Postgres(url) => {
            let mut findings = check_postgres(data.ledger(), url).await;
            if let Err(forgotten) = data.refuse_forgotten_file() {
                findings.push(Finding::bad("files-locked").with("detail", forgotten));
            }
            findings
        }
    }
}

async fn check_postgres(place: &LedgerPlace, url: &Secret) -> Vec<Finding> {
    let found = match diagnose(url).await {
        Ok(found) => found,
        Err(error) => return vec![Finding::bad("postgres-away").with("path", place).with("detail", error)],
    };
    let mut findings =
        vec![Finding::good("postgres-good").with("version", &found.version).with("path", place)];
    if !found.unsafe_settings.is_empty() {
        let settings = found.unsafe_settings.join(", ");
        findings.push(Finding::bad("postgres-unsafe").with("settings", settings));
    }
    if found.is_replica {
        findings.push(Finding::bad("postgres-replica").with("path", place));
    }
    if let Some(why) = &found.closed {
        findings.push(Finding::bad("postgres-closed").with("path", place).with("detail", why));
    }
    findings.push(match (found.ledger, found.broken) {
        (_, Some((rule, order))) => Finding::bad("postgres-rule").with("rule", rule).with("order", order),
        (Some(summary), None) => good(&summary),
        (None, None) => Finding::good("ledger-not-yet").with("path", place),
    });
    if !found.is_kept_elsewhere {
        findings.push(Finding::doubtful("postgres-alone"));
    }
    findings
}

fn good(summary: &backup::Summary) -> Finding {
    Finding::good("ledger-good")
        .with("orders", summary.orders)
        .with("paid", summary.paid)
        .with("unsent", summary.unsent)
}

async fn check_file(ledger: &Path) -> Vec<Finding> {
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
        Ok(summary) => good(&summary),
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
