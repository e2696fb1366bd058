#![doc = include_str!("../README.md")]

pub mod click;
mod config;
mod control;
mod handle;
pub mod load;
pub mod monitor;
mod ring;
mod service;
pub mod telegram;
mod web;

pub use config::{Config, KEY_MARK};
pub use handle::Handle;
pub use service::{Service, StartError};
