//! `tolov`: reads the command line and the environment, composes the services, runs them until they are stopped.

mod adapters;
mod cli;
mod demo;
mod parked;
mod roles;
mod settings;

use std::process::ExitCode;

use anyhow::Result;
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
    let env = Env::from_process();
    let quiet = matches!(command, Command::Demo(_) | Command::Parked(_));
    settings::install_log(&env, if quiet { "warn" } else { "info" });
    let outcome = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime.block_on(run(command, &env)),
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
            if error.is::<EnvError>() { ExitCode::from(EXIT_SETTINGS) } else { ExitCode::FAILURE }
        }
    }
}

async fn run(command: Command, env: &Env) -> Result<Ending> {
    match command {
        Command::Demo(options) => demo::run(env, &options).await,
        Command::All => roles::all(env).await,
        Command::Webhook => roles::webhook(env).await,
        Command::Projector => roles::projector(env).await,
        Command::Bot => roles::bot(env).await,
        Command::Sandbox => roles::sandbox(env).await,
        Command::Parked(parked) => parked::run(env, parked.deed).await.map(|()| Ending::Clean),
    }
}
