//! `tolov audit` compares ledger, bus, shop store and notifications while the services run; `tolov rebuild` makes the shop
//! store's payments those of the ledger.
//!
//! The ledger is right about money, the shop store about goods. Orders are read in pages by number from both stores at the
//! same time, so that no more than a page of each is in memory, however many orders there are.

mod books;
mod difference;
mod findings;
pub(crate) mod last_audit;
mod looks;
mod messages;
mod orders;
mod rebuild;
mod refunds;
mod repair;
pub(crate) mod replayer;
mod report;
mod shop;

use std::{fmt, time::Duration};

use anyhow::{Context, Result};
use tolov_domain::time::unix_ms;
use tolov_kit::{
    clock::{Clock, SystemClock},
    env::Env,
    lifecycle::Ending,
};

pub(crate) use self::rebuild::run as rebuild;
use self::{
    books::{Books, Places},
    last_audit::LastAudit,
    repair::Repairer,
    replayer::ServiceAddress,
    report::Report,
};
use crate::{cli::Audit, commands::repeating::Repeating, doctor::texts, roles::status_page};

const EVERY: Duration = Duration::from_hours(24);

/// An audit that says neither yes nor no.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NotCompared;

impl fmt::Display for NotCompared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the books could not be compared")
    }
}

struct Auditor {
    places: Places,
    service: ServiceAddress,
    settle_for: Duration,
    told_within: Duration,
    repair: bool,
}

pub(crate) async fn run(env: &Env, options: &Audit) -> Result<Ending> {
    let auditor = Auditor {
        places: Places::from_env(env),
        service: ServiceAddress::from_env(env),
        settle_for: Duration::from_secs(options.settle_for),
        told_within: options.told_within,
        repair: options.repair,
    };
    let addr = status_page::address(env);
    env.finish()?;
    if options.repeat {
        let last = LastAudit::of(auditor.places.data.ledger_path()).map(|audit| audit.at);
        let repeating = Repeating { name: "audit", every: EVERY, last };
        return repeating.run(addr, async || auditor.audit().await.map(|report| report.log())).await;
    }
    let report = auditor.audit().await.map_err(|error| error.context(NotCompared))?;
    let language = options.language.unwrap_or_else(texts::language_of_terminal);
    report.print(options.json, language);
    Ok(if report.is_good() { Ending::Clean } else { Ending::Failed })
}

impl Auditor {
    async fn audit(&self) -> Result<Report> {
        let data = &self.places.data;
        let _lock = data.share(&data.existing_parts())?;
        let at = SystemClock.now();
        let books = Books::open(&self.places, self.told_within).await?;
        let compared = looks::compare(&books, self.settle_for).await;
        let report = match compared {
            Ok((findings, totals)) => {
                let mut report = Report { at_ms: unix_ms(at), totals, findings, repairs: Vec::new() };
                if self.repair {
                    let mut repairer = Repairer::new(&books, data, &self.service);
                    report.repairs = repairer.repair_all(&report.findings).await;
                    repairer.close().await;
                }
                Ok(report)
            }
            Err(error) => Err(error),
        };
        books.close().await;
        let report = report?;
        let last = LastAudit { at, differences: report.findings.count() };
        last.record(data.ledger_path()).context("what the audit found could not be kept for the metrics")?;
        Ok(report)
    }
}
