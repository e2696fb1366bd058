//! Which function runs which subcommand, and the small ones.

mod catalogue;
mod click_test;
mod healthcheck;
pub(crate) mod journal;
pub(crate) mod ledger;
mod manual;
mod parked;
pub(crate) mod receipts;
pub(crate) mod refund;
pub(crate) mod repeating;
mod replay;
pub(crate) mod text_file;

use anyhow::Result;
use tolov_kit::{env::Env, lifecycle::Ending};

use crate::{audit, backup, cli::Command, demo, doctor, init, legacy, roles, statement, trace};

pub(crate) async fn run(command: Command, env: &Env) -> Result<Ending> {
    match command {
        Command::Demo(options) => return demo::run(env, &options).await,
        Command::All => return roles::all(env).await,
        Command::Webhook => return roles::webhook(env).await,
        Command::Projector => return roles::projector(env).await,
        Command::Bot => return roles::bot(env).await,
        Command::Reconciler => return roles::reconciler(env).await,
        Command::Sandbox(flags) => return roles::sandbox(env, &flags).await,
        Command::Doctor(options) => return doctor::run(env, &options).await,
        Command::Init(options) => return init::run(env, &options).await,
        Command::Reconcile(options) => return statement::run(env, &options).await,
        Command::Audit(options) => return audit::run(env, &options).await,
        Command::Replay(options) => return replay::run(env, &options).await,
        Command::ClickTest(options) => return click_test::run(*options).await,
        Command::Backup(options) => return backup::run(env, &options).await,
        Command::Restore(options) => backup::restore(env, &options).await?,
        Command::Verify(options) => backup::verify(env, &options).await?,
        Command::Parked(parked) => parked::run(env, parked.action).await?,
        Command::Seed(options) => catalogue::seed(env, &options).await?,
        Command::Catalogue(catalogue) => catalogue::run(env, catalogue.action).await?,
        Command::ImportLegacy(options) => legacy::run(env, &options).await?,
        Command::Trace(options) => trace::run(env, &options).await?,
        Command::Refund(options) => refund::run(env, &options).await?,
        Command::Receipts(options) => receipts::run(env, &options).await?,
        Command::Rebuild(options) => audit::rebuild(env, &options).await?,
        Command::Ledger(options) => ledger::run(env, options).await?,
        Command::Completions { shell } => manual::print_completions(shell),
        Command::Man { folder } => manual::write_pages(&folder)?,
        Command::Healthcheck { url } => healthcheck::run(env, url).await?,
    }
    Ok(Ending::Clean)
}
