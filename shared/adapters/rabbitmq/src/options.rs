use std::{sync::Arc, time::Duration};

use tolov_domain::ports::{PortError, bus::RETRY_DELAYS_MS};
use tolov_kit::clock::{Clock, SystemClock};

/// The defaults are those of production.
#[derive(Debug, Clone)]
pub struct RabbitOptions {
    /// AMQP's app_id, and the first part of the connections' names.
    pub app_id: String,
    /// Put before the name of every exchange and queue to isolate tests; empty in production.
    pub name_prefix: String,
    /// The delays before each retry. Each has a queue that is named by it: every process of a bus must have the same.
    pub retry_delays_ms: Vec<u64>,
    /// How many unacknowledged messages the broker delivers to one consumer. RabbitMQ advises 100 to 300; quorum queues allow
    /// at most 2,000.
    pub prefetch: u16,
    /// The longest that one window may take, from the call to the last confirm.
    pub window_timeout: Duration,
    /// The longest that connecting may take, to all nodes together, and any one request on a connection.
    pub request_timeout: Duration,
    /// How often a consumer that cannot reconnect returns an error to its caller.
    pub outage_report_every: Duration,
    /// After how long without deliveries a consumer subscribes again.
    pub idle_renewal_every: Duration,
    pub clock: Arc<dyn Clock>,
}

impl Default for RabbitOptions {
    fn default() -> Self {
        Self {
            app_id: "tolov".to_owned(),
            name_prefix: String::new(),
            retry_delays_ms: RETRY_DELAYS_MS.to_vec(),
            prefetch: 256,
            window_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(5),
            outage_report_every: Duration::from_secs(5),
            idle_renewal_every: Duration::from_secs(30),
            clock: Arc::new(SystemClock),
        }
    }
}

impl RabbitOptions {
    pub(crate) fn check(&self) -> Result<(), PortError> {
        let problem = if self.retry_delays_ms.is_empty() || self.retry_delays_ms.contains(&0) {
            "retry_delays_ms must have at least one delay, and none of 0 ms"
        } else if !self.retry_delays_ms.is_sorted() {
            "retry_delays_ms must grow from delay to delay"
        } else if self.prefetch == 0 || self.prefetch > 2_000 {
            "prefetch must be from 1 to 2000, the most that a quorum queue allows"
        } else if self.name_prefix.len() > 100 || self.app_id.len() > 100 {
            "name_prefix and app_id must have at most 100 bytes, for AMQP's names end at 255"
        } else {
            return Ok(());
        };
        Err(PortError::Refused(problem.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_cannot_work_are_refused_with_the_reason() {
        assert_eq!(RabbitOptions::default().check(), Ok(()));
        let unsorted = RabbitOptions { retry_delays_ms: vec![10, 5], ..RabbitOptions::default() };
        assert!(matches!(unsorted.check(), Err(PortError::Refused(reason)) if reason.contains("grow")));
        let greedy = RabbitOptions { prefetch: 0, ..RabbitOptions::default() };
        assert!(greedy.check().is_err());
    }
}
