#![doc = include_str!("../README.md")]

mod batch;
mod config;
mod project;
mod reach;

pub use config::Config;
pub use project::{Deps, Outcome, Projector};
