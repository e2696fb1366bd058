//! Runs one behaviour in a world of its own.

use std::{panic::AssertUnwindSafe, time::Duration};

use anyhow::Context;
use futures_util::FutureExt;

use crate::{bus::BusWorld, documents::DocumentsWorld, notifications::NotificationsWorld};

/// No behaviour may take longer than this, however slow the machine.
pub const TIME_LIMIT: Duration = Duration::from_secs(90);

/// Makes a world, checks one behaviour of a bus in it, and closes the world whether or not the promise was kept.
pub fn run_bus<W: BusWorld + 'static>(
    fresh_world: impl AsyncFnOnce() -> anyhow::Result<W>,
    behaviour: impl AsyncFnOnce(&dyn BusWorld) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    runtime()?.block_on(async {
        let world: Box<dyn BusWorld> = Box::new(fresh_world().await?);
        let outcome = bounded(behaviour(&*world)).await;
        world.close().await;
        outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Makes a world, checks one behaviour of a store of documents in it, and closes the world whether or not the promise
/// was kept.
pub fn run_documents<W: DocumentsWorld + 'static>(
    fresh_world: impl AsyncFnOnce() -> anyhow::Result<W>,
    behaviour: impl AsyncFnOnce(&dyn DocumentsWorld) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    runtime()?.block_on(async {
        let world: Box<dyn DocumentsWorld> = Box::new(fresh_world().await?);
        let outcome = bounded(behaviour(&*world)).await;
        world.close().await;
        outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// The same for one behaviour of a log of notifications.
pub fn run_notifications<W: NotificationsWorld + 'static>(
    fresh_world: impl AsyncFnOnce() -> anyhow::Result<W>,
    behaviour: impl AsyncFnOnce(&dyn NotificationsWorld) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    runtime()?.block_on(async {
        let world: Box<dyn NotificationsWorld> = Box::new(fresh_world().await?);
        let outcome = bounded(behaviour(&*world)).await;
        world.close().await;
        outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("tokio runtime")
}

async fn bounded(
    behaviour: impl Future<Output = anyhow::Result<()>>,
) -> std::thread::Result<anyhow::Result<()>> {
    let in_time =
        async { tokio::time::timeout(TIME_LIMIT, behaviour).await.context("no end within the limit")? };
    AssertUnwindSafe(in_time).catch_unwind().await
}

#[cfg(test)]
mod tests {
    /// A behaviour that is not in the list is run by no adapter.
    #[test]
    fn every_behaviour_is_listed_in_its_macro() {
        let bus = [
            include_str!("bus/publishing.rs"),
            include_str!("bus/consuming.rs"),
            include_str!("bus/retrying.rs"),
            include_str!("bus/parking.rs"),
        ];
        let documents = [
            include_str!("documents/writing.rs"),
            include_str!("documents/batches.rs"),
            include_str!("documents/keeping.rs"),
            include_str!("documents/finding.rs"),
            include_str!("documents/numbering.rs"),
        ];
        let notifications = include_str!("notifications.rs");
        let suites = [
            (include_str!("bus/mod.rs"), &bus[..]),
            (include_str!("documents/mod.rs"), &documents),
            (notifications, &[notifications]),
        ];
        for (list, sources) in suites {
            let listed: Vec<_> = list.lines().map(str::trim).collect();
            for source in sources {
                let behaviours = source.lines().filter_map(|line| line.strip_prefix("pub async fn "));
                for name in behaviours.filter_map(|line| line.split('(').next()) {
                    assert!(listed.contains(&name), "{name} is missing");
                }
            }
        }
    }
}
