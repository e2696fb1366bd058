//! What `tolov reconcile` takes.

use std::path::PathBuf;

use clap::Args;
use tolov_domain::Day;

use crate::statement::columns::{Column, named};

#[derive(Debug, Args)]
pub(crate) struct Reconcile {
    /// The statement as CLICK's cabinet exports it: CSV or XLSX, at most 20 MB
    #[arg(long, value_name = "FILE")]
    pub(crate) statement: PathBuf,
    /// The header of a column, where it is not found by itself: payment=Номер, amount=Сумма, time=Дата, order=…, status=…
    #[arg(long = "column", value_name = "COLUMN=HEADER", value_parser = named)]
    pub(crate) columns: Vec<(Column, String)>,
    /// The first day of the statement, where it has days without payments before the first one
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    pub(crate) from: Option<Day>,
    /// The last day of the statement
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    pub(crate) to: Option<Day>,
    /// Tell the ledger nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

fn day(text: &str) -> Result<Day, String> {
    Day::parse(text).map_err(|error| error.to_string())
}
