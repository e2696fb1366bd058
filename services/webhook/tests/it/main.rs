//! Black-box tests of the webhook service: over HTTP as CLICK and the bot see it, on the bus as the projector sees it,
//! and in the ledger's file as an auditor sees it. `app` runs a service of its own for each test.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod app;
mod audit;
mod backup;
mod bus;
mod callers;
mod click;
mod engine;
mod log_watch;

mod adopting;
mod callbacks;
mod cancelling;
mod config;
mod expiry;
mod faults_of_others;
mod file;
mod killing;
mod ledger;
mod lost_ledger;
mod openapi;
mod orders;
mod overload;
mod phone_invoices;
mod plans;
mod receipts;
mod reconciliation;
mod refunds;
mod relay;
mod repeats;
mod replay;
mod secrets;
mod seen;
mod sequences;
mod status;
mod stop;
mod suites;
mod supervision;
mod telegram;
mod traceparents;
mod unplaced;
