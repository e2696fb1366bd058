//! The tests of tests/it on PostgreSQL, and what only PostgreSQL needs. `engine` is all that differs for the same tests.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod engine;

#[path = "../it/app.rs"]
mod app;
#[path = "../it/audit.rs"]
mod audit;
#[path = "../it/bus.rs"]
mod bus;
#[path = "../it/callers.rs"]
mod callers;
#[path = "../it/click.rs"]
mod click;
#[path = "../it/log_watch.rs"]
mod log_watch;

#[path = "../it/adopting.rs"]
mod adopting;
#[path = "../it/callbacks.rs"]
mod callbacks;
#[path = "../it/cancelling.rs"]
mod cancelling;
#[path = "../it/expiry.rs"]
mod expiry;
#[path = "../it/faults_of_others.rs"]
mod faults_of_others;
#[path = "../it/killing.rs"]
mod killing;
#[path = "../it/ledger.rs"]
mod ledger;
#[path = "../it/lost_ledger.rs"]
mod lost_ledger;
#[path = "../it/openapi/mod.rs"]
mod openapi;
#[path = "../it/orders.rs"]
mod orders;
#[path = "../it/overload.rs"]
mod overload;
#[path = "../it/phone_invoices.rs"]
mod phone_invoices;
#[path = "../it/receipts.rs"]
mod receipts;
#[path = "../it/reconciliation.rs"]
mod reconciliation;
#[path = "../it/refunds.rs"]
mod refunds;
#[path = "../it/relay.rs"]
mod relay;
#[path = "../it/repeats.rs"]
mod repeats;
#[path = "../it/replay.rs"]
mod replay;
#[path = "../it/secrets.rs"]
mod secrets;
#[path = "../it/seen.rs"]
mod seen;
#[path = "../it/sequences.rs"]
mod sequences;
#[path = "../it/status.rs"]
mod status;
#[path = "../it/stop.rs"]
mod stop;
#[path = "../it/suites.rs"]
mod suites;
#[path = "../it/supervision.rs"]
mod supervision;
#[path = "../it/telegram.rs"]
mod telegram;
#[path = "../it/traceparents.rs"]
mod traceparents;
#[path = "../it/unplaced.rs"]
mod unplaced;

mod cutter;
mod moving;
mod plans;
mod sessions;
mod several;
mod silence;
