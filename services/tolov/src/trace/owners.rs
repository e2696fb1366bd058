//! The trace as the bot shows it to owners, beside the services that run.

use std::{path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use tolov_bot::{OrderTrace, TraceEntry};
use tolov_domain::{
    Language, OrderId,
    ports::{ShopStore, bus::BusAdmin},
};

use super::{
    Stores, bus,
    entry::{Entry, Source},
    ledger, operators, shop,
};
use crate::{audit::replayer::ServiceAddress, commands::journal::Journal};

/// The longest that one store is asked, while an owner waits.
const STORE_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct OwnersTrace {
    /// The webhook service: the ledger may be on another machine.
    pub(crate) service: ServiceAddress,
    pub(crate) bus: Arc<dyn BusAdmin>,
    pub(crate) shop: Arc<dyn ShopStore>,
    /// Where the operators' journal is, if it is on this machine.
    pub(crate) ledger: PathBuf,
}

#[async_trait]
impl OrderTrace for OwnersTrace {
    async fn trace(&self, order_id: OrderId, language: Language) -> Vec<TraceEntry> {
        let stores = Stores {
            timeout: STORE_TIMEOUT,
            ledger: ledger::of_service(&self.service, order_id),
            bus: async { Ok(bus::entries(&*self.bus, order_id).await) },
            shop: async |events| shop::entries(&*self.shop, order_id, events).await,
            operators: async {
                if self.ledger.exists() || Journal::beside(&self.ledger).path().exists() {
                    return operators::entries(&self.ledger, order_id);
                }
                Ok(vec![Entry::new(None, Source::Operators, "trace-journal-elsewhere")])
            },
        };
        let entries = stores.ask().await;
        let shown = |entry: &Entry| TraceEntry {
            at: entry.at,
            source: entry.source.title(language),
            text: entry.text(language),
        };
        entries.iter().map(shown).collect()
    }
}
