//! The simulation's ports keep their promises, its seeds find nothing and repeat exactly.

mod contract;
mod seeds;
