//! CLICK, its Merchant API, Telegram, and what shoppers have in their carts, as far as a run needs them.

pub(crate) mod carts;
pub(crate) mod click;
pub(crate) mod merchant;
pub(crate) mod telegram;
