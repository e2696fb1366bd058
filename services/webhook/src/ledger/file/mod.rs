//! The ledger's file: opening it, its disk, and what is done with it while the service is stopped.

pub mod backup;
pub(super) mod disk;
pub(super) mod engine;
pub(super) mod open;
pub mod restore;
mod statements;
mod store;
