//! `tolov parked`: the operator's tool for messages that could not be handled.

use std::{
    io::{IsTerminal, stdin},
    sync::Arc,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use tolov_domain::{
    EventId,
    ports::bus::{BusAdmin, ParkedMessage, Queue},
};
use tolov_kit::env::Env;

use super::journal::Journal;
use crate::{
    adapters::{BusAddress, Embedded, open_bus_admin},
    cli::ParkedAction,
    data_folder::{DataFolder, Part},
};

pub(crate) async fn run(env: &Env, action: ParkedAction) -> Result<()> {
    let address = BusAddress::from_env(env, Embedded::Allowed);
    let data = DataFolder::from_env(env);
    env.finish()?;
    let _lock = data.file(Part::Bus).map(|_| data.share(&[Part::Bus])).transpose()?;
    let admin = open_bus_admin(&address).await.context("the bus cannot be opened")?;
    let parked = Parked { admin, journal: Journal::beside(data.ledger_path()) };
    match action {
        ParkedAction::List => parked.list().await,
        ParkedAction::Show { queue, id } => parked.show(queue.into(), &EventId::new(id)).await,
        ParkedAction::Requeue { queue, id } => parked.requeue(queue.into(), &EventId::new(id)).await,
        ParkedAction::Drop { queue, id, yes } => parked.delete(queue.into(), &EventId::new(id), yes).await,
    }
}

struct Parked {
    admin: Arc<dyn BusAdmin>,
    journal: Journal,
}

impl Parked {
    async fn list(&self) -> Result<()> {
        for queue in Queue::ALL {
            let depth = self.admin.depth(queue).await?;
            println!(
                "{}: {} ready, {} retrying, {} parked",
                queue.name(),
                depth.ready,
                depth.retrying,
                depth.parked
            );
            self.admin.each_parked(queue, &mut |message| println!("  {}", summary(&message))).await?;
        }
        Ok(())
    }

    async fn show(&self, queue: Queue, id: &EventId) -> Result<()> {
        let message = self.find(queue, id).await?;
        println!("{}\n{}", message.reason, String::from_utf8_lossy(&message.body));
        Ok(())
    }

    async fn requeue(&self, queue: Queue, id: &EventId) -> Result<()> {
        let message = self.find(queue, id).await?;
        self.record("parked requeue", queue, &message)?;
        let moved = self.admin.requeue_parked(queue, &[id.clone()].into()).await?;
        ensure!(moved.contains(id), "{}", gone(id));
        println!("{id} was requeued");
        Ok(())
    }

    async fn delete(&self, queue: Queue, id: &EventId, yes: bool) -> Result<()> {
        let message = self.find(queue, id).await?;
        if !yes && !confirmed(queue, &message)? {
            bail!("nothing was deleted");
        }
        self.record("parked drop", queue, &message)?;
        ensure!(self.admin.drop_parked(queue, id).await?.is_some(), "{}", gone(id));
        println!("{id} was deleted; the operators' journal keeps it");
        Ok(())
    }

    /// With the whole message: after a drop this line is all that is left of it.
    fn record(&self, command: &str, queue: Queue, message: &ParkedMessage) -> Result<()> {
        let details = json!({
            "queue": queue.name(),
            "id": message.id,
            "schema": message.schema,
            "reason": message.reason,
            "retries": message.retries,
            "body": String::from_utf8_lossy(&message.body),
        });
        self.journal.record(command, details)
    }

    async fn find(&self, queue: Queue, id: &EventId) -> Result<ParkedMessage> {
        self.admin.find_parked(queue, id).await?.with_context(|| gone(id))
    }
}

fn summary(message: &ParkedMessage) -> String {
    format!("{}  {}  after {} retries: {}", message.id, message.schema, message.retries, message.reason)
}

fn gone(id: &EventId) -> String {
    format!("{id} is not parked; `tolov parked list` shows what is")
}

/// Asks at the terminal. Without one nobody can answer.
fn confirmed(queue: Queue, message: &ParkedMessage) -> Result<bool> {
    ensure!(stdin().is_terminal(), "a message is deleted only after a question: use a terminal, or --yes");
    println!("{}: {}", queue.name(), summary(message));
    print!("Delete it for good? Nobody will be told of what it says. [yes/no] ");
    crate::output::check()?;
    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    Ok(answer.trim().eq_ignore_ascii_case("yes"))
}
