//! The bus against a real broker. `TEST_AMQP_URL` names it; `scripts/test` starts one.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod alarms;
mod broker_proxy;
mod closing;
mod contract;
mod counting_faults;
mod publishing_faults;
mod reading_faults;
mod topology_faults;
mod world;
