//! The power fails: what a process wrote and did not sync is gone, or there in part. Every payment that was answered must be
//! in the ledger that is found afterwards.
//!
//! A preloaded library (`recorder.c`) records the writes and syncs of a real process; the disk is put together again as it
//! may have been at each moment.
#![expect(clippy::unwrap_used, reason = "tests")]

mod disk;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
};

use tolov_contract::random::Random;
use tolov_domain::{OrderId, ports::PortError};
use tolov_webhook::ledger::{Ledger, OrderStatus, UnverifiedLimits, backup};

use self::disk::{Disk, Record, records};

const PURCHASES: i64 = 120;
/// Disks that are put together for each moment, beside the one without anything that was not synced.
const GUESSES: u64 = 1;
/// Moments that are looked at.
const MOMENTS: usize = 100;

/// What a process wrote while it sold so much.
fn recorded(folder: &Path) -> Vec<Record> {
    let recorder = folder.join("recorder.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/power_loss/recorder.c");
    let built =
        Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&recorder).arg(source).status();
    assert!(built.unwrap().success(), "a C compiler is needed (cc)");
    let (data, log) = (folder.join("data"), folder.join("log"));
    std::fs::create_dir(&data).unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_ledger_workload"))
        .arg(&data)
        .arg(PURCHASES.to_string())
        .env("LD_PRELOAD", &recorder)
        .env("RECORD_FOLDER", &data)
        .env("RECORD_LOG", &log)
        .status();
    assert!(done.unwrap().success());
    records(&std::fs::read(log).unwrap())
}

/// The orders that were answered as paid and are not paid on this disk. An error: the ledger cannot even be opened.
fn lost(disk: &Disk, answered: &BTreeSet<i64>) -> Result<Vec<i64>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("payments.db");
    disk.write_to(folder.path());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let opened = Ledger::open(&path, UnverifiedLimits::default()).await;
        let (ledger, writer) = opened.map_err(|error| error.to_string())?;
        let mut lost = Vec::new();
        for order in answered {
            let id = OrderId::try_new(*order).unwrap();
            let found = ledger.order(id).await.map_err(|error| error.to_string())?;
            if found.is_none_or(|order| order.status != OrderStatus::Paid) {
                lost.push(*order);
            }
        }
        drop(ledger);
        writer.close().await;
        backup::examine(&path).await.map_err(|error| PortError::Refused(error.to_string()).to_string())?;
        Ok(lost)
    })
}

/// Calls with the disk of each moment at which an answer was given or something was synced, as far as they are looked at.
fn each_moment(records: &[Record], keeps_syncs: bool, mut look: impl FnMut(Disk, &BTreeSet<i64>)) {
    let of_interest = records.iter().filter(|record| record.is_moment()).count();
    let every = of_interest.div_ceil(MOMENTS).max(1);
    let (mut disk, mut answered, mut moments) = (Disk::default(), BTreeSet::new(), 0);
    let mut random = Random::new(7);
    for record in records {
        if keeps_syncs || !record.is_sync_of("payments.db-wal") {
            disk.apply(record);
        }
        answered.extend(record.answered());
        if !record.is_moment() || answered.is_empty() {
            continue;
        }
        moments += 1;
        if moments % every == 0 {
            look(disk.synced(), &answered);
            for _ in 0..GUESSES {
                look(disk.with_some_of_the_rest(&mut random), &answered);
            }
        }
    }
}

fn work() -> (tempfile::TempDir, Vec<Record>) {
    let folder = tempfile::tempdir().unwrap();
    let records = recorded(&folder.path().canonicalize().unwrap_or_else(|_| PathBuf::from(folder.path())));
    (folder, records)
}

#[test]
fn every_answered_payment_is_there_after_the_power_failed_at_any_moment() {
    let (_folder, records) = work();
    let mut looks = 0;
    each_moment(&records, true, |disk, answered| {
        assert_eq!(lost(&disk, answered), Ok(Vec::new()), "after {} answers", answered.len());
        looks += 1;
    });
    assert!(looks > 100, "{looks} disks were looked at");
    let answered: BTreeSet<i64> = records.iter().flat_map(Record::answered).collect();
    assert_eq!(answered, (1..=PURCHASES).collect(), "the whole workload was recorded");
}

#[test]
fn a_disk_that_does_not_sync_the_wal_is_found_out() {
    let (_folder, records) = work();
    let mut payments_lost = 0;
    each_moment(&records, false, |disk, answered| {
        payments_lost += lost(&disk, answered).map_or(1, |lost| lost.len());
    });
    assert!(payments_lost > 0);
}
