//! `tolov backup --into FOLDER --repeat`: one backup every BACKUP_EVERY, for a container that runs beside the services.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use tolov_kit::{
    clock::{Clock, SystemClock},
    env::Env,
    lifecycle::{Ending, Stop, Tasks, pause, stop_on_signals},
    status::{Dependency, Report},
};

use super::{Source, last_backup, retention};
use crate::roles::{
    STOP_DEADLINE,
    status_page::{self, StatusPage},
};

const EVERY: Duration = Duration::from_hours(24);
/// After a backup that failed.
const RETRY_AFTER: Duration = Duration::from_mins(10);

pub(super) async fn run(env: &Env, source: &Source, folder: &Path) -> Result<Ending> {
    let every = env.duration("BACKUP_EVERY", Some(EVERY));
    if every.is_none() {
        env.problem("BACKUP_EVERY", "is 0: write how often a backup is made, for example 24h");
    }
    let keep_days = retention::keep_days(env);
    let addr = status_page::address(env);
    env.finish()?;
    let every = every.unwrap_or(EVERY);
    let mut page = StatusPage::open(addr).await?;
    let last_is_good = Arc::new(AtomicBool::new(true));
    let reported = Arc::clone(&last_is_good);
    page.status.add(move || {
        let reachable = reported.load(Ordering::Relaxed);
        async move {
            let dependencies = vec![Dependency { name: "backup", reachable, needed: true }];
            Report { dependencies, ..Report::default() }
        }
    });
    let stop = Stop::new();
    stop_on_signals(&stop)?;
    let mut tasks = Tasks::default();
    page.serve(&mut tasks, &stop);
    let serving = tokio::spawn(tasks.run(stop.clone(), STOP_DEADLINE));
    let mut wait = until_due(source, every);
    while pause(&stop, wait).await {
        // A stop in the middle leaves nothing behind but a temporary folder, which is deleted.
        let written = tokio::select! {
            written = source.write_into(folder, keep_days) => written,
            () = stop.cancelled() => break,
        };
        if let Err(error) = &written {
            tracing::error!(
                error = format!("{error:#}"),
                "no backup was made; it is tried again in 10 minutes"
            );
        }
        last_is_good.store(written.is_ok(), Ordering::Relaxed);
        wait = if written.is_ok() { every } else { RETRY_AFTER };
    }
    Ok(serving.await?)
}

/// A restart soon after a backup makes no second one.
fn until_due(source: &Source, every: Duration) -> Duration {
    let Some(made_at) = last_backup::made_at(source.data.ledger()) else { return Duration::ZERO };
    let age = Duration::try_from(SystemClock.now() - made_at).unwrap_or_default();
    every.saturating_sub(age)
}
