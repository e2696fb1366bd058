//! The bus and the shop store, whichever they are.

use tolov_domain::ports::PortError;

use super::{machine, report::Finding};
use crate::adapters::{BusAddress, ShopAddress, ShopDiagnosis, diagnose_bus, diagnose_shop};

pub(super) async fn check_bus(address: &BusAddress) -> Vec<Finding> {
    let depths = match diagnose_bus(address).await {
        Ok(Some(depths)) => depths,
        Ok(None) => return vec![Finding::good("bus-not-yet")],
        Err(PortError::Unavailable(detail)) => {
            let mut findings = vec![Finding::bad("bus-away").with("detail", detail)];
            findings.extend(machine::check_open_files());
            return findings;
        }
        Err(PortError::Refused(detail)) => return vec![Finding::bad("bus-refuses").with("detail", detail)],
    };
    let mut findings = Vec::new();
    for (queue, depth) in depths {
        findings.push(
            Finding::good("queue-good")
                .with("queue", queue.name())
                .with("ready", depth.ready)
                .with("retrying", depth.retrying),
        );
        if depth.parked > 0 {
            let parked = Finding::doubtful("queue-parked").with("queue", queue.name());
            findings.push(parked.with("parked", depth.parked));
        }
    }
    findings
}

pub(super) async fn check_shop(address: &ShopAddress) -> Vec<Finding> {
    match diagnose_shop(address).await {
        Ok(ShopDiagnosis::MongoDb(mongo)) => {
            let good = if mongo.is_replica_set {
                Finding::good("mongo-replica-set")
            } else {
                Finding::good("mongo-standalone")
            };
            let mut findings = vec![good.with("version", mongo.version).with("database", mongo.database)];
            if !mongo.missing_indexes.is_empty() {
                let missing = mongo.missing_indexes.join(", ");
                findings.push(Finding::bad("mongo-index").with("missing", missing));
            }
            findings
        }
        Ok(ShopDiagnosis::Embedded(file)) => vec![Finding::good("shop-good").with("path", file.display())],
        Ok(ShopDiagnosis::NotYet(file)) => vec![Finding::good("shop-not-yet").with("path", file.display())],
        Err(PortError::Unavailable(detail)) => {
            let mut findings = vec![Finding::bad("shop-away").with("detail", detail)];
            findings.extend(machine::check_avx());
            findings
        }
        Err(PortError::Refused(detail)) => vec![Finding::bad("shop-refuses").with("detail", detail)],
    }
}
