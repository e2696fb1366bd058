#![doc = include_str!("../README.md")]

use tolov_domain::ports::documents::Collection;

pub mod broadcast;
pub mod catalogue;
pub mod chart;
pub mod csv;
pub mod order;
pub mod promo;
pub mod records;
pub mod seed;
pub mod settling;
pub mod shopper;
pub mod staff;
pub mod statistics;

/// Every collection of this crate, for the stores that create collections and indexes when they are opened.
pub const COLLECTIONS: [Collection; 14] = [
    broadcast::BROADCASTS,
    catalogue::CATALOGUE_CHANGES,
    catalogue::CATEGORIES,
    catalogue::PRODUCTS,
    csv::CATALOGUE_IMPORTS,
    order::ORDERS,
    promo::PROMO_CODES,
    shopper::USERS,
    shopper::support::SUPPORT_ALBUMS,
    shopper::support::SUPPORT_MESSAGES,
    staff::STAFF,
    staff::STAFF_ACTIONS,
    statistics::SALES_DAYS,
    statistics::SALES_DAYS_STATE,
];
