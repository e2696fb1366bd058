//! The stores that are compared, open for reading.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use tolov_domain::{
    ports::{ShopStore, bus::BusAdmin},
    time::Timestamp,
};
use tolov_kit::{
    clock::{Clock, SystemClock},
    env::Env,
};
use tolov_webhook::ledger::LedgerReader;

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
