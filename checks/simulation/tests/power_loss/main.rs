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
    sync::{Mutex, mpsc::sync_channel},
};

use tolov_contract::random::Random;
use tolov_domain::{OrderId, ports::PortError};
use tolov_webhook::ledger::{Ledger, OrderStatus, UnverifiedLimits, backup};

use self::disk::{Disk, Record, records};

/// Enough for a checkpoint. POWER_LOSS_PURCHASES: how many instead.
const PURCHASES: i64 = 160;
/// Disks that are put together for each sync, each with another part of what was not synced. POWER_LOSS_GUESSES: how many
/// instead.
const GUESSES: i64 = 1;

fn purchases() -> i64 {
    number_from("POWER_LOSS_PURCHASES", PURCHASES)
}

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
        .arg(purchases().to_string())
        .env("LD_PRELOAD", &recorder)
        .env("RECORD_FOLDER", &data)
        .env("RECORD_LOG", &log)
        .status();
    assert!(done.unwrap().success());
    records(&std::fs::read(log).unwrap())
}

/// The orders that were answered as paid and are not paid on this disk. An error: the ledger cannot even be opened.
fn lost(disk: &Disk, answered: &BTreeSet<i64>) -> Result<Vec<i64>, String> {
    // In memory where the machine offers that: this disk does not fail.
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
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

/// Calls with every disk that may be found: after each sync and each answer with nothing that was not synced, and before each
/// sync with any part of it.
fn each_disk(records: &[Record], keeps_syncs: bool, mut look: impl FnMut(Disk, BTreeSet<i64>)) {
    let (mut disk, mut answered) = (Disk::default(), BTreeSet::new());
    let mut random = Random::new(7);
    for record in records {
        if record.is_sync() && !answered.is_empty() {
            for _ in 0..number_from("POWER_LOSS_GUESSES", GUESSES) {
                look(disk.with_some_of_the_rest(&mut random), answered.clone());
            }
        }
        if keeps_syncs || !record.is_sync_of("payments.db-wal") {
            disk.apply(record);
        }
        answered.extend(record.answered());
        if record.is_moment() && !answered.is_empty() {
            look(disk.synced(), answered.clone());
        }
    }
}

/// Looks at every disk, several at once. Returns how many there were, and what is wrong with any of them.
fn wrong(records: &[Record], keeps_syncs: bool) -> (usize, Vec<String>) {
    let workers = 2 * std::thread::available_parallelism().map_or(2, usize::from);
    let (disks, found) = sync_channel::<(Disk, BTreeSet<i64>)>(workers);
    let (found, wrong) = (Mutex::new(found), Mutex::new(Vec::new()));
    let mut looks = 0;
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let next = found.lock().unwrap().recv();
                    let Ok((disk, answered)) = next else { return };
                    let lost = lost(&disk, &answered);
                    if lost != Ok(Vec::new()) {
                        wrong.lock().unwrap().push(format!("after {} answers: {lost:?}", answered.len()));
                    }
                }
            });
        }
        each_disk(records, keeps_syncs, |disk, answered| {
            looks += 1;
            disks.send((disk, answered)).unwrap();
        });
        drop(disks);
    });
    (looks, wrong.into_inner().unwrap())
}

fn number_from(variable: &str, usual: i64) -> i64 {
    std::env::var(variable).map_or(usual, |number| number.parse().unwrap())
}

fn work() -> (tempfile::TempDir, Vec<Record>) {
    let folder = tempfile::tempdir().unwrap();
    let records = recorded(&folder.path().canonicalize().unwrap_or_else(|_| PathBuf::from(folder.path())));
    (folder, records)
}

#[test]
fn every_answered_payment_is_there_after_the_power_failed_at_any_moment() {
    let (_folder, records) = work();
    let (looks, wrong) = wrong(&records, true);
    assert_eq!(wrong, Vec::<String>::new());
    let answered: BTreeSet<i64> = records.iter().flat_map(Record::answered).collect();
    assert_eq!(answered, (1..=purchases()).collect(), "the whole workload was recorded");
    assert!(looks > 2 * answered.len(), "{looks} disks were looked at");
    let first = records.iter().position(|record| !record.answered().is_empty()).unwrap();
    let is_checkpoint = |record: &Record| record.is_sync_of("payments.db");
    assert!(records[first..].iter().any(is_checkpoint), "no checkpoint was recorded: sell more");
}

#[test]
fn a_disk_that_does_not_sync_the_wal_is_found_out() {
    let (_folder, records) = work();
    // Whatever is lost once is lost later too.
    let (_, wrong) = wrong(&records[..records.len() / 2], false);
    assert!(!wrong.is_empty());
}
