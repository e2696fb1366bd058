//! `tolov backup`, `tolov verify` and `tolov restore`: the ledger, and the embedded stores where they are used.

mod archive;
pub(crate) mod last_backup;
mod paid_since;
mod replaced;
mod report;
mod restore;
mod retention;
mod schedule;
mod sealed;
mod take_over;

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use time::macros::format_description;
use tolov_embedded::backup as stores;
use tolov_kit::{
    clock::{Clock, SystemClock},
    env::Env,
    lifecycle::Ending,
};
use tolov_webhook::ledger::{Ledger, UnverifiedLimits, backup as ledger};

pub(crate) use self::restore::{restored, run as restore};
use self::{report::told, sealed::Recipient};
use crate::{
    adapters::{Bus, BusAddress, Shop, ShopAddress},
    cli::{Backup, Verify},
    data_folder::{DataFolder, Part, ensure_free, folder_of},
};

/// What to do instead of a backup of the ledger's file.
const IN_POSTGRES: &str = "the ledger is in PostgreSQL; back it up with pg_dump, and archive its WAL so that no payment is lost \
                           (docs/operations.md, \"The ledger in PostgreSQL\")";

/// What a backup is made of and what protects it.
struct Source {
    data: DataFolder,
    /// BACKUP_RECIPIENT
    recipient: Option<Recipient>,
}

/// Writes one backup, or one after the other.
pub(crate) async fn run(env: &Env, options: &Backup) -> Result<Ending> {
    let source = Source { data: DataFolder::from_env(env), recipient: env.parsed("BACKUP_RECIPIENT") };
    match (&options.file, &options.into) {
        (Some(file), _) => {
            env.finish()?;
            source.write(file).await?;
            Ok(Ending::Clean)
        }
        (None, Some(folder)) if options.repeat => schedule::run(env, &source, folder).await,
        (None, Some(folder)) => {
            let keep_days = retention::keep_days(env);
            env.finish()?;
            source.write_into(folder, keep_days).await?;
            Ok(Ending::Clean)
        }
        (None, None) => bail!("name a file, or a folder with --into"),
    }
}

impl Source {
    /// A backup under the name of its time, and the deletion of those that are not kept any more. Where there is nothing to
    /// back up, a timer or a container that is there all the same has done its work.
    async fn write_into(&self, folder: &Path, keep_days: usize) -> Result<()> {
        if let Err(nothing) = self.ensure_not_empty() {
            tracing::info!("{nothing}");
            return Ok(());
        }
        let form = format_description!("[year]-[month]-[day]T[hour][minute][second].[subsecond digits:3]Z");
        let ending = if self.recipient.is_some() { ".tar.gz.age" } else { ".tar.gz" };
        let name = format!("tolov-{}{ending}", SystemClock.now().format(form)?);
        self.write(&folder.join(name)).await?;
        retention::prune(folder, keep_days)
    }

    /// Writes a backup while the services run. It is in its place only when it was read back and found good.
    async fn write(&self, file: &Path) -> Result<()> {
        self.ensure_not_empty()?;
        let _lock = self.data.share(&self.data.existing_parts())?;
        ensure!(!file.exists(), "{} exists; a backup never replaces one", file.display());
        let folder = folder_of(file);
        ensure_free(folder, self.needed_bytes())?;
        let work = tempfile::Builder::new()
            .prefix(".tolov-backup-")
            .tempdir_in(folder)
            .with_context(|| format!("cannot write in the folder {}", folder.display()))?;
        let made_at = SystemClock.now();
        let parts = copy(&self.data, work.path()).await?;
        let summary = examine(work.path(), &parts).await?;
        archive::write(file, made_at, work.path(), &parts, self.recipient.as_ref())?;
        last_backup::record(self.data.ledger_path(), made_at)?;
        self.report(file, &parts, summary.as_ref());
        Ok(())
    }

    /// Refuses where everything is in servers, which have backups of their own.
    fn ensure_not_empty(&self) -> Result<()> {
        let has_stores = [Part::Bus, Part::Shop].iter().any(|part| self.data.existing_parts().contains(part));
        ensure!(
            has_stores || !self.data.is_ledger_in_postgres(),
            "there is nothing to back up here: {IN_POSTGRES}"
        );
        Ok(())
    }

    /// Plain copies and the packed file, at their largest.
    fn needed_bytes(&self) -> u64 {
        self.data.size_bytes().saturating_mul(2)
    }

    fn report(&self, file: &Path, parts: &[Part], summary: Option<&ledger::Summary>) {
        let names: Vec<&str> = parts.iter().map(|part| part.file_name()).collect();
        println!("{}: {}", file.display(), names.join(", "));
        match summary {
            Some(summary) => println!("  {}", told(summary)),
            None => println!("  the ledger is not in it: {IN_POSTGRES}"),
        }
        if self.data.file(Part::Shop).is_none() {
            println!("  MongoDB is not in it: back up catalogue, carts and orders with mongodump");
        }
        if self.data.file(Part::Bus).is_none() {
            println!("  RabbitMQ is not in it: `tolov replay` sends the ledger's events again");
        }
    }
}

/// `tolov verify`: checks the copies in a backup, or copies of the present data, and brings them up to this release's
/// schema.
pub(crate) async fn verify(env: &Env, options: &Verify) -> Result<()> {
    let data = DataFolder::from_env(env);
    env.finish()?;
    let (work, made_at, parts) = if let Some(file) = &options.file {
        let work = unpacking_folder(folder_of(file))?;
        let note = archive::unpack(file, work.path(), options.identity.as_deref())?;
        (work, note.made_at, note.parts)
    } else {
        let _lock = data.share(&data.existing_parts())?;
        if data.is_ledger_in_postgres() {
            println!("not here: {IN_POSTGRES}");
        }
        let work = unpacking_folder(folder_of(data.ledger_path()))?;
        ensure_free(work.path(), data.size_bytes())?;
        let made_at = SystemClock.now();
        let parts = copy(&data, work.path()).await?;
        (work, made_at, parts)
    };
    if parts.is_empty() {
        println!(
            "nothing was checked: no part of the shop is in a file here; let the release open copies of the servers' data \
             (docs/operations.md, \"Upgrades\")"
        );
        return Ok(());
    }
    let summary = examine(work.path(), &parts).await?;
    migrate(work.path(), &parts).await?;
    let names: Vec<&str> = parts.iter().map(|part| part.file_name()).collect();
    println!("{} of {made_at}", names.join(", "));
    if let Some(summary) = &summary {
        println!("  {}", told(summary));
    }
    println!("  this release can open them");
    Ok(())
}

/// Copies the files that are there, each consistent as of one moment, while the services write. Returns what was copied.
async fn copy(data: &DataFolder, folder: &Path) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    if let Some(file) = data.file(Part::Ledger).filter(|_| !data.is_ledger_in_postgres()) {
        ledger::copy(file, &folder.join(Part::Ledger.file_name())).await?;
        parts.push(Part::Ledger);
    }
    for part in [Part::Bus, Part::Shop] {
        let Some(file) = data.file(part).filter(|file| file.exists()) else { continue };
        stores::copy(file, &folder.join(part.file_name())).await?;
        parts.push(part);
    }
    Ok(parts)
}

fn unpacking_folder(folder: &Path) -> Result<tempfile::TempDir> {
    tempfile::Builder::new()
        .prefix(".tolov-restore-")
        .tempdir_in(folder)
        .with_context(|| format!("cannot write in the folder {}", folder.display()))
}

/// Opens copies as the services do, which runs the migrations of this release.
async fn migrate(folder: &Path, parts: &[Part]) -> Result<()> {
    for part in parts {
        match part {
            Part::Ledger => {
                let ledger = folder.join(part.file_name());
                let opened = Ledger::open(&ledger, UnverifiedLimits::default()).await;
                let (_, writer) = opened.context("this release cannot open the ledger")?;
                writer.close().await;
            }
            Part::Bus => {
                let address = BusAddress::Embedded(folder.to_owned());
                Bus::open(&address, "verify").await?.close().await;
            }
            Part::Shop => {
                let address = ShopAddress::Embedded(folder.to_owned());
                Shop::open(&address).await?.close().await;
            }
        }
    }
    Ok(())
}

/// Refuses copies that do not pass the checks of their kind. `None`: the ledger is not among them, it is in PostgreSQL.
async fn examine(folder: &Path, parts: &[Part]) -> Result<Option<ledger::Summary>> {
    for part in parts.iter().filter(|part| **part != Part::Ledger) {
        stores::examine(&folder.join(part.file_name())).await?;
    }
    if !parts.contains(&Part::Ledger) {
        return Ok(None);
    }
    Ok(Some(ledger::examine(&folder.join(Part::Ledger.file_name())).await?))
}
