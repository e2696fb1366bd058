//! Staff, shoppers who write to them, and the journal.

pub(crate) mod journal;
pub(crate) mod journal_texts;
pub(crate) mod members;
pub(crate) mod names;
pub(crate) mod support;
pub(crate) mod support_albums;
