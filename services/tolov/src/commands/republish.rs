//! `tolov republish`: for a broker, or a shop store, that lost what the ledger had sent.
#![expect(clippy::print_stdout, reason = "the count is this command's answer")]

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;
use tolov_kit::{
    clock::{Clock, SystemClock},
    env::Env,
};
use tolov_webhook::ledger::{republish, restore::Place};

use super::journal::Journal;
use crate::{
    cli::Republish,
    data_folder::{DataFolder, Part},
};

/// Marks events as unsent, so that the webhook service publishes them when it starts. Readers know an event by its id:
/// one that they have handled before has no second effect.
pub(crate) async fn run(env: &Env, options: &Republish) -> Result<()> {
    let data = DataFolder::from_env(env);
    env.finish()?;
    let _lock = data.share(&[Part::Ledger])?;
    let place = Place::take(data.ledger()).context("stop the webhook service first")?;
    let since = SystemClock.now() - Duration::from_hours(u64::from(options.hours));
    Journal::beside(data.ledger()).record("republish", json!({ "hours": options.hours }))?;
    let count = republish::mark_unsent(&place, since).await?;
    println!("{count} events since {since} will be published when the webhook service starts");
    Ok(())
}
