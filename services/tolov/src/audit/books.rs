//! The stores that are compared, open for reading, and the two looks at them.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use tolov_domain::{
    ports::{ShopStore, bus::BusAdmin},
    time::Timestamp,
};
use tolov_kit::clock::{Clock, SystemClock};
use tolov_webhook::ledger::LedgerReader;

use super::{
    difference::Difference,
    findings::{Findings, Totals},
    messages, orders, shop,
};
use crate::{
    adapters::{BusAddress, Shop, ShopAddress, open_bus_admin},
    data_folder::{DataFolder, Part},
};

/// Where the stores are.
pub(super) struct Places {
    pub(super) data: DataFolder,
    pub(super) bus: BusAddress,
    pub(super) shop: ShopAddress,
}

pub(super) struct Books {
    pub(super) ledger: LedgerReader,
    pub(super) shop: Arc<dyn ShopStore>,
    pub(super) bus: Arc<dyn BusAdmin>,
    /// When the look began.
    pub(super) now: Timestamp,
    open_shop: Shop,
}

impl Books {
    pub(super) async fn open(places: &Places) -> Result<Self> {
        let ledger = LedgerReader::open(places.data.ledger()).await?;
        // Opening a store creates it.
        if let Some(missing) = places.data.file(Part::Shop).filter(|file| !file.exists()) {
            bail!("there is no shop store at {}; check DATA_DIR", missing.display());
        }
        let bus = open_bus_admin(&places.bus).await.context("the bus cannot be opened")?;
        let open_shop = Shop::open(&places.shop).await?;
        Ok(Self { ledger, shop: open_shop.store(), bus, now: SystemClock.now(), open_shop })
    }

    /// Compares everything, and what differs once more after a pause: the services go on writing, one store after the
    /// other, and what is under way between two of them is no difference.
    pub(super) async fn compare(&mut self, settle_for: Duration) -> Result<(Findings, Totals)> {
        let (mut first, mut totals) = (Findings::default(), Totals::default());
        orders::compare_all(self, &mut first, &mut totals).await.context("orders could not be compared")?;
        shop::compare_all(self, &mut first, &mut totals).await.context("the shop store could not be read")?;
        messages::compare_all(self, &mut first).await.context("outbox and bus could not be read")?;
        if first.is_empty() {
            return Ok((first, totals));
        }
        tokio::time::sleep(settle_for).await;
        let mut second = Findings::default();
        second.extend(self.look_again(&first).await.context("what differs could not be looked at again")?);
        Ok((second.confirmed(&first), totals))
    }

    async fn look_again(&self, first: &Findings) -> Result<Vec<Difference>> {
        let (mut users, mut articles, mut parked) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for difference in first.iter() {
            match difference {
                Difference::OrderCount { user_id, .. } => drop(users.insert(*user_id)),
                Difference::StrayHold { article_id, .. } => drop(articles.insert(*article_id)),
                Difference::Parked { queue, id, .. } => drop(parked.insert((queue.name(), id.clone()))),
                Difference::OrderUnknown { .. }
                | Difference::OrderDiffers { .. }
                | Difference::OrderUnreadable { .. }
                | Difference::PaidInShopAlone { .. }
                | Difference::Unsettled { .. }
                | Difference::NotTold { .. }
                | Difference::Unsent { .. } => {}
            }
        }
        let mut again = orders::compare(self, &shop::orders_of(first.iter())).await?;
        again.extend(shop::compare(self, &users, &articles).await?);
        again.extend(messages::compare(self, &parked).await?);
        Ok(again)
    }

    pub(super) async fn close(self) {
        self.ledger.close().await;
        self.open_shop.close().await;
    }
}
