use std::sync::Arc;

use tolov_domain::ports::bus::Publisher;
use tolov_kit::clock::Clock;

/// What the service works with.
#[derive(Debug, Clone)]
pub struct Deps {
    pub bus: Arc<dyn Publisher>,
    pub clock: Arc<dyn Clock>,
}
