//! Which function runs which subcommand.

use anyhow::Result;
use tolov_kit::{env::Env, lifecycle::Ending};

use crate::{backup, catalogue, cli::Command, click_test, demo, doctor, healthcheck, parked, roles};

pub(crate) async fn run(command: Command, env: &Env) -> Result<Ending> {
    match command {
        Command::Demo(options) => demo::run(env, &options).await,
        Command::All => roles::all(env).await,
        Command::Webhook => roles::webhook(env).await,
        Command::Projector => roles::projector(env).await,
        Command::Bot => roles::bot(env).await,
        Command::Sandbox(flags) => roles::sandbox(env, &flags).await,
        Command::Parked(parked) => parked::run(env, parked.deed).await.map(|()| Ending::Clean),
        Command::Seed(options) => catalogue::seed(env, &options).await.map(|()| Ending::Clean),
        Command::Catalogue(catalogue) => catalogue::run(env, catalogue.deed).await.map(|()| Ending::Clean),
        Command::Doctor(options) => doctor::run(env, &options).await,
        Command::Backup { file } => backup::run(env, &file).await.map(|()| Ending::Clean),
        Command::Restore { file } => backup::restore(env, &file).await.map(|()| Ending::Clean),
        Command::Healthcheck { url } => healthcheck::run(env, url).await.map(|()| Ending::Clean),
        Command::ClickTest(options) => click_test::run(*options).await,
    }
}
