//! `scripts/simulate`: runs many seeds, or one again with its whole history.
#![expect(clippy::print_stdout, reason = "the report is this program's answer")]

use std::{process::ExitCode, time::Instant};

use anyhow::{Context, Result, bail};
use tolov_simulation::{EmptyLedger, SHRINKING_TRIES, plan::Plan, run, search};

const USAGE: &str = "usage: scripts/simulate --seeds N [--first SEED] [--shrink TRIES] | --seed SEED";

fn main() -> Result<ExitCode> {
    let (mut seeds, mut first, mut seed, mut tries) = (None, 1, None, SHRINKING_TRIES);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().context(USAGE)?.parse::<u64>().context(USAGE)?;
        match name.as_str() {
            "--seeds" => seeds = Some(value),
            "--first" => first = value,
            "--shrink" => tries = value,
            "--seed" => seed = Some(value),
            _ => bail!(USAGE),
        }
    }
    match (seeds, seed) {
        (_, Some(seed)) => replay(seed),
        (Some(seeds), None) => look_for_a_failure(first, seeds, tries),
        (None, None) => bail!(USAGE),
    }
}

fn replay(seed: u64) -> Result<ExitCode> {
    match run(&Plan::of_seed(seed), &EmptyLedger::new()?) {
        Ok(history) => {
            println!("{}", history.join("\n"));
            Ok(ExitCode::SUCCESS)
        }
        Err(failure) => {
            println!("{failure}");
            Ok(ExitCode::FAILURE)
        }
    }
}

fn look_for_a_failure(first: u64, seeds: u64, tries: u64) -> Result<ExitCode> {
    let began = Instant::now();
    if let Some(failure) = search(first, seeds, tries)? {
        println!("{failure}");
        return Ok(ExitCode::FAILURE);
    }
    let took_s = began.elapsed().as_secs();
    println!("{seeds} seeds from {first} on: nothing found in {took_s} s");
    Ok(ExitCode::SUCCESS)
}
