#![doc = include_str!("../README.md")]

mod case;
mod cases;
mod catalogue;
mod error;
mod level;
mod options;
mod order;
mod orders;
mod protocol;
mod report;
mod run;

pub use catalogue::catalogue;
pub use error::{CreateError, UsageError};
pub use level::Level;
pub use options::{CreateCall, Options, OrderSource, header};
pub use order::{Order, given_order};
pub use report::{CaseReport, Report, StepReport, Verdict};
pub use run::{Progress, run};
