//! The simulation itself.

use tolov_simulation::{EmptyLedger, SHRINKING_TRIES, plan::Plan, run, search};

/// SIMULATION_SEEDS: how many seeds to run instead.
const SEEDS: u64 = 2_000;

#[test]
fn whatever_breaks_a_payment_that_click_completed_becomes_one_paid_order_and_one_message() {
    let seeds = std::env::var("SIMULATION_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(SEEDS);
    if let Some(failure) = search(1, seeds, SHRINKING_TRIES).unwrap() {
        panic!("{failure}");
    }
}

#[test]
fn a_seed_replays_exactly() {
    let empty = EmptyLedger::new().unwrap();
    for seed in 1..=60 {
        let [first, second] = [(), ()].map(|()| run(&Plan::of_seed(seed), &empty).unwrap());
        assert_eq!(first, second, "seed {seed}");
    }
}
