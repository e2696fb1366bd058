//! Runs against small merchants: a correct one, and one for each known fault.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod faults;
mod merchant;
mod reporting;
