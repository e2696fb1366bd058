//! The command line of `tolov ledger`.

use clap::{Args, Subcommand};

use super::moment::{Moment, SinceBackup};

#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) action: Action,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Copy every row into a place that has no ledger, read it back and compare; services must be stopped
    ///
    /// A place is the path of a file, an address such as postgres://user@host/database, or the word LEDGER_PATH or LEDGER_URL for
    /// what that setting says. Other users of the machine see a command line: give a password by LEDGER_URL.
    Copy { from: String, to: String },
    /// After PostgreSQL was put back to an earlier time: give no number to CLICK twice, and take back what the shop store and
    /// the bus know to be paid since; services must be stopped
    Restored {
        /// The time that it was put back to: 2026-11-23T07:05:00Z, or so long ago: 30m, 24h, 7d
        #[arg(value_parser = Moment::parse)]
        time: Moment,
        #[command(flatten)]
        since: SinceBackup,
    },
}
