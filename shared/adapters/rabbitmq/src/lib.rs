//! The message bus on RabbitMQ (3.10 and later, 4.x): the ports of [`tolov_domain::ports::bus`] through lapin.
//!
//! The only crate that names lapin. Files in reading order: what can be set ([`options`]), what the broker holds
//! ([`topology`]), how one connection lives and dies (`link`), what a message looks like on the wire (`message`),
//! then a file for each port.
//!
//! Two connections for each bus: RabbitMQ stops publishing connections under a memory or disk alarm, and the reader
//! must go on. Nothing here fails because the broker is away: connections are made when they are needed and made
//! again for ever, and whoever waits gets [`PortError::Unavailable`](tolov_domain::ports::PortError) in bounded time.

mod admin;
mod consumer;
mod failure;
mod link;
mod message;
mod options;
mod publisher;
mod settle;
mod topology;
mod unsettled;
mod window;

use std::sync::Arc;

pub use admin::RabbitAdmin;
pub use consumer::RabbitConsumer;
pub use options::RabbitOptions;
pub use publisher::RabbitPublisher;
use tolov_domain::ports::{PortError, bus::Queue};

use crate::{link::Target, topology::Topology, window::Windows};

/// A RabbitMQ broker and our part of it. Makes the ports; they share one connection for publishing.
#[derive(Debug, Clone)]
pub struct RabbitBus {
    shared: Arc<Shared>,
}

/// What the ports of one bus have in common.
#[derive(Debug)]
struct Shared {
    target: Target,
    topology: Topology,
    options: RabbitOptions,
    windows: Windows,
}

impl RabbitBus {
    /// Reads the address; connects to nothing. Refuses only an address or options that can never work.
    ///
    /// `amqp://user:password@host:port/vhost`, or `amqps://` for TLS; without a path the vhost is `/`.
    pub fn try_new(address: &str, options: RabbitOptions) -> Result<Self, PortError> {
        options.check()?;
        let target = Target::parse(address, &options)?;
        let topology = Topology::new(&options);
        let windows = Windows::new(target.clone(), topology.clone(), &options);
        Ok(Self { shared: Arc::new(Shared { target, topology, options, windows }) })
    }

    pub fn publisher(&self) -> RabbitPublisher {
        RabbitPublisher::new(Arc::clone(&self.shared))
    }

    /// A reader of the queue, with a connection of its own from the first `receive` on.
    pub fn consumer(&self, queue: Queue) -> RabbitConsumer {
        RabbitConsumer::new(Arc::clone(&self.shared), queue)
    }

    pub fn admin(&self) -> RabbitAdmin {
        RabbitAdmin::new(Arc::clone(&self.shared))
    }

    /// Connects once and makes sure that every exchange and queue is as it should be; for a check before the start.
    /// The ports do the same by themselves whenever they connect.
    pub async fn declare(&self) -> Result<(), PortError> {
        let link = link::Link::open(&self.shared.target, "declare").await?;
        self.shared.topology.declare(&link).await
    }

    /// Deletes every queue and exchange of this bus with all that is in them; for tests. Refused without a name
    /// prefix, so that production cannot be deleted by mistake.
    pub async fn delete_prefixed_topology(&self) -> Result<(), PortError> {
        let link = link::Link::open(&self.shared.target, "delete").await?;
        self.shared.topology.delete(&link).await
    }
}
