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
/// What is dated this much after now was dated by a clock that was ahead.
const AHEAD_MS: i64 = 30 * 60 * 1_000;

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
    let (ledger, now) = (data.ledger_path(), SystemClock.now());
    let audit = LastAudit::of(ledger);
    // Of a ledger in PostgreSQL this program makes no backups, and its audits may be noted on another machine.
    if data.file(Part::Ledger).is_some() {
        gauge!("tolov_backup_age_seconds").set(age_s(last_backup::made_at(ledger), now));
    } else if audit.is_none() {
        return;
    }
    gauge!("tolov_audit_age_seconds").set(age_s(audit.map(|audit| audit.at), now));
    let differences = audit.map_or(0, |audit| audit.differences);
    gauge!("tolov_audit_differences").set(u32::try_from(differences).unwrap_or(u32::MAX));
}

/// Infinite where it never was, and where a clock that was ahead has dated it: it would look new for as long.
fn age_s(at: Option<Timestamp>, now: Timestamp) -> f64 {
    let age_ms = at.map(|at| unix_ms(now).saturating_sub(unix_ms(at)));
    age_ms
        .filter(|age_ms| *age_ms > -AHEAD_MS)
        .map_or(f64::INFINITY, |age_ms| f64::from(u32::try_from(age_ms.max(0) / 1_000).unwrap_or(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use time::{Duration, macros::datetime};

    use super::*;

    #[test]
    fn what_a_clock_that_was_ahead_has_dated_is_not_taken_for_new() {
        let now = datetime!(2026-11-30 12:00 UTC);
        let age_s = |after: Duration| age_s(Some(now + after), now);
        assert_eq!((age_s(-Duration::HOUR), age_s(Duration::MINUTE)), (3_600.0, 0.0));
        assert_eq!((age_s(Duration::HOUR), super::age_s(None, now)), (f64::INFINITY, f64::INFINITY));
    }
}
