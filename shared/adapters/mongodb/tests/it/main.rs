//! Black-box tests against the server that TEST_MONGO_URL names.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod claiming;
mod connecting;
mod contract;
mod documents;
mod faults;
mod foreign;
mod primary_change;
mod replica_set;
mod rights;
mod world;
