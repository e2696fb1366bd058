//! Black-box tests against the servers that TEST_MONGO_URL and TEST_MONGO_REPLICA_SET_URL name.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod claiming;
mod connecting;
mod contract;
mod documents;
mod faults;
mod foreign;
mod moving_primary;
mod primary_change;
mod rights;
mod world;
