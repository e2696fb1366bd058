//! Putting a backup in the place of what is there now. What is replaced is kept beside it.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use time::macros::format_description;
use tolov_domain::time::Timestamp;
use tolov_embedded::backup::{self as stores, StoreFile};
use tolov_kit::{
    clock::{Clock, SystemClock},
    env::Env,
};
use tolov_shop::order::{ORDER_NUMBERS, ORDERS};
use tolov_webhook::ledger::{
    backup::Summary,
    restore::{Place, Restore, ready},
};

use super::{Files, LEDGER, archive, examine, folder_of, told};

/// SQLite's files beside a database: they belong to the one that is replaced and must never meet the new one.
const SIDE_FILES: [&str; 3] = ["", "-wal", "-shm"];

/// A file that is ready, and where it goes.
struct Move {
    ready: PathBuf,
    target: PathBuf,
    aside: PathBuf,
}

/// What was done, to be told.
struct Done {
    made_at: Timestamp,
    summary: Summary,
    prepare_id_floor: i64,
    last_order_number: Option<i64>,
    moves: Vec<Move>,
    left_out: Vec<String>,
}

pub(crate) async fn run(env: &Env, file: &Path) -> Result<()> {
    let files = Files::from_env(env);
    env.finish()?;
    ensure!(file.exists(), "there is no {}", file.display());
    let place = Place::take(&files.ledger)?;
    let done = restore(&files, &place, file).await?;
    report(file, &done);
    Ok(())
}

async fn restore(files: &Files, place: &Place, file: &Path) -> Result<Done> {
    let work = tempfile::Builder::new().prefix(".tolov-restore-").tempdir_in(folder_of(&files.ledger))?;
    let note = archive::unpack(file, work.path())?;
    let summary = examine(work.path(), &note.names).await?;
    let now = SystemClock.now();
    let restore = Restore {
        at: now,
        backup_made_at: note.made_at,
        replaced_last_prepare_id: place.last_prepare_id().await,
        beyond_click_int: false,
    };
    let prepare_id_floor = ready(&work.path().join(LEDGER), restore).await?;
    let mut last_order_number = None;
    let mut moves = Vec::new();
    let mut left_out = Vec::new();
    let mut holds = Vec::new();
    for name in &note.names {
        let store = StoreFile::ALL.into_iter().find(|store| store.name() == name);
        let target = store.map_or(Some(files.ledger.as_path()), |store| files.store(store));
        let Some(target) = target.map(Path::to_owned) else {
            left_out.push(name.clone());
            continue;
        };
        let copy = work.path().join(name);
        if let Some(store) = store {
            let folder = folder_of(&target);
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
            match store {
                StoreFile::Bus => holds.push(stores::hold(folder)?),
                StoreFile::Shop => {
                    let age = std::time::Duration::try_from(now - note.made_at).unwrap_or_default();
                    last_order_number = Some(stores::skip_numbers(&copy, ORDER_NUMBERS, ORDERS, age).await?);
                }
            }
        }
        moves.push(Move::prepare(&copy, target, now)?);
    }
    replace(place, &moves)?;
    Ok(Done { made_at: note.made_at, summary, prepare_id_floor, last_order_number, moves, left_out })
}

impl Move {
    /// Brings a copy to the disk of its target, with the rights of the file that it will replace.
    fn prepare(copy: &Path, target: PathBuf, now: Timestamp) -> Result<Self> {
        let ending = |ending: &str| {
            let mut path = target.as_os_str().to_owned();
            path.push(ending);
            PathBuf::from(path)
        };
        let stamp = now
            .format(format_description!("[year][month][day]T[hour][minute][second].[subsecond digits:3]Z"))?;
        let aside = ending(&format!(".replaced-{stamp}"));
        ensure!(!aside.exists(), "{} is there already; try again", aside.display());
        let ready = ending(".restored");
        fs::copy(copy, &ready).with_context(|| format!("cannot write {}", ready.display()))?;
        fs::set_permissions(&ready, fs::Permissions::from_mode(0o600))?;
        give_to_owner_of(&target, &ready)?;
        File::open(&ready)?.sync_all()?;
        Ok(Self { ready, target, aside })
    }

    /// Two renames for each file that is there; every one can be repeated after a crash.
    fn make(&self) -> io::Result<()> {
        for side in SIDE_FILES {
            let beside = |path: &Path| {
                let mut path = path.as_os_str().to_owned();
                path.push(side);
                PathBuf::from(path)
            };
            match fs::rename(beside(&self.target), beside(&self.aside)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::rename(&self.ready, &self.target)?;
        File::open(folder_of(&self.target))?.sync_all()
    }
}

/// While the mark is there no service opens the ledger: between two renames it is neither the old nor the new one.
fn replace(place: &Place, moves: &[Move]) -> Result<()> {
    let mark = place.unfinished_mark();
    let folder = File::open(folder_of(&mark))?;
    File::create(&mark).with_context(|| format!("cannot write {}", mark.display()))?;
    folder.sync_all()?;
    for step in moves {
        step.make().with_context(|| {
            format!("{} could not be replaced; run `tolov restore` again", step.target.display())
        })?;
    }
    give_to_owner_of(place.path(), &place.lock_path())?;
    fs::remove_file(&mark)?;
    folder.sync_all().context("the folder of the ledger could not be written to the disk")
}

/// A restore that root runs must leave files that the service can write.
fn give_to_owner_of(model: &Path, file: &Path) -> Result<()> {
    let model = fs::metadata(model).or_else(|_| fs::metadata(folder_of(model)))?;
    let own = fs::metadata(file)?;
    if (own.uid(), own.gid()) == (model.uid(), model.gid()) {
        return Ok(());
    }
    chown(file, Some(model.uid()), Some(model.gid()))
        .with_context(|| format!("cannot give {} to the owner of what it replaces", file.display()))
}

#[expect(clippy::print_stdout, reason = "what was put back is this command's answer")]
fn report(file: &Path, done: &Done) {
    println!("{} of {} is in its place", file.display(), done.made_at);
    println!("  {}", told(&done.summary));
    for step in done.moves.iter().filter(|step| step.aside.exists()) {
        println!("  what it replaced is kept: {}", step.aside.display());
    }
    println!("  merchant_prepare_id goes on above {}", done.prepare_id_floor);
    if let Some(last) = done.last_order_number {
        println!("  order numbers go on above {last}");
    }
    for name in &done.left_out {
        println!("  {name} of the backup was left out: the settings name a server for it");
    }
    println!("  payments after {} are not in it: compare with CLICK's cabinet", done.made_at);
}
