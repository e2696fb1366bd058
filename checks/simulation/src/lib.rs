#![doc = include_str!("../README.md")]

pub mod bus;
pub mod clock;
pub mod faults;
mod faulty;
mod models;
pub mod plan;
mod refunds;
mod rules;
mod search;
mod steps;
pub mod store;
mod webhook;
mod world;

pub use search::{Failure, SHRINKING_TRIES, run, search};
pub use webhook::EmptyLedger;
