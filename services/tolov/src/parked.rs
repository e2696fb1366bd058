//! The operator's tool for messages that could not be handled.
#![expect(clippy::print_stdout, reason = "the list is this command's answer")]

use anyhow::{Result, bail};
use tolov_domain::{EventId, ports::bus::Queue};
use tolov_kit::env::Env;

use crate::{
    adapters::{BusAddress, Embedded, open_bus_admin},
    cli::ParkedDeed,
};

/// The most messages that one listing shows.
const LIST_MAX: usize = 1000;

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
                for message in admin.parked(queue, LIST_MAX).await? {
                    println!(
                        "  {}  {}  after {} retries: {}",
                        message.id, message.schema, message.retries, message.reason
                    );
                }
            }
        }
        ParkedDeed::Show { queue, id } => {
            let wanted = EventId::new(id);
            let parked = admin.parked(queue.into(), LIST_MAX).await?;
            let Some(message) = parked.into_iter().find(|message| message.id == wanted) else {
                bail!("{wanted} is not parked");
            };
            println!("{}\n{}", message.reason, String::from_utf8_lossy(&message.body));
        }
        ParkedDeed::Requeue { queue, id } => {
            let found = admin.requeue_parked(queue.into(), &EventId::new(id.clone())).await?;
            report(found, &id, "is back at work")?;
        }
        ParkedDeed::Drop { queue, id } => {
            let found = admin.drop_parked(queue.into(), &EventId::new(id.clone())).await?;
            report(found, &id, "is gone")?;
        }
    }
    Ok(())
}

fn report(found: bool, id: &str, done: &str) -> Result<()> {
    if !found {
        bail!("{id} is not parked; `tolov parked list` shows what is");
    }
    println!("{id} {done}");
    Ok(())
}
