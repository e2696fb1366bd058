#![doc = include_str!("../README.md")]

mod shop;

mod diagnosis;
mod failure;
mod indexes;

mod body;
mod bulk;

mod documents;
mod notifications;

pub use diagnosis::Diagnosis;
pub use shop::{MongoOptions, MongoShop};
