//! The stores that are compared, open for reading.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use tolov_domain::{
    ports::{PortError, ShopStore, bus::BusAdmin},
    time::Timestamp,
};
use tolov_kit::{
    clock::{Clock, SystemClock},
    env::Env,
    retry::Pauses,
};
use tolov_webhook::ledger::{LedgerError, LedgerReader};

use crate::{
    adapters::{BusAddress, Embedded, Shop, ShopAddress, open_bus_admin},
    data_folder::{DataFolder, Part},
};

/// Where the stores are.
pub(super) struct Places {
    pub(super) data: DataFolder,
    pub(super) bus: BusAddress,
    pub(super) shop: ShopAddress,
}

impl Places {
    pub(super) fn from_env(env: &Env) -> Self {
        Self {
            data: DataFolder::from_env(env),
            bus: BusAddress::from_env(env, Embedded::Allowed),
            shop: ShopAddress::from_env(env, Embedded::Allowed),
        }
    }
}

pub(super) struct Books {
    pub(super) ledger: LedgerReader,
    pub(super) shop: Arc<dyn ShopStore>,
    pub(super) bus: Arc<dyn BusAdmin>,
    /// When the look began.
    pub(super) now: Timestamp,
    /// How long after a payment people may hear of it.
    pub(super) told_within: Duration,
    open_shop: Shop,
}

impl Books {
    pub(super) async fn open(places: &Places, told_within: Duration) -> Result<Self> {
        let ledger = LedgerReader::open(places.data.ledger()).await?;
        // Opening a store creates it.
        if let Some(missing) = places.data.file(Part::Shop).filter(|file| !file.exists()) {
            bail!("there is no shop store at {}; check DATA_DIR", missing.display());
        }
        let bus = open_bus_admin(&places.bus).await.context("the bus cannot be opened")?;
        let open_shop = Shop::open(&places.shop).await?;
        let (shop, now) = (open_shop.store(), SystemClock.now());
        Ok(Self { ledger, shop, bus, now, told_within, open_shop })
    }

    pub(super) async fn close(self) {
        self.ledger.close().await;
        self.open_shop.close().await;
    }
}

/// How often the same is asked for while a store is away, with 1 to 8 seconds between.
const TRIES: usize = 5;

/// Asks again while a store is away: an audit of many orders goes on for hours, in which a store may be slow or change its primary.
pub(super) async fn patiently<T>(mut look: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    let mut pauses = Pauses::new(Duration::from_secs(1), Duration::from_secs(8));
    for _ in 1..TRIES {
        match look().await {
            Err(error) if is_away(&error) => {
                tracing::warn!(error = format!("{error:#}"), "a store is away; it is asked again");
                tokio::time::sleep(pauses.next_pause()).await;
            }
            seen => return seen,
        }
    }
    look().await
}

fn is_away(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref().is_some_and(PortError::is_unavailable)
            || matches!(cause.downcast_ref(), Some(LedgerError::Storage(_) | LedgerError::TimedOut(_)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often a look is taken that meets `errors` before it succeeds, and what comes of it.
    async fn look_that_meets<E: Into<anyhow::Error>>(errors: Vec<E>) -> (usize, Result<()>) {
        let mut looks = 0;
        let mut errors = errors.into_iter();
        let look = async || {
            looks += 1;
            errors.next().map_or(Ok(()), |error| Err(error.into()))
        };
        let seen = patiently(look).await;
        (looks, seen)
    }

    fn away() -> PortError {
        PortError::Unavailable("it did not answer within 5000 ms".into())
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_is_away_for_a_moment_is_asked_again() {
        let (looks, seen) = look_that_meets(vec![away(), away()]).await;
        assert!(looks == 3 && seen.is_ok(), "{looks}, {seen:?}");
        let silent = LedgerError::TimedOut(Duration::from_secs(5));
        let (looks, seen) =
            look_that_meets(vec![anyhow::Error::from(silent).context("reading payments")]).await;
        assert!(looks == 2 && seen.is_ok(), "{looks}, {seen:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_stays_away_ends_the_audit_and_one_that_refuses_does_so_at_once() {
        let (looks, seen) = look_that_meets((0..TRIES).map(|_| away()).collect()).await;
        assert!(looks == TRIES && seen.is_err(), "{looks}, {seen:?}");
        let (looks, seen) = look_that_meets(vec![PortError::Refused("no rights".to_owned())]).await;
        assert!(looks == 1 && seen.is_err(), "{looks}, {seen:?}");
    }
}
