//! Single requests: who may send them, and what they consist of.

mod encoding;
mod fields;
mod signature;

use crate::case::Case;

pub(super) const GROUPS: [&[Case]; 3] = [signature::CASES, fields::CASES, encoding::CASES];
