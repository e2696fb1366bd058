#![doc = include_str!("../README.md")]

pub mod availability;
pub mod clock;
pub mod clock_watch;
pub mod env;
pub mod http;
pub mod identity;
pub mod in_flight;
pub mod lifecycle;
pub mod metrics;
pub mod retry;
pub mod secret;
pub mod spans;
pub mod status;
pub mod telemetry;
