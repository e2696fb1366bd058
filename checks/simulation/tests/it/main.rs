//! The simulation's ports keep their promises, its seeds find nothing and repeat exactly.
#![expect(clippy::unwrap_used, reason = "tests")]

mod contract;
mod seeds;
