//! The ledger on PostgreSQL: for several webhook processes on one ledger, on machines of their own
//! (docs/decisions/0012-postgresql-one-lock.md).

pub mod diagnosis;
pub(super) mod engine;
pub(super) mod open;
pub(super) mod readers;
pub(super) mod reads;
pub(super) mod relaying;
pub mod restored;
pub(super) mod session;
mod statements;
