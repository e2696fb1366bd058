//! Every case, in the order in which they run.

mod answers;
mod create;
mod limits;
mod payments;
mod requests;
mod tools;

use crate::case::Case;

pub(crate) fn all() -> impl Iterator<Item = Case> {
    // The form of the answers is checked last, over all that came before.
    let groups = [
        &[tools::CASES][..],
        &requests::GROUPS,
        &payments::GROUPS,
        &[limits::CASES, create::CASES, answers::CASES],
    ];
    groups.into_iter().flatten().copied().flatten().copied()
}
