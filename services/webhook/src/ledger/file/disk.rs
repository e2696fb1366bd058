//! The disk that the ledger is on.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use super::open::beside;

/// Free space and the size of the WAL, as last measured.
#[derive(Debug)]
pub(crate) struct Disk {
    ledger: PathBuf,
    free_bytes: AtomicU64,
}

impl Disk {
    /// Measures once: what cannot be measured counts as free, and is logged.
    pub(crate) fn of(ledger: &Path) -> Self {
        let disk = Self { ledger: ledger.to_owned(), free_bytes: AtomicU64::new(u64::MAX) };
        disk.measure();
        disk
    }

    pub(crate) fn free_bytes(&self) -> u64 {
        self.free_bytes.load(Ordering::Relaxed)
    }

    /// Measures anew and sets the gauges. Blocks for as long as the disk does.
    pub(crate) fn measure(&self) {
        match rustix::fs::statvfs(&self.ledger) {
            Ok(disk) => {
                let free_bytes = disk.f_bavail.saturating_mul(disk.f_frsize);
                self.free_bytes.store(free_bytes, Ordering::Relaxed);
                gauge("tolov_ledger_disk_free_bytes", free_bytes);
            }
            Err(error) => tracing::warn!(%error, "cannot measure the free space of the ledger's disk"),
        }
        let wal = std::fs::metadata(beside(&self.ledger, "-wal")).map_or(0, |file| file.len());
        gauge("tolov_ledger_wal_bytes", wal);
    }
}

/// In steps of a kibibyte, and up to 4 TiB.
#[expect(clippy::float_arithmetic, reason = "a gauge is a float")]
fn gauge(name: &'static str, bytes: u64) {
    let kibibytes = u32::try_from(bytes >> 10).unwrap_or(u32::MAX);
    metrics::gauge!(name).set(f64::from(kibibytes) * 1024.0);
}
