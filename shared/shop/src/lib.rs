#![doc = include_str!("../README.md")]

pub mod broadcast;
pub mod cart;
pub mod catalogue;
pub mod checkout;
pub mod csv;
pub mod fulfilment;
pub mod profile;
pub mod promo;
pub mod records;
pub mod search;
pub mod settling;
pub mod staff;
pub mod statistics;
pub mod stock;
pub mod support;
