//! `tolov backup FILE` and `tolov restore FILE`: the ledger, and what else this installation keeps in files of its own.

mod archive;
mod restore;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use tolov_domain::Tiyin;
use tolov_embedded::backup::{self as stores, StoreFile};
use tolov_kit::{
    clock::{Clock, SystemClock},
    env::Env,
};
use tolov_webhook::ledger::backup as ledger;

pub(crate) use self::restore::run as restore;
use crate::adapters::{BusAddress, Embedded, ShopAddress};

/// The ledger's name within a backup.
const LEDGER: &str = "payments.db";

/// The files of this installation.
struct Files {
    ledger: PathBuf,
    /// Of the stores that the settings name no server for.
    stores: Vec<(StoreFile, PathBuf)>,
}

impl Files {
    fn from_env(env: &Env) -> Self {
        let bus = match BusAddress::from_env(env, Embedded::Allowed) {
            BusAddress::Embedded(folder) => Some((StoreFile::Bus, folder)),
            BusAddress::RabbitMq(_) => None,
        };
        let shop = match ShopAddress::from_env(env, Embedded::Allowed) {
            ShopAddress::Embedded(folder) => Some((StoreFile::Shop, folder)),
            ShopAddress::MongoDb(_) => None,
        };
        let stores = bus.into_iter().chain(shop).map(|(store, folder)| (store, folder.join(store.name())));
        Self { ledger: tolov_webhook::config::ledger_path(env), stores: stores.collect() }
    }

    fn store(&self, store: StoreFile) -> Option<&Path> {
        self.stores.iter().find(|(known, _)| *known == store).map(|(_, file)| file.as_path())
    }
}

/// Writes a backup while the services run. It is in its place only when it was read back and found good.
pub(crate) async fn run(env: &Env, file: &Path) -> Result<()> {
    let files = Files::from_env(env);
    env.finish()?;
    ensure!(!file.exists(), "{} is there already; a backup never replaces one", file.display());
    let folder = folder_of(file);
    let work = tempfile::Builder::new()
        .prefix(".tolov-backup-")
        .tempdir_in(folder)
        .with_context(|| format!("cannot write in the folder {}", folder.display()))?;
    let made_at = SystemClock.now();
    let mut copies = vec![LEDGER];
    let copied = work.path().join(LEDGER);
    ledger::copy(&files.ledger, &copied).await?;
    let summary = ledger::examine(&copied).await?;
    for (store, path) in files.stores.iter().filter(|(_, path)| path.exists()) {
        let copied = work.path().join(store.name());
        stores::copy(path, &copied).await?;
        stores::examine(&copied).await?;
        copies.push(store.name());
    }
    archive::write(file, made_at, work.path(), &copies)?;
    report(file, &files, &copies, &summary);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what the backup holds is this command's answer")]
fn report(file: &Path, files: &Files, copies: &[&str], summary: &ledger::Summary) {
    println!("{}: {}", file.display(), copies.join(", "));
    println!("  {}", told(summary));
    if files.store(StoreFile::Shop).is_none() {
        println!("  MongoDB is not in it: catalogue, carts and order pages are backed up with mongodump");
    }
    if files.store(StoreFile::Bus).is_none() {
        println!("  RabbitMQ is not in it: what is under way there is in the ledger for a week");
    }
}

/// One line on what a ledger holds.
fn told(summary: &ledger::Summary) -> String {
    let soum = Tiyin::try_new(summary.paid_tiyin).map_or_else(|_| "0".to_owned(), Tiyin::grouped);
    format!(
        "checked: {} orders, {} of them paid with {soum} so'm, {} events not sent yet",
        summary.orders, summary.paid, summary.unsent
    )
}

/// Refuses a copy that does not pass the checks of its kind.
async fn examine(folder: &Path, names: &[String]) -> Result<ledger::Summary> {
    if !names.iter().any(|name| name == LEDGER) {
        bail!("the backup has no ledger");
    }
    for store in StoreFile::ALL.into_iter().filter(|store| names.iter().any(|name| name == store.name())) {
        stores::examine(&folder.join(store.name())).await?;
    }
    Ok(ledger::examine(&folder.join(LEDGER)).await?)
}

fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
