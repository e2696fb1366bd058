//! From the cart to the pay button.

pub(crate) mod draft;
pub(crate) mod place;
pub(crate) mod steps;
pub(crate) mod waiting;

use tolov_domain::{Language, Tiyin};

use crate::{
    conversation::{callback::ShopCallback, screen::Button},
    texts::{l, money},
};

/// Places the order that is shown, after which it can be paid.
pub(crate) fn pay_button(language: Language, total: Tiyin) -> Button {
    Button::callback(l!(language, "checkout-pay", total = money(language, total)), ShopCallback::PlaceOrder)
}
