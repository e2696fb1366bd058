//! Putting a backup in the place of what is there now. What is replaced is kept beside it.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use time::macros::format_description;
use tolov_bot::ReceiptDefaults;
use tolov_domain::time::Timestamp;
use tolov_embedded::backup as stores;
use tolov_kit::{
    clock::{Clock, SystemClock},
    env::Env,
};
use tolov_shop::order::{ORDER_NUMBERS, ORDERS};
use tolov_webhook::ledger::{
    AdoptRefusal, KnownRefund, Ledger, LedgerPlace, Outcome, PaidOrder, UnverifiedLimits,
    backup::Summary,
    restore::{Place, Restore, ready},
    restored::{finish_postgres, ready_postgres},
};

use super::{archive, examine, paid_since::Known, told, unpacking_folder};
use crate::{
    adapters::{BusAddress, Embedded, ShopAddress},
    cli,
    commands::journal::Journal,
    data_folder::{
        DataFolder, DataLock, Part, SIDE_FILES, ensure_free, folder_of, give_to_owner_of, sync_folder,
        with_ending,
    },
};

/// What becomes of a file's backup where the ledger is in PostgreSQL.
const LEFT_OUT: &str = "the ledger is in PostgreSQL: put it back with pg_restore or from its WAL archive, then run `tolov ledger \
                        restored TIME`. A backup of a file: restore it without LEDGER_URL and with LEDGER_PATH in an empty folder, then `tolov ledger \
                        copy` it into an empty database";

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

/// What was done.
struct Done {
    made_at: Timestamp,
    ledger: Option<RestoredLedger>,
    last_order_number: Option<i64>,
    moves: Vec<Move>,
    left_out: Vec<Part>,
    is_in_postgres: bool,
}

#[derive(Default)]
struct RestoredLedger {
    summary: Option<Summary>,
    prepare_id_floor: i64,
    /// Paid since the backup and not in it: taken back, or a question to staff.
    adopted: Vec<(PaidOrder, Outcome<AdoptRefusal>)>,
    /// Money that went back since the backup.
    refunds: Vec<(KnownRefund, Outcome<AdoptRefusal>)>,
    /// How many refunds it had as open, which wait for staff now.
    open_refunds: usize,
    /// How many orders that wait for payment were not in it.
    registered: usize,
    unread: u64,
    unreadable: Vec<String>,
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
    ensure_free(work.path(), fs::metadata(file)?.len().saturating_mul(2))?;
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
            last_order_number: None,
            moves: Vec::new(),
            left_out: Vec::new(),
            is_in_postgres: self.data.is_ledger_in_postgres(),
        };
        let mut holds = Vec::new();
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
                    done.ledger =
                        Some(self.ready_ledger(Some(place), &copy, note.made_at, Some(summary)).await?);
                }
                Part::Bus => holds.push(stores::hold(folder_of(target))?),
                Part::Shop => {
                    let age = std::time::Duration::try_from(now - note.made_at).unwrap_or_default();
                    done.last_order_number =
                        Some(stores::skip_numbers(&copy, ORDER_NUMBERS, ORDERS, age).await?);
                }
            }
            done.moves.push(Move::prepare(&copy, target, now)?);
        }
        replace(place, lock, &done.moves)?;
        Ok(done)
    }

    /// Lifts the numbers of a copy, or of a database that is one, above those that were given out since, and takes back what
    /// others know to be paid: before the copy is in its place, so that no Prepare comes in between.
    async fn ready_ledger(
        &self,
        replaced: Option<&Place>,
        copy: &LedgerPlace,
        made_at: Timestamp,
        summary: Option<Summary>,
    ) -> Result<RestoredLedger> {
        let last_numbers = match replaced {
            Some(place) => place.last_numbers().await,
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
        known.ask_ledger(replaced.map(Place::path)).await;
        let taken = take_over(&mut known, copy, restore, summary).await;
        known.close().await;
        taken
    }
}

/// Lifts the numbers of the copy, and makes it know what others know.
async fn take_over(
    known: &mut Known,
    copy: &LedgerPlace,
    restore: Restore,
    summary: Option<Summary>,
) -> Result<RestoredLedger> {
    let prepare_id_floor = match copy {
        LedgerPlace::File(copy) => ready(copy, restore).await?,
        LedgerPlace::Postgres(url) => ready_postgres(url, restore).await?,
    };
    let unread = known.unread();
    let mut restored = RestoredLedger { summary, prepare_id_floor, unread, ..RestoredLedger::default() };
    restored.adopt(copy, known).await?;
    if let LedgerPlace::Postgres(url) = copy {
        finish_postgres(url).await?;
    }
    Ok(restored)
}

impl RestoredLedger {
    /// Makes the copy of the ledger know what others know to be paid, to have gone back, and to wait for payment. Keeps what it
    /// did not know.
    async fn adopt(&mut self, copy: &LedgerPlace, known: &mut Known) -> Result<()> {
        let (ledger, writer) = Ledger::open_restored(copy, UnverifiedLimits::default()).await?;
        let adopted = self.adopt_all(&ledger, known).await;
        drop(ledger);
        writer.close().await;
        adopted.context("what others know could not be taken into the ledger; run it again")?;
        if let LedgerPlace::File(copy) = copy {
            let left = SIDE_FILES.iter().map(|ending| with_ending(copy, ending)).find(|file| file.exists());
            ensure!(left.is_none(), "{left:?} was not merged into the copy; nothing was restored");
        }
        Ok(())
    }

    async fn adopt_all(&mut self, ledger: &Ledger, known: &mut Known) -> Result<()> {
        let now = SystemClock.now();
        while let Some(batch) = known.next().await? {
            let paid = ledger.adopt_paid(batch.payments.clone(), now).await?;
            self.adopted.extend(news(batch.payments, paid));
            let refunded = ledger.adopt_refunds(batch.refunds.clone()).await?;
            self.refunds.extend(news(batch.refunds, refunded));
            let registered = ledger.import(batch.payable, now).await?;
            self.registered += registered.into_iter().filter(|outcome| *outcome == Outcome::Applied).count();
            self.unreadable.extend(batch.unreadable);
        }
        self.open_refunds = ledger.leave_open_refunds_to_staff(now).await?;
        Ok(())
    }
}

/// What the copy did not know.
fn news<T>(
    known: Vec<T>,
    outcomes: Vec<Outcome<AdoptRefusal>>,
) -> impl Iterator<Item = (T, Outcome<AdoptRefusal>)> {
    known.into_iter().zip(outcomes).filter(|(_, outcome)| *outcome != Outcome::AlreadyApplied)
}

impl Move {
    /// Brings a copy to the disk of its target, with the owner of the file that it will replace.
    fn prepare(copy: &Path, target: &Path, now: Timestamp) -> Result<Self> {
        let stamp = now
            .format(format_description!("[year][month][day]T[hour][minute][second].[subsecond digits:3]Z"))?;
        let aside = with_ending(target, &format!(".replaced-{stamp}"));
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

fn report(file: &Path, done: &Done) {
    println!("{} of {} is restored", file.display(), done.made_at);
    for step in done.moves.iter().filter(|step| step.aside.exists()) {
        println!("  what it replaced is kept: {}", step.aside.display());
    }
    for part in &done.left_out {
        println!("  {} of the backup was left out", part.file_name());
        if *part == Part::Ledger && done.is_in_postgres {
            println!("  {LEFT_OUT}");
        }
    }
    if let Some(last) = done.last_order_number {
        println!("  order numbers go on above {last}");
    }
    if let Some(ledger) = &done.ledger {
        report_ledger(ledger, done.made_at);
    }
}

fn report_ledger(ledger: &RestoredLedger, made_at: Timestamp) {
    if let Some(summary) = &ledger.summary {
        println!("  {}", told(summary));
    }
    println!("  merchant_prepare_id goes on above {}", ledger.prepare_id_floor);
    if ledger.unread > 0 {
        println!("  {} events wait on the bus and could not be read here", ledger.unread);
    }
    for order in &ledger.unreadable {
        println!("  order {order} of the shop store cannot be read: nobody here knows whether it is paid");
    }
    if ledger.registered > 0 {
        println!("  {} orders that wait for payment are registered again", ledger.registered);
    }
    if ledger.open_refunds > 0 {
        println!(
            "  {} refunds that were open wait for staff: look up what became of them",
            ledger.open_refunds
        );
    }
    for (payment, outcome) in &ledger.adopted {
        println!("  {}", told_of(payment, *outcome));
    }
    for (refund, outcome) in &ledger.refunds {
        println!("  {}", told_of_refund(refund, *outcome));
    }
    println!("  compare the hours since {made_at} with CLICK's cabinet");
}

fn told_of_refund(refund: &KnownRefund, outcome: Outcome<AdoptRefusal>) -> String {
    let KnownRefund { order_id, reversal, at, known_by } = refund;
    format!(
        "{}: {} so'm of order {order_id} by refund {}, at {at} (known by the {known_by})",
        how(outcome, "taken back as refunded"),
        reversal.refunded.grouped(),
        reversal.refund_id,
    )
}

fn how(outcome: Outcome<AdoptRefusal>, done: &str) -> String {
    match outcome {
        Outcome::Applied | Outcome::AlreadyApplied => done.to_owned(),
        Outcome::Refused(refusal) => format!("NOT taken back, because {refusal}"),
    }
}

fn told_of(payment: &PaidOrder, outcome: Outcome<AdoptRefusal>) -> String {
    let what = how(outcome, "taken back as paid");
    let is_lost = payment.receipt.as_ref().is_some_and(|content| content.lines.is_empty());
    let receipt =
        if is_lost { "; nobody knows what it sold, see `tolov receipts` in some hours" } else { "" };
    format!(
        "{what}: order {}, {} so'm, CLICK's transaction {}, payment {}, at {} (known by the {}){receipt}",
        payment.order_id,
        payment.amount.grouped(),
        payment.click_trans_id,
        payment.click_paydoc_id,
        payment.paid_at,
        payment.known_by
    )
}
