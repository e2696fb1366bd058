//! CLICK, its Merchant API, and Telegram, as far as a run needs them.

pub(crate) mod click;
pub(crate) mod merchant;
pub(crate) mod telegram;
