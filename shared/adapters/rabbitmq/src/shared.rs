//! What the ports of one bus share.

use crate::{connection::Target, options::RabbitOptions, topology::Topology, window::WindowPublisher};

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) target: Target,
    pub(crate) topology: Topology,
    pub(crate) options: RabbitOptions,
    pub(crate) publisher: WindowPublisher,
}
