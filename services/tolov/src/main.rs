//! `tolov`: reads the command line and the environment, composes the services, runs them until they are stopped.

mod adapters;
mod backup;
mod cli;
mod click_test;
mod demo;
mod doctor;
mod healthcheck;
mod local_defaults;
mod parked;
mod roles;
mod settings;
mod status_page;

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
    let mut env = Env::from_process();
    local_defaults::complete(&mut env);
    settings::install_log(&env, command.default_log());
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
            let is_usage = error.is::<EnvError>() || error.is::<tolov_click_test::UsageError>();
            if is_usage { ExitCode::from(EXIT_SETTINGS) } else { ExitCode::FAILURE }
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
        Command::Doctor(options) => doctor::run(env, &options).await,
        Command::Backup { file } => backup::run(env, &file).await.map(|()| Ending::Clean),
        Command::Restore { file } => backup::restore(env, &file).await.map(|()| Ending::Clean),
        Command::Healthcheck { url } => healthcheck::run(env, url).await.map(|()| Ending::Clean),
        Command::ClickTest(options) => click_test::run(*options).await,
    }
}
