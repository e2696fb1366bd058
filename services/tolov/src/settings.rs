//! Settings of the log, from the environment.

use tolov_kit::{
    env::Env,
    telemetry::{self, LogFormat},
};

/// Libraries that log too much: lapin writes the body of every returned message, teloxide every retry of a poll. What
/// RUST_LOG says of them comes later and counts.
const QUIETER_LIBRARIES: &str = "lapin=error,teloxide=warn";

/// RUST_LOG and LOG_FORMAT.
pub(crate) fn install_log(env: &Env, default_filter: &str) {
    let format = env.parsed::<LogFormat>("LOG_FORMAT").unwrap_or_default();
    let filter = env.text("RUST_LOG").unwrap_or_else(|| default_filter.to_owned());
    telemetry::install(format, &format!("{QUIETER_LIBRARIES},{filter}"));
}
