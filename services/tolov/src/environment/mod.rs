//! The settings of this process: the environment, a file that `--env-file` names, and what follows from local defaults.

mod env_file;
pub(crate) mod local_defaults;

use std::path::Path;

use anyhow::{Context, Result};
use tokio::runtime::Handle;
use tolov_kit::{
    env::Env,
    spans::{self, Exporting},
    telemetry::{self, LogFormat},
};

/// lapin logs the body of every returned message and teloxide every retry of a poll. RUST_LOG comes after this and can
/// raise both again.
const QUIETER_LIBRARIES: &str = "lapin=error,teloxide=warn";

/// Every variable of .env.example that a service or a command reads.
pub(crate) const VARIABLES: [&str; 59] = [
    "PRODUCTION",
    "BOT_TOKEN",
    "DB_CHANNEL",
    "STORE_CHANNEL",
    "STAFF_LANGUAGE",
    "ADMIN_IDS",
    "DELIVERY_PRICE",
    "PICKUP_ADDRESS",
    "LATE_MONEY",
    "CLICK_SERVICE_ID",
    "CLICK_MERCHANT_ID",
    "CLICK_MERCHANT_USER_ID",
    "CLICK_SECRET_KEY",
    "CLICK_TEST_MODE",
    "CLICK_MERCHANT_API_URL",
    "CLICK_RECONCILE_ACCEPT",
    "CLICK_PROVIDER_TOKEN",
    "CLICK_RECEIPTS",
    "RECEIPT_SELLER",
    "RECEIPT_MXIK",
    "RECEIPT_PACKAGE",
    "RECEIPT_VAT",
    "RECEIPT_DELIVERY_MXIK",
    "RECEIPT_DELIVERY_PACKAGE",
    "RECEIPT_DEADLINE",
    "RESTORE_CHECK",
    "RETURN_URL",
    "PUBLIC_URL",
    "AMQP_URL",
    "MONGO_URL",
    "API_TOKEN",
    "WEBHOOK_URL",
    "WEBHOOK_ADDR",
    "TRUSTED_PROXIES",
    "METRICS_ADDR",
    "LEDGER_PATH",
    "DATA_DIR",
    "BACKUP_EVERY",
    "BACKUP_KEEP_DAYS",
    "BACKUP_RECIPIENT",
    "BOT_API_URL",
    "BOT_UPDATES",
    "BOT_WEBHOOK_URL",
    "BOT_WEBHOOK_ADDR",
    "BOT_WEBHOOK_SECRET",
    "SANDBOX_ADDR",
    "SANDBOX_URL",
    "ORDER_TTL",
    "BOT_MESSAGES_PER_S",
    "BOT_CHANNEL_POSTS_PER_MIN",
    "RUST_LOG",
    "LOG_FORMAT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_EXPORTER_OTLP_TIMEOUT",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
    "OTEL_SERVICE_NAME",
    "OTEL_RESOURCE_ATTRIBUTES",
];

/// Reads the environment, then the file: a variable that the environment has keeps that value.
pub(crate) fn load(env_file: Option<&Path>) -> Result<Env> {
    let mut env = Env::from_process();
    if let Some(file) = env_file {
        for (name, value) in env_file::read(file)? {
            env.default_to(&name, &value);
        }
    }
    local_defaults::complete(&mut env);
    Ok(env)
}

/// RUST_LOG and LOG_FORMAT.
pub(crate) fn install_log(env: &Env, default_filter: &str) {
    let format = env.parsed::<LogFormat>("LOG_FORMAT").unwrap_or_default();
    let filter = env.text("RUST_LOG").unwrap_or_else(|| default_filter.to_owned());
    telemetry::install(format, &format!("{QUIETER_LIBRARIES},{filter}"));
}

/// OpenTelemetry's variables, for the services alone. A wrong one is told with the others that the service reads.
pub(crate) fn install_spans(
    env: &Env,
    service_name: Option<&'static str>,
    runtime: &Handle,
) -> Result<Option<Exporting>> {
    let Some(service_name) = service_name else { return Ok(None) };
    let Some(settings) = spans::Settings::from_env(env) else { return Ok(None) };
    let version = env!("CARGO_PKG_VERSION");
    let exporting = spans::install(settings, service_name, version, runtime.clone());
    exporting.map(Some).map_err(anyhow::Error::msg).context("spans cannot be exported")
}
