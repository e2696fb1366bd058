//! The built program, from outside: processes, real servers, kill -9.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "an unexpected value fails a test, and its output shows why"
)]

mod alerting;
mod audit;
mod books;
mod broker_faults;
mod catalogue;
mod click_test;
mod collector;
mod conversation;
mod crash_points;
mod crowds;
mod demo;
mod deployment;
mod disk;
mod drills;
mod environment;
mod faults;
mod init;
mod journey;
mod legacy;
mod manual;
mod moving;
mod one_server;
mod operating;
mod operators;
mod page;
mod paid_order;
mod postgres;
mod processes;
mod receipts;
mod refunds;
mod restoring;
mod secrecy;
mod shop_world;
mod side_by_side;
mod statement;
mod trace;
