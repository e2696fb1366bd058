//! Payments that go wrong in a given way.

pub(super) mod definition;
mod run;
