//! What is bought, as the money path knows it.

use serde::{Deserialize, Serialize};

use crate::{ids::ProductId, money::Tiyin};

/// A product or a variant of one, and how many pieces of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderedProduct {
    pub product_id: ProductId,
    /// At least 1.
    pub count: u32,
}

/// A line of an order, with the title and the price of the moment of checkout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    pub product_id: ProductId,
    /// At least 1.
    pub count: u32,
    /// Empty where the order was made from an event and the catalogue does not have the product.
    pub title: String,
    /// Of one piece; `None` where it is not known.
    pub price: Option<Tiyin>,
}

impl OrderLine {
    pub const fn product(&self) -> OrderedProduct {
        OrderedProduct { product_id: self.product_id, count: self.count }
    }
}
