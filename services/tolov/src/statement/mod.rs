//! `tolov reconcile --statement FILE`: compares a statement of CLICK's cabinet with the ledger, both ways, through the API of
//! the running webhook service. The only comparison that knows sums, and payments that never reached us.

#[cfg(test)]
mod any_bytes;
pub(crate) mod columns;
mod compare;
mod report;
mod row;
mod table;

use anyhow::{Context, Result, bail};
use serde_json::json;
use time::Duration;
use tolov_domain::{
    refund::api::{Attempt, ReportSource, SeenOutcome, SeenPayment, SeenRequest},
    time::Timestamp,
};
use tolov_kit::{env::Env, lifecycle::Ending};
use tolov_reconciler::{Ledger, LedgerClient, accepts};

use self::{
    columns::Columns,
    compare::{Difference, Report, compare},
    report::print,
    row::Statement,
};
use crate::{
    audit::{NotCompared, replayer::ServiceAddress},
    cli::Reconcile,
    commands::journal::Journal,
    data_folder::DataFolder,
};

/// Attempts that were prepared this long before the statement's span may be paid in it.
const PREPARED_BEFORE: Duration = Duration::days(3);
/// CLICK's payment_status: paid, and reversed.
const PAID: i64 = 2;
const REVERSED: i64 = -1;

/// Clean: everything agrees. Failed: something differs, also where the ledger has taken it in.
pub(crate) async fn run(env: &Env, options: &Reconcile) -> Result<Ending> {
    let data = DataFolder::from_env(env);
    let service = ServiceAddress::from_env(env);
    let accept = accepts(env);
    env.finish()?;
    let compared = reconcile(options, &data, service, accept).await;
    let (statement, differences) = compared.map_err(|error| error.context(NotCompared))?;
    print(&statement, &differences, options.json, options.dry_run);
    Ok(if differences.is_empty() { Ending::Clean } else { Ending::Failed })
}

async fn reconcile(
    options: &Reconcile,
    data: &DataFolder,
    service: ServiceAddress,
    accept: bool,
) -> Result<(Statement, Vec<Difference>)> {
    let file = &options.statement;
    let rows = table::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let (columns, first) = Columns::find(&rows, &options.columns)?;
    let mut statement = Statement::read(&columns, rows, first);
    statement.widen(options.from, options.to);
    let Some(span) = statement.span.clone() else { bail!("the statement has no payment that can be read") };
    let (url, token) =
        service.known().context("set WEBHOOK_URL and API_TOKEN: the webhook service keeps the ledger")?;
    let ledger = LedgerClient::at(url, token)?;
    let attempts = attempts_since(&ledger, span.start - PREPARED_BEFORE).await?;
    let (mut differences, reports) = compare(&statement, &attempts);
    if options.dry_run {
        differences.extend(reports.into_iter().map(|report| Difference::Reported(report, None)));
        return Ok((statement, differences));
    }
    if !reports.is_empty() {
        let payments: Vec<i64> = reports.iter().map(|report| report.payment_id.get()).collect();
        Journal::beside(data.ledger_path())
            .record("reconcile", json!({ "statement": file, "accept": accept, "payments": payments }))?;
    }
    for report in reports {
        let outcome = tell(&ledger, &report, accept).await?;
        // A reversal that a refund of ours explains.
        if !(report.is_reversed && outcome == SeenOutcome::Unchanged) {
            differences.push(Difference::Reported(report, Some(outcome)));
        }
    }
    Ok((statement, differences))
}

async fn attempts_since(ledger: &LedgerClient, since: Timestamp) -> Result<Vec<Attempt>> {
    let (mut before, mut attempts) = (None, Vec::new());
    loop {
        let page = ledger.attempts(before).await?;
        let Some(last) = page.last() else { return Ok(attempts) };
        before = Some(last.prepare_id);
        let is_last = last.prepared_at < since;
        attempts.extend(page);
        if is_last {
            return Ok(attempts);
        }
    }
}

/// Through the state machine of callbacks, under the rule of CLICK_RECONCILE_ACCEPT.
async fn tell(ledger: &LedgerClient, report: &Report, accept: bool) -> Result<SeenOutcome> {
    let status = if report.is_reversed { REVERSED } else { PAID };
    let seen = SeenRequest {
        payment: Some(SeenPayment { payment_id: report.payment_id, status }),
        source: ReportSource::Statement,
        amount_tiyin: Some(report.amount),
        accept,
    };
    Ok(ledger.seen(report.attempt.prepare_id, seen).await?.outcome)
}
