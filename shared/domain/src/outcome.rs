//! What became of a change that may have been made before.

use std::convert::Infallible;

/// "Already done" is a value: a repetition is told apart from a first time, and neither is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome<R = Infallible> {
    Applied,
    /// An earlier call, or somebody else, did the same before. Nothing was changed.
    AlreadyApplied,
    /// The state does not allow it. Nothing was changed.
    Refused(R),
}

impl<R> Outcome<R> {
    pub const fn is_applied(&self) -> bool {
        matches!(self, Self::Applied)
    }
}
