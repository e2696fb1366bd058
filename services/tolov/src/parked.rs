//! The operator's tool for messages that could not be handled.
#![expect(clippy::print_stdout, reason = "the list is this command's answer")]

use anyhow::{Result, bail};
use tolov_domain::{
    EventId,
    ports::bus::{BusAdmin, Queue},
};
use tolov_kit::env::Env;

use crate::{
    adapters::{BusAddress, Embedded, open_bus_admin},
    cli::ParkedDeed,
};

/// How many messages are read at a time.
const PAGE: usize = 1000;

pub(crate) async fn run(env: &Env, deed: ParkedDeed) -> Result<()> {
    let address = BusAddress::from_env(env, Embedded::Allowed);
    env.finish()?;
    let admin = open_bus_admin(&address).await?;
    match deed {
        ParkedDeed::List => {
            for queue in Queue::ALL {
                let depth = admin.depth(queue).await?;
                println!(
                    "{}: {} ready, {} retrying, {} parked",
                    queue.name(),
                    depth.ready,
                    depth.retrying,
                    depth.parked
                );
                list(&*admin, queue).await?;
            }
        }
        ParkedDeed::Show { queue, id } => {
            let wanted = EventId::new(id);
            let Some(message) = admin.find_parked(queue.into(), &wanted).await? else {
                bail!("{wanted} is not parked");
            };
            println!("{}\n{}", message.reason, String::from_utf8_lossy(&message.body));
        }
        ParkedDeed::Requeue { queue, id } => {
            let found = admin.requeue_parked(queue.into(), &EventId::new(id.clone())).await?;
            report(found, &id, "is back at work")?;
        }
        ParkedDeed::Drop { queue, id } => {
            let dropped = admin.drop_parked(queue.into(), &EventId::new(id.clone())).await?;
            report(dropped.is_some(), &id, "is gone")?;
        }
    }
    Ok(())
}

async fn list(admin: &dyn BusAdmin, queue: Queue) -> Result<()> {
    let mut shown = 0;
    loop {
        let page = admin.parked(queue, shown, PAGE).await?;
        for message in &page {
            println!(
                "  {}  {}  after {} retries: {}",
                message.id, message.schema, message.retries, message.reason
            );
        }
        shown += page.len();
        if page.len() < PAGE {
            return Ok(());
        }
    }
}

fn report(found: bool, id: &str, done: &str) -> Result<()> {
    if !found {
        bail!("{id} is not parked; `tolov parked list` shows what is");
    }
    println!("{id} {done}");
    Ok(())
}
