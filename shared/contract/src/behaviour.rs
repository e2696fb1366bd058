//! Runs one behaviour in a world of its own.

use std::{panic::AssertUnwindSafe, time::Duration};

use anyhow::Context;
use futures_util::FutureExt;

use crate::{bus::BusWorld, documents::DocumentsWorld, shop::ShopWorld};

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

/// Makes a world, checks one behaviour of a shop store in it, and closes the world whether or not the promise was
/// kept.
pub fn run_shop<W: ShopWorld + 'static>(
    fresh_world: impl AsyncFnOnce() -> anyhow::Result<W>,
    behaviour: impl AsyncFnOnce(&dyn ShopWorld) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    runtime()?.block_on(async {
        let world: Box<dyn ShopWorld> = Box::new(fresh_world().await?);
        let outcome = bounded(behaviour(&*world)).await;
        world.close().await;
        outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Makes a world and checks one behaviour of a store of documents in it.
pub fn run_documents<W: DocumentsWorld + 'static>(
    fresh_world: impl AsyncFnOnce() -> anyhow::Result<W>,
    behaviour: impl AsyncFnOnce(&dyn DocumentsWorld) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    runtime()?.block_on(async {
        let world: Box<dyn DocumentsWorld> = Box::new(fresh_world().await?);
        let outcome = bounded(behaviour(&*world)).await;
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
    /// A behaviour that no adapter runs is worth nothing.
    #[test]
    fn every_behaviour_is_listed_in_its_macro() {
        let bus = [
            include_str!("bus/publishing.rs"),
            include_str!("bus/consuming.rs"),
            include_str!("bus/retrying.rs"),
            include_str!("bus/parking.rs"),
        ];
        let shop = [
            include_str!("shop/ordering.rs"),
            include_str!("shop/projecting.rs"),
            include_str!("shop/shopping.rs"),
            include_str!("shop/notifying.rs"),
        ];
        let documents = [
            include_str!("documents/writing.rs"),
            include_str!("documents/keeping.rs"),
            include_str!("documents/finding.rs"),
            include_str!("documents/numbering.rs"),
        ];
        let suites = [
            (include_str!("bus/mod.rs"), bus),
            (include_str!("shop/mod.rs"), shop),
            (include_str!("documents/mod.rs"), documents),
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
