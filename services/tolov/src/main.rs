//! `tolov`: reads the command line and the settings, composes the services and runs them until they are stopped.

// Before the others: what they print goes through its macros.
#[macro_use]
mod output;

mod adapters;
mod audit;
mod backup;
mod cli;
mod commands;
mod data_folder;
mod demo;
mod doctor;
mod environment;
mod init;
mod legacy;
mod roles;
mod statement;
mod trace;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use tolov_kit::{env::EnvError, lifecycle::Ending};

use crate::cli::{Cli, Command};

/// Settings or arguments are missing or wrong, or an audit could not compare.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    // Ledger, stores and backups hold phone numbers and addresses: whatever this process creates is its user's alone.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    match run(Cli::parse()) {
        Ok(Ending::Clean) => output::failed().map_or(ExitCode::SUCCESS, ExitCode::from),
        Ok(Ending::Failed | Ending::Forced) => ExitCode::FAILURE,
        Err(error) => {
            output::write_error(format_args!("{error:#}"));
            let is_usage = error.is::<EnvError>() || error.is::<tolov_click_test::UsageError>();
            if is_usage || error.is::<audit::NotCompared>() {
                ExitCode::from(EXIT_USAGE)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

fn run(cli: Cli) -> Result<Ending> {
    let command = cli.command.unwrap_or(Command::Demo(cli::Demo::default()));
    let env = environment::load(cli.env_file.as_deref())?;
    environment::install_log(&env, command.default_log());
    let runtime = tokio::runtime::Runtime::new()?;
    // Sends the last spans when it is dropped, before the runtime is.
    let _exporting = environment::install_spans(&env, command.service_name(), runtime.handle())?;
    runtime.block_on(commands::run(command, &env))
}
