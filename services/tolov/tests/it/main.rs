//! The built program, from outside: processes, real servers, kill -9.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that meets what it did not expect has failed; what it prints helps to see why"
)]

mod catalogue;
mod click_test;
mod conversation;
mod demo;
mod environment;
mod journey;
mod one_server;
mod operating;
mod page;
mod processes;
mod secrecy;
mod shop_world;
