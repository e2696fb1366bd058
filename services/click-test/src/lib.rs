#![doc = include_str!("../README.md")]

mod answer;
mod callback;
mod case;
mod cases;
mod merchant;
mod options;
mod orders;
mod play;
mod report;
mod run;

pub use case::{Level, catalogue};
pub use options::{CreateCall, Options, OrderSource, UsageError, given_order, header};
pub use orders::Order;
pub use report::{CaseReport, Report, StepReport, Verdict};
pub use run::{Progress, run};
