//! What a test case is, and what its script works with.

mod context;
mod definition;

pub(crate) use context::{Abort, CaseResult, CaseRun, REFUSED, RecordedAnswer, Tester, count, tally};
pub(crate) use definition::{Case, Needs, script, sync_script};
