#![doc = include_str!("../README.md")]

mod shop;

mod diagnosis;
mod failure;
mod foreign;
mod indexes;

mod body;
mod bulk;

mod documents;
mod driver;
mod notifications;

pub use diagnosis::Diagnosis;
pub use foreign::{ForeignDatabase, is_same_database};
pub use shop::{MongoOptions, MongoShop};
