//! Putting a backup in the place of what is there now. What is replaced is kept beside it.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use tolov_bot::ReceiptDefaults;
use tolov_domain::time::Timestamp;
use tolov_embedded::backup as stores;
use tolov_kit::{
    clock::{Clock, SystemClock},
    env::Env,
};
use tolov_shop::order::{ORDER_NUMBERS, ORDERS};
use tolov_webhook::ledger::{
    LedgerPlace,
    backup::Summary,
    restore::{Place, Restore, numbers_of},
};

use super::{
    archive, examine,
    paid_since::Known,
    replaced,
    report::{Done, LEFT_OUT, report, report_ledger},
    take_over::{RestoredLedger, take_over},
    unpacking_folder,
};
use crate::{
    adapters::{BusAddress, Embedded, ShopAddress},
    cli,
    commands::journal::Journal,
    data_folder::{
        DataFolder, DataLock, Part, SIDE_FILES, folder_of, give_to_owner_of, sync_folder, with_ending,
    },
};

/// What is restored, and what is asked first.
struct Plan {
    data: DataFolder,
    parts: Vec<Part>,
    bus: BusAddress,
    shop: ShopAddress,
    since: cli::SinceBackup,
    /// The shop has CLICK make receipts.
    receipts: Option<ReceiptDefaults>,
}

/// A copy that is ready, and where it goes.
struct Move {
    ready: PathBuf,
    target: PathBuf,
    aside: PathBuf,
}

pub(crate) async fn run(env: &Env, options: &cli::Restore) -> Result<()> {
    let parts = if options.only.is_empty() { Part::ALL.to_vec() } else { options.only.clone() };
    let plan = Plan::from_env(env, parts, options.since);
    env.finish()?;
    let file = &options.file;
    ensure!(file.exists(), "there is no {}", file.display());
    plan.data.refuse_second_ledger()?;
    let lock = plan.data.seize(&Part::ALL)?;
    let place = plan.data.file(Part::Ledger).map(Place::take).transpose()?;
    let work = unpacking_folder(folder_of(plan.data.ledger_path()))?;
    let note = archive::unpack(file, work.path(), options.identity.as_deref())?;
    let summary = examine(work.path(), &note.parts).await?;
    Journal::beside(plan.data.ledger_path())
        .record("restore", json!({ "file": file, "made_at": note.made_at.to_string() }))?;
    ensure!(
        note.parts.iter().any(|part| plan.parts.contains(part) && plan.data.file(*part).is_some()),
        "nothing of {} has a place here: {LEFT_OUT}",
        file.display()
    );
    let done = plan.restore(place.as_ref(), &lock, work.path(), &note, summary).await?;
    report(file, &done);
    Ok(())
}

/// `tolov ledger restored`: what a restore of a file does beyond putting it back, for a database that PostgreSQL's own tools
/// have put back to an earlier time.
pub(crate) async fn restored(env: &Env, made_at: cli::Moment, since: cli::SinceBackup) -> Result<()> {
    let plan = Plan::from_env(env, vec![Part::Ledger], since);
    env.finish()?;
    let place = plan.data.ledger();
    ensure!(
        matches!(place, LedgerPlace::Postgres(_)),
        "LEDGER_URL is not set: `tolov restore` puts a file back and does all of this"
    );
    let made_at = made_at.before(SystemClock.now());
    let _lock = plan.data.share(&plan.data.existing_parts())?;
    Journal::beside(plan.data.ledger_path())
        .record("ledger restored", json!({ "place": place.to_string(), "made_at": made_at.to_string() }))?;
    let ledger = plan.ready_ledger(None, place, made_at, None).await?;
    println!("{place} goes on as the ledger of {made_at}");
    report_ledger(&ledger, made_at);
    Ok(())
}

impl Plan {
    fn from_env(env: &Env, parts: Vec<Part>, since: cli::SinceBackup) -> Self {
        Self {
            data: DataFolder::from_env(env),
            parts,
            bus: BusAddress::from_env(env, Embedded::Allowed),
            shop: ShopAddress::from_env(env, Embedded::Allowed),
            since,
            receipts: ReceiptDefaults::from_env(env),
        }
    }

    async fn restore(
        &self,
        place: Option<&Place>,
        lock: &DataLock,
        work: &Path,
        note: &archive::Note,
        summary: Option<Summary>,
    ) -> Result<Done> {
        let now = SystemClock.now();
        let mut done = Done {
            made_at: note.made_at,
            ledger: None,
            asked: None,
            last_order_number: None,
            kept: Vec::new(),
            left_out: Vec::new(),
            is_in_postgres: self.data.is_ledger_in_postgres(),
        };
        let (mut holds, mut moves) = (Vec::new(), Vec::new());
        for part in &note.parts {
            let target = self.data.file(*part).filter(|_| self.parts.contains(part));
            let Some(target) = target else {
                done.left_out.push(*part);
                continue;
            };
            let copy = work.join(part.file_name());
            match part {
                Part::Ledger => {
                    let place = place.context("the ledger is in PostgreSQL")?;
                    let summary = summary.context("the ledger of the backup was not examined")?;
                    let copy = LedgerPlace::from(&copy);
                    done.asked = replaced::find(place.path())?;
                    let asked = done.asked.as_deref();
                    done.ledger = Some(self.ready_ledger(asked, &copy, note.made_at, Some(summary)).await?);
                }
                Part::Bus => holds.push(stores::hold(folder_of(target))?),
                Part::Shop => {
                    let age = std::time::Duration::try_from(now - note.made_at).unwrap_or_default();
                    done.last_order_number =
                        Some(stores::skip_numbers(&copy, ORDER_NUMBERS, ORDERS, age).await?);
                }
            }
            moves.push(Move::prepare(&copy, target, now)?);
        }
        replace(place, lock, &moves)?;
        if let (Some(asked), Some(ledger)) = (&mut done.asked, &done.ledger) {
            if let Some(moved) = moves.iter().find(|moved| moved.target == *asked) {
                asked.clone_from(&moved.aside);
            }
            if ledger.unreadable.is_empty() {
                replaced::mark_asked(asked)?;
            }
        }
        done.kept = moves.into_iter().map(|moved| moved.aside).collect();
        Ok(done)
    }

    /// Lifts the numbers of a copy, or of a database that is one, above those that were given out since, and takes back what
    /// others know to be paid: before the copy is in its place, so that no Prepare comes in between.
    async fn ready_ledger(
        &self,
        replaced: Option<&Path>,
        copy: &LedgerPlace,
        made_at: Timestamp,
        summary: Option<Summary>,
    ) -> Result<RestoredLedger> {
        let last_numbers = match replaced {
            Some(path) => numbers_of(path).await,
            None => None,
        };
        let restore = Restore {
            at: SystemClock.now(),
            backup_made_at: made_at,
            replaced: last_numbers,
            beyond_click_int: self.since.beyond_click_int,
        };
        let mut known = if self.since.stores_lost {
            Known::of_nobody(self.receipts.as_ref())
        } else {
            Known::ask(&self.bus, &self.shop, self.receipts.as_ref()).await.context(
                "nothing was restored, because it cannot be known which orders were paid since the backup. Start the \
                 broker and the shop store and stop the projector, or restore with --stores-lost when both are lost as well",
            )?
        };
        if known.unread() > 0 && !self.since.despite_unread_events {
            let unread = known.unread();
            known.close().await;
            bail!(
                "nothing was restored: {unread} events of payments wait on the bus for another try and cannot be read yet. \
                 Repeat in some minutes (10 at most) with the projector stopped, or restore with \
                 --despite-unread-events and run `tolov audit` when they have been read"
            );
        }
        let taken = take_over(&mut known, replaced, copy, restore, summary).await;
        known.close().await;
        taken
    }
}

impl Move {
    /// Brings a copy to the disk of its target, with the owner of the file that it will replace.
    fn prepare(copy: &Path, target: &Path, now: Timestamp) -> Result<Self> {
        let aside = replaced::aside_of(target, now)?;
        ensure!(!aside.exists(), "{} exists already; try again", aside.display());
        let ready = with_ending(target, ".restored");
        fs::copy(copy, &ready).with_context(|| format!("cannot write {}", ready.display()))?;
        fs::set_permissions(&ready, fs::Permissions::from_mode(0o600))?;
        give_to_owner_of(target, &ready)?;
        File::open(&ready)?.sync_all()?;
        Ok(Self { ready, target: target.to_owned(), aside })
    }

    /// Renames, each of which can be repeated after a crash. The files that SQLite keeps beside a database belong to the
    /// one that is replaced and must never meet the new one.
    fn make(&self) -> Result<()> {
        for ending in ["", SIDE_FILES[0], SIDE_FILES[1]] {
            match fs::rename(with_ending(&self.target, ending), with_ending(&self.aside, ending)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        fs::rename(&self.ready, &self.target)?;
        sync_folder(folder_of(&self.target))
    }
}

/// While the marks are there nothing opens the files: between two renames a file is neither the old nor the new one.
fn replace(place: Option<&Place>, lock: &DataLock, moves: &[Move]) -> Result<()> {
    lock.mark()?;
    // Releases before the mark of the folder look at this one.
    let ledgers_mark = place.map(Place::unfinished_mark);
    if let Some(mark) = &ledgers_mark {
        File::create(mark).with_context(|| format!("cannot write {}", mark.display()))?;
        sync_folder(folder_of(mark))?;
    }
    for step in moves {
        step.make().with_context(|| {
            format!("{} could not be replaced; run `tolov restore` again", step.target.display())
        })?;
    }
    if let Some((place, mark)) = place.zip(ledgers_mark) {
        give_to_owner_of(place.path(), &place.lock_path())?;
        fs::remove_file(&mark)?;
        sync_folder(folder_of(&mark))?;
    }
    lock.unmark()
}
