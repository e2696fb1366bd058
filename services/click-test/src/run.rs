//! Runs the cases one after the other.

use std::{sync::Arc, time::Instant};

use tolov_domain::time::unix_ms;
use tolov_kit::{
    clock::{Clock, SystemClock},
    secret::redact_url,
};

use crate::{
    case::{Abort, Case, CaseRun, Needs, Tester},
    cases,
    catalogue::orders_needed,
    error::UsageError,
    options::Options,
    orders::{NoOrder, Orders},
    protocol::MerchantClient,
    report::{CaseReport, Report, StepReport, Verdict},
};

/// How far the run is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// The case that begins now; `None` at the end.
    pub case: Option<&'static str>,
    pub done: usize,
    pub failed: usize,
    pub all: usize,
}

/// Runs every selected case. An `Err` means that nothing was sent to Prepare or Complete.
pub async fn run(options: Options, mut report_progress: impl FnMut(Progress)) -> Result<Report, UsageError> {
    let selected = select(&options.only)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let now_ms = unix_ms(clock.now());
    let started = Instant::now();
    let deadline = options.deadline;
    let mut tester = Tester {
        merchant: MerchantClient::new(&options)?,
        // Seconds: new in every run, and within 32 bits until 2038.
        orders: Orders::new(options.orders.clone(), now_ms / 1_000),
        // Like CLICK's own numbers above 32 bits and below 2^53, and new in every run.
        last_trans_id: now_ms.saturating_mul(100),
        options,
        clock,
        answers: Vec::new(),
    };
    check_create_call(&mut tester, &selected).await?;
    let mut reports: Vec<CaseReport> = Vec::new();
    for case in &selected {
        let failed = reports.iter().filter(|report| report.verdict == Verdict::Failed).count();
        report_progress(Progress { case: Some(case.id), done: reports.len(), failed, all: selected.len() });
        let (verdict, steps) = if started.elapsed() < deadline {
            run_case(&mut tester, case).await
        } else {
            let reason = format!("the deadline of {} s for the whole run is over", deadline.as_secs());
            (Verdict::Skipped(reason), Vec::new())
        };
        let Case { id, level, title, why, .. } = *case;
        reports.push(CaseReport { id, level, title, why, verdict, steps });
    }
    report_progress(Progress { case: None, done: reports.len(), failed: 0, all: selected.len() });
    Ok(Report {
        prepare_url: redact_url(tester.options.prepare_url.as_str()),
        complete_url: redact_url(tester.options.complete_url.as_str()),
        service_id: tester.options.service_id,
        cases: reports,
        calls: tester.answers.len(),
        slowest: tester.answers.iter().map(|answer| answer.took).max().unwrap_or_default(),
        took: started.elapsed(),
    })
}

fn select(only: &[String]) -> Result<Vec<Case>, UsageError> {
    if let Some(word) = only.iter().find(|word| !cases::all().any(|case| case.is_selected_by(word))) {
        return Err(UsageError::NoSuchCase(word.clone()));
    }
    let is_selected = |case: &Case| only.is_empty() || only.iter().any(|word| case.is_selected_by(word));
    Ok(cases::all().filter(is_selected).collect())
}

/// Reports a create call that does not work once, and not in every case.
async fn check_create_call(tester: &mut Tester, selected: &[Case]) -> Result<(), UsageError> {
    if tester.orders.create_call().is_none() || orders_needed(selected.iter()) == 0 {
        return Ok(());
    }
    match tester.orders.shared(&tester.merchant).await {
        Err(NoOrder::Failed(error)) => Err(UsageError::Create(error)),
        Ok(_) | Err(NoOrder::Unavailable(_)) => Ok(()),
    }
}

async fn run_case(tester: &mut Tester, case: &Case) -> (Verdict, Vec<StepReport>) {
    // A case of many calls must not use up the whole run's time when the merchant never answers.
    let timeout = tester.options.answer_timeout.saturating_mul(6);
    let mut run = CaseRun { tester, steps: Vec::new() };
    let ended = tokio::time::timeout(timeout, (case.script)(&mut run)).await;
    let CaseRun { tester, mut steps } = run;
    let verdict = match ended {
        Ok(Err(Abort::Skip(reason))) => Verdict::Skipped(reason),
        Ok(Err(Abort::Failed)) => Verdict::Failed,
        Ok(Ok(())) if steps.iter().all(|step| step.passed) => Verdict::Passed,
        Ok(Ok(())) => Verdict::Failed,
        Err(_elapsed) => {
            steps.push(StepReport {
                sent: "the whole case".to_owned(),
                expected: format!("an end within {} s", timeout.as_secs()),
                got: "the merchant was too slow".to_owned(),
                passed: false,
                exchange: None,
            });
            Verdict::Failed
        }
    };
    if verdict == Verdict::Failed && case.needs == Needs::SharedOrder {
        tester.orders.discard_shared();
    }
    (verdict, steps)
}
