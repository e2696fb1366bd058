//! The tester against small merchants: one that is right, and one for each known fault.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod faults;
mod merchant;
mod reporting;
