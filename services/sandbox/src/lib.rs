#![doc = include_str!("../README.md")]

pub mod click;
mod control;
mod http_reply;
mod ring;
mod sandbox;
pub mod telegram;

pub use sandbox::{Handle, Sandbox, SandboxConfig, SandboxError};
