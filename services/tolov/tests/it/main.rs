//! The built program, from outside: processes, real servers, kill -9.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "an unexpected value fails a test, and its output shows why"
)]

mod audit;
mod books;
mod catalogue;
mod click_test;
mod conversation;
mod demo;
mod deployment;
mod drills;
mod environment;
mod init;
mod journey;
mod legacy;
mod one_server;
mod operating;
mod operators;
mod page;
mod processes;
mod refunds;
mod secrecy;
mod shop_world;
mod statement;
mod trace;
