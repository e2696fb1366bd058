#![doc = include_str!("../README.md")]

pub mod bus;
mod click;
pub mod clock;
pub mod faults;
mod faulty;
pub mod plan;
mod rules;
mod search;
mod steps;
pub mod store;
mod telegram;
mod webhook;
mod world;

pub use search::{Failure, SHRINKING_TRIES, run, search};
pub use webhook::EmptyLedger;
