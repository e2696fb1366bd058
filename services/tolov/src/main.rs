//! `tolov`: reads the command line and the environment, composes the services, runs them until they are stopped.

mod adapters;
mod backup;
mod catalogue;
mod cli;
mod click_test;
mod demo;
mod dispatch;
mod doctor;
mod healthcheck;
mod local_defaults;
mod parked;
mod people;
mod roles;
mod settings;
mod status_page;

use std::process::ExitCode;

use clap::Parser;
use tolov_kit::{
    env::{Env, EnvError},
    lifecycle::Ending,
};

use crate::cli::{Cli, Command};

/// Settings are missing or wrong.
const EXIT_SETTINGS: u8 = 2;

fn main() -> ExitCode {
    let command = Cli::parse().command.unwrap_or(Command::Demo(cli::Demo::default()));
    let mut env = Env::from_process();
    local_defaults::complete(&mut env);
    settings::install_log(&env, command.default_log());
    let outcome = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime.block_on(dispatch::run(command, &env)),
        Err(error) => Err(error.into()),
    };
    match outcome {
        Ok(Ending::Clean) => ExitCode::SUCCESS,
        Ok(Ending::Failed | Ending::Forced) => ExitCode::FAILURE,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "the last word of a process that cannot go on")]
            {
                eprintln!("tolov: {error:#}");
            }
            let is_usage = error.is::<EnvError>() || error.is::<tolov_click_test::UsageError>();
            if is_usage { ExitCode::from(EXIT_SETTINGS) } else { ExitCode::FAILURE }
        }
    }
}
