#![doc = include_str!("../README.md")]

mod board;
pub mod click;
mod control;
pub mod hops;
mod http_reply;
pub mod load;
mod page;
mod ring;
mod sandbox;
pub mod telegram;

pub use board::{Board, Switch};
pub use sandbox::{Handle, Sandbox, SandboxConfig, SandboxError};
