//! The projector against small doubles of its ports, which fail where a test wants them to.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop there")]

mod days;
mod doubles;
mod faults;
mod project;
mod settling;
mod shop;
mod unplaced;
