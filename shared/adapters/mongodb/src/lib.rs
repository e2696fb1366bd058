#![doc = include_str!("../README.md")]

mod shop;

mod failure;

mod document;
mod write;

mod notifications;
mod orders;
mod projection;
mod shoppers;

pub use shop::{MongoOptions, MongoShop};
