//! People who come to the shop: who they are, their carts, how a cart becomes an order, their talks with staff.

pub mod cart;
pub mod checkout;
mod record;
pub mod support;

pub(crate) use record::PAID_ORDERS_MAX;
pub use record::{
    Person, SeenArticle, Shopper, USERS, change, invited_by, mark_blocked, mark_reachable, register_user,
    shopper,
};
