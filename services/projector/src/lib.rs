#![doc = include_str!("../README.md")]

mod batch;
mod config;
mod project;

pub use config::Config;
pub use project::{BatchOutcome, Deps, Projector};
