#![doc = include_str!("../README.md")]

mod shop;

mod diagnosis;
mod failure;
mod indexes;

mod body;
mod document;
mod write;

mod documents;
mod notifications;
mod orders;
mod projection;
mod shoppers;

pub use diagnosis::Diagnosis;
pub use shop::{MongoOptions, MongoShop};
