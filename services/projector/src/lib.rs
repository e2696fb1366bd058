#![doc = include_str!("../README.md")]

mod batch;
mod config;
mod days;
mod project;

pub use config::Config;
pub use project::{BatchOutcome, Deps, Projector};
