//! What is counted, as Prometheus reads it (docs/metrics.md). The services count through the `metrics` crate; without
//! [`install`] that counts nothing and costs nothing.

use std::fmt;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// From a commit's fraction of a millisecond to an outage of an hour.
const SECONDS: [f64; 19] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0,
    900.0, 3600.0,
];
/// How many share one transaction.
const JOBS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Everything that this process has counted.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

/// Why nothing is counted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("metrics cannot be counted: {0}")]
pub struct MetricsError(String);

/// Begins to count, once in a process.
pub fn install() -> Result<Metrics, MetricsError> {
    let failed = |error: metrics_exporter_prometheus::BuildError| MetricsError(error.to_string());
    let builder = PrometheusBuilder::new()
        .set_buckets(&SECONDS)
        .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_jobs".to_owned()), &JOBS))
        .map_err(failed)?;
    builder.install_recorder().map(Metrics).map_err(failed)
}

impl Metrics {
    /// The text that Prometheus reads.
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Sorts what was recorded into its buckets. Without it, and with nobody who reads, records would pile up.
    pub fn tidy(&self) {
        self.0.run_upkeep();
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Metrics").finish_non_exhaustive()
    }
}
