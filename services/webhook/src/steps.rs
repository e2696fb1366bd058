//! The service without a socket and without timers.

use std::{fmt, sync::Arc};

use warp::{filters::BoxedFilter, reply::Response};

use crate::{
    config::Config,
    deps::Deps,
    http::{App, flood_brake, routes},
    ledger::{Ledger, OpenError, WriterTask},
    maintenance::Maintenance,
    readiness::Reporter,
    relay::Relay,
    restore_gate::RestoreGate,
};

/// The parts of the service for whoever calls each step itself, as a simulation does. Dropped with its runtime, it ends as
/// a killed process does.
pub struct Steps {
    pub ledger: Ledger,
    pub relay: Relay,
    pub maintenance: Maintenance,
    /// Every route, as the service serves it.
    pub routes: BoxedFilter<(Response,)>,
    /// What the routes share.
    pub app: Arc<App>,
    writer: WriterTask,
}

impl fmt::Debug for Steps {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Steps").field("ledger", &self.ledger).finish_non_exhaustive()
    }
}

impl Steps {
    /// Opens the ledger. The address is not bound.
    pub async fn open(config: Config, deps: Deps) -> Result<Self, OpenError> {
        let (ledger, writer) = Ledger::open(&config.ledger, config.unverified).await?;
        let (_, readiness) = Reporter::new(ledger.clone(), deps.clone());
        let Deps { bus, clock } = deps;
        let Config { click, api_token, order_ttl, unverified, .. } = config;
        let relay = Relay::new(ledger.clone(), bus, Arc::clone(&clock));
        let maintenance = Maintenance::new(ledger.clone(), Arc::clone(&clock), order_ttl, unverified);
        let restore_gate = RestoreGate::new(false, clock.monotonic());
        let app = Arc::new(App {
            ledger: ledger.clone(),
            clock,
            click,
            api_token,
            order_ttl,
            believed_time: maintenance.believed_time(),
            undecided: maintenance.undecided(),
            readiness,
            restore_gate,
            flood_brake: flood_brake(),
        });
        Ok(Self { ledger, relay, maintenance, routes: routes(Arc::clone(&app)), app, writer })
    }

    /// Stops in good order: the file is all there is of the ledger then.
    pub async fn close(self) {
        drop((self.ledger, self.relay, self.maintenance, self.routes, self.app));
        self.writer.close().await;
    }
}
