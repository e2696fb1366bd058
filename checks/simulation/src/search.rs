//! Runs plans, many at once, and looks for the shortest one that fails.

use std::{
    fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use anyhow::Result;

use crate::{
    plan::{Plan, Step},
    webhook::EmptyLedger,
    world::World,
};

/// How many shorter plans are tried, as a rule.
pub const SHRINKING_TRIES: u64 = 300;
/// Runs at the same time for each processor: a run often waits for SQLite's thread.
const RUNS_FOR_A_PROCESSOR: usize = 3;

/// A rule that did not hold.
#[derive(Debug, Clone)]
pub struct Failure {
    pub plan: Plan,
    pub rule: String,
    pub history: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "seed {}: {}", self.plan.seed, self.rule)?;
        writeln!(formatter, "the shortest history found, of {} steps:", self.plan.steps.len())?;
        self.history.iter().try_for_each(|line| writeln!(formatter, "  {line}"))?;
        write!(formatter, "again: scripts/simulate --seed {}", self.plan.seed)
    }
}

/// Runs one plan. Returns its history.
pub fn run(plan: &Plan, empty: &EmptyLedger) -> Result<Vec<String>, Box<Failure>> {
    let mut history = Vec::new();
    let outcome = World::new(plan, empty).and_then(|mut world| {
        let outcome = steps(&mut world, &plan.steps);
        history = std::mem::take(&mut world.history);
        outcome
    });
    match outcome {
        Ok(()) => Ok(history),
        Err(error) => Err(Box::new(Failure { plan: plan.clone(), rule: format!("{error:#}"), history })),
    }
}

fn steps(world: &mut World, steps: &[Step]) -> Result<()> {
    for step in steps {
        world.step(*step)?;
        world.check_confirmed()?;
        if step.kind.concerns_the_shop() {
            world.check()?;
        }
    }
    world.settle()
}

/// Leaves out steps for as long as some rule fails without them.
fn shrink(mut failure: Failure, empty: &EmptyLedger, tries_max: u64) -> Failure {
    let (mut tries, mut part) = (0, failure.plan.steps.len() / 2);
    while part > 0 {
        let mut from = 0;
        let mut is_shorter = false;
        while from < failure.plan.steps.len() && tries < tries_max {
            let mut plan = failure.plan.clone();
            let to = (from + part).min(plan.steps.len());
            plan.steps.drain(from..to);
            tries += 1;
            match run(&plan, empty) {
                Err(shorter) => (failure, is_shorter) = (*shorter, true),
                Ok(_) => from += part,
            }
        }
        if !is_shorter || tries >= tries_max {
            part /= 2;
        }
    }
    failure
}

/// Runs the plans of `count` seeds from `first` on. Returns the first failure found, shrunk with so many tries.
pub fn search(first: u64, count: u64, tries: u64) -> Result<Option<Failure>> {
    let empty = EmptyLedger::new()?;
    let processors = std::thread::available_parallelism().map_or(2, usize::from);
    let (next, found) = (AtomicU64::new(first), Mutex::new(None));
    let stop = AtomicBool::new(false);
    let end = first.saturating_add(count);
    std::thread::scope(|scope| {
        for _ in 0..processors * RUNS_FOR_A_PROCESSOR {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    if let Err(failure) = run(&Plan::of_seed(seed), &empty) {
                        stop.store(true, Ordering::Relaxed);
                        found.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(*failure);
                    }
                }
            });
        }
    });
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(found.map(|failure| shrink(failure, &empty, tries)))
}
