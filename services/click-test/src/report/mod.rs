//! The results of a run, and the three forms in which they are printed.

mod json;
mod junit;
mod results;
mod table;

pub(crate) use results::Exchange;
pub use results::{CaseReport, Report, StepReport, Verdict};
