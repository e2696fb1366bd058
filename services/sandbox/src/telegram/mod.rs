//! The Bot API emulator: what api.telegram.org answers a bot, and the people who use the bot.

pub(crate) mod bot_api;
mod emulator;
mod error;
mod log;
mod people;
mod refusal;
mod state;

pub use emulator::{BotProfile, Telegram, TelegramConfig};
pub use error::ControlError;
pub use log::ChatSummary;
pub use people::taps::{Tap, Tapped};
pub(crate) use state::files::picture_type;
pub use state::{
    chat::{Channel, NewShopper, Shopper},
    faults::{Fault, FaultEffect},
    files::FileRecord,
    formatting::{Entity, FormattedText},
    keyboard::{Button, ButtonAction},
    message::{Body, Contact, MAX_EARLIER, Message, Sender, Version},
    payments::{Checkout, CheckoutAnswer, Invoice, SuccessfulPayment},
    records::{Call, CallOutcome, CallbackAnswer, CallbackQuery},
};
