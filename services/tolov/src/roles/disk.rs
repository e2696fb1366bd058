//! Gauges of the embedded stores' files, of the last backup and of the last audit. Those of the ledger's disk are the webhook service's own.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use metrics::gauge;
use tolov_domain::time::{Timestamp, unix_ms};
use tolov_kit::{
    clock::{Clock, SystemClock},
    status::{Report, Status},
};

use crate::{
    audit::last_audit::LastAudit,
    backup::last_backup,
    data_folder::{DataFolder, Part, with_ending},
};

/// A disk that hangs must not hold up the other gauges.
const LOOK_TIMEOUT: Duration = Duration::from_secs(5);

/// Refreshes the gauges whenever the status page looks at its services.
pub(super) fn add_gauges(status: &mut Status, data: &DataFolder) {
    let stores: Vec<PathBuf> =
        [Part::Bus, Part::Shop].iter().filter_map(|part| data.file(*part)).map(Path::to_owned).collect();
    let data = data.clone();
    status.add(move || {
        let (stores, data) = (stores.clone(), data.clone());
        async move {
            let look = tokio::task::spawn_blocking(move || set_gauges(&stores, &data));
            if tokio::time::timeout(LOOK_TIMEOUT, look).await.is_err() {
                tracing::warn!("the disk did not answer within 5 s");
            }
            Report::default()
        }
    });
}

fn set_gauges(stores: &[PathBuf], data: &DataFolder) {
    for file in stores {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let wal = std::fs::metadata(with_ending(file, "-wal")).map_or(0, |metadata| metadata.len());
        gauge!("tolov_store_wal_bytes", "file" => name).set(u32::try_from(wal).unwrap_or(u32::MAX));
    }
    let ledger = data.ledger_path();
    let audit = LastAudit::of(ledger);
    // Of a ledger in PostgreSQL this program makes no backups, and its audits may be noted on another machine.
    if data.file(Part::Ledger).is_some() {
        gauge!("tolov_backup_age_seconds").set(age_s(last_backup::made_at(ledger)));
    } else if audit.is_none() {
        return;
    }
    gauge!("tolov_audit_age_seconds").set(age_s(audit.map(|audit| audit.at)));
    let differences = audit.map_or(0, |audit| audit.differences);
    gauge!("tolov_audit_differences").set(u32::try_from(differences).unwrap_or(u32::MAX));
}

/// Infinite where it never was.
fn age_s(at: Option<Timestamp>) -> f64 {
    at.map_or(f64::INFINITY, |at| {
        let age_ms = unix_ms(SystemClock.now()).saturating_sub(unix_ms(at)).max(0);
        f64::from(u32::try_from(age_ms / 1_000).unwrap_or(u32::MAX))
    })
}
