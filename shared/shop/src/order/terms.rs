//! What shopper and shop agree on at checkout.

use serde::{Deserialize, Serialize};
use tolov_domain::{Phone, Tiyin};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    Pickup,
    Address {
        text: String,
        landmark: Option<String>,
    },
    /// Degrees as decimal texts, as Telegram sent them.
    Location {
        latitude: String,
        longitude: String,
        landmark: Option<String>,
    },
}

/// The total of the order is goods less discount plus delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    pub goods: Tiyin,
    pub discount: Tiyin,
    /// The code that the discount comes from.
    pub promo_code: Option<String>,
    pub delivery_price: Tiyin,
    pub delivery: Delivery,
    pub phone: Phone,
    pub comment: Option<String>,
}
