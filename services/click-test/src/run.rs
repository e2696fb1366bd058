//! Plays the cases one after the other.

use std::{sync::Arc, time::Instant};

use tolov_domain::time::unix_ms;
use tolov_kit::clock::{Clock, SystemClock};

use crate::{
    case::{Case, Halt, Needs, orders_needed},
    cases,
    merchant::Merchant,
    options::{Options, UsageError},
    orders::{NoOrder, Orders},
    play::{Play, Stage},
    report::{CaseReport, Report, StepReport, Verdict},
};

/// How far the run is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// The case that begins now; the last call comes without one.
    pub case: Option<&'static str>,
    pub done: usize,
    pub failed: usize,
    pub all: usize,
}

/// Plays every case that was asked for. An `Err` means that nothing was sent to Prepare or Complete.
pub async fn run(options: Options, mut tell: impl FnMut(Progress)) -> Result<Report, UsageError> {
    let chosen = choose(&options.only)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let now_ms = unix_ms(clock.now());
    let started = Instant::now();
    let deadline = options.deadline;
    let mut stage = Stage {
        merchant: Merchant::new(&options)?,
        // Seconds: a number that no run before has used, and that fits into 32 bits for another decade.
        orders: Orders::new(options.orders.clone(), now_ms / 1_000),
        // Numbers like CLICK's own, far above 32 bits and far below 2^53, new in every run.
        last_trans_id: now_ms.saturating_mul(100),
        options,
        clock,
        answers: Vec::new(),
    };
    prove_create_call(&mut stage, &chosen).await?;
    let mut reports: Vec<CaseReport> = Vec::new();
    for case in &chosen {
        let failed = reports.iter().filter(|report| report.verdict == Verdict::Failed).count();
        tell(Progress { case: Some(case.id), done: reports.len(), failed, all: chosen.len() });
        let report = if started.elapsed() < deadline {
            play(&mut stage, case).await
        } else {
            let reason = format!("the time for everything, {} s, is over", deadline.as_secs());
            CaseReport::new(case, Verdict::Skipped(reason), Vec::new())
        };
        reports.push(report);
    }
    tell(Progress { case: None, done: reports.len(), failed: 0, all: chosen.len() });
    Ok(Report {
        prepare_url: tolov_kit::secret::redact_url(stage.options.prepare_url.as_str()),
        complete_url: tolov_kit::secret::redact_url(stage.options.complete_url.as_str()),
        service_id: stage.options.service_id,
        cases: reports,
        calls: stage.answers.len(),
        slowest: stage.answers.iter().map(|seen| seen.took).max().unwrap_or_default(),
        took: started.elapsed(),
    })
}

fn choose(only: &[String]) -> Result<Vec<Case>, UsageError> {
    for word in only {
        if !cases::all().any(|case| case.is_meant_by(word)) {
            return Err(UsageError::NoSuchCase(word.clone()));
        }
    }
    let is_chosen = |case: &Case| only.is_empty() || only.iter().any(|word| case.is_meant_by(word));
    Ok(cases::all().filter(is_chosen).collect())
}

/// A create call that does not work would skip or fail everything: say so once, before anything is played.
async fn prove_create_call(stage: &mut Stage, chosen: &[Case]) -> Result<(), UsageError> {
    if stage.orders.create_call().is_none() || orders_needed(chosen.iter()) == 0 {
        return Ok(());
    }
    match stage.orders.lent(&stage.merchant).await {
        Ok(_) => Ok(()),
        Err(NoOrder::Failed(reason) | NoOrder::Unavailable(reason)) => Err(UsageError::Create(reason)),
    }
}

async fn play(stage: &mut Stage, case: &Case) -> CaseReport {
    // A case of many calls against a merchant that never answers must not eat the time of all others.
    let case_deadline = stage.options.answer_timeout.saturating_mul(6);
    let mut play = Play { stage, steps: Vec::new() };
    let ended = tokio::time::timeout(case_deadline, (case.script)(&mut play)).await;
    let Play { stage, mut steps } = play;
    let verdict = match ended {
        Ok(Err(Halt::Skip(reason))) => Verdict::Skipped(reason),
        Ok(Err(Halt::Failed)) => Verdict::Failed,
        Ok(Ok(())) if steps.iter().all(|step| step.passed) => Verdict::Passed,
        Ok(Ok(())) => Verdict::Failed,
        Err(_elapsed) => {
            steps.push(StepReport {
                sent: "the case as a whole".to_owned(),
                expected: format!("an end within {} s", case_deadline.as_secs()),
                got: "the merchant was too slow".to_owned(),
                passed: false,
                exchange: None,
            });
            Verdict::Failed
        }
    };
    if verdict == Verdict::Failed && case.needs == Needs::Lent {
        stage.orders.spoil();
    }
    CaseReport::new(case, verdict, steps)
}
