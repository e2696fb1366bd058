//! `tolov backup --into FOLDER --repeat`: one backup every BACKUP_EVERY, for a container that runs beside the services.

use std::{path::Path, time::Duration};

use anyhow::Result;
use tolov_kit::{env::Env, lifecycle::Ending};

use super::{Source, last_backup, retention};
use crate::{commands::repeating::Repeating, roles::status_page};

const EVERY: Duration = Duration::from_hours(24);

pub(super) async fn run(env: &Env, source: &Source, folder: &Path) -> Result<Ending> {
    let every = env.duration("BACKUP_EVERY", Some(EVERY));
    if every.is_none() {
        env.problem("BACKUP_EVERY", "is 0: write how often a backup is made, for example 24h");
    }
    let keep_days = retention::keep_days(env);
    let addr = status_page::address(env);
    env.finish()?;
    let last = last_backup::made_at(source.data.ledger_path());
    // A stop in the middle leaves nothing behind but a temporary folder, which is deleted.
    let repeating = Repeating { name: "backup", every: every.unwrap_or(EVERY), last };
    repeating.run(addr, async || source.write_into(folder, keep_days).await).await
}
