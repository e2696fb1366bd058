//! Payments of several requests: amounts, attempts, repetitions, cancellations, races.

mod amount;
mod attempts;
mod cancel;
mod race;
mod replay;

use crate::case::Case;

pub(super) const GROUPS: [&[Case]; 5] =
    [amount::CASES, attempts::CASES, replay::CASES, cancel::CASES, race::CASES];
