//! The bus against a real broker. `TEST_AMQP_URL` names it; `scripts/test` starts one.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod alarm_proxy;
mod alarms;
mod closing;
mod contract;
mod publishing_faults;
mod reading_faults;
mod topology_faults;
mod world;
