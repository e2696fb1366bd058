#![doc = include_str!("../README.md")]

pub mod clock;
pub mod env;
pub mod http;
pub mod lifecycle;
pub mod retry;
pub mod secret;
pub mod telemetry;
