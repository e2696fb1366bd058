//! Payments by Telegram's invoice, and invoices to a phone number.

pub(in crate::ledger) mod phone;
mod rows;
pub(in crate::ledger) mod telegram;

pub(super) use rows::TelegramRow;
