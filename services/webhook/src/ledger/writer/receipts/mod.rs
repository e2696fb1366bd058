//! Fiscal receipts.

mod rows;
pub(in crate::ledger) mod steps;

pub(in crate::ledger) use rows::{ReceiptRow, Receipts};
