//! Every case, in the order in which they are played.

mod amount;
mod answers;
mod attempts;
mod cancel;
mod create;
mod encoding;
mod form;
mod limits;
mod race;
mod replay;
mod signature;
mod tools;

use crate::case::Case;

pub(crate) fn all() -> impl Iterator<Item = Case> {
    // The form of the answers is judged last, when there are many of them.
    [
        tools::CASES,
        signature::CASES,
        form::CASES,
        encoding::CASES,
        amount::CASES,
        attempts::CASES,
        replay::CASES,
        cancel::CASES,
        race::CASES,
        limits::CASES,
        create::CASES,
        answers::CASES,
    ]
    .into_iter()
    .flatten()
    .copied()
}
