//! What the ledger's events, and people who cancel, do to orders, stock, carts and promo codes.
//!
//! Each step may be repeated, in any order and after a crash at any point, by several processes at once, with one effect.
//! The order's own record is written first: it decides who wins (the money, the time limit, a cancellation) before any
//! stock moves. Everything else follows from it, and whoever comes next to a record that is not settled finishes it.

mod batch;
mod closing;
mod goods;
mod left;
mod people;
mod repair;

pub use batch::{Settled, settle};
pub(crate) use closing::release;
pub use closing::{CREATING_LIMIT, MetInCreation, abandon_old, cancel_paid, close, refund_by_hand};
pub use left::{release_strays, settle_left};
pub use repair::{
    Difference, Purchases, correct_order, correct_shopper, difference, hold_again, is_stray, not_held,
    purchases, release_stray, settle_again,
};
