//! Prepare and Complete: the form, its delivery with the faults that were requested, and the merchant's answer.

pub(super) mod exchange;
pub(super) mod faults;
pub(super) mod form;
mod send;
