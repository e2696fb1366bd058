//! Is the process alive, and is it any use?

use std::sync::Arc;

use serde::Serialize;
use tolov_domain::time::unix_ms;
use warp::{http::StatusCode, reply::Response};

use super::{App, json};

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

/// GET /health: the process answers.
pub(super) fn health() -> Response {
    json(StatusCode::OK, &Health { status: "ok" })
}

#[derive(Serialize)]
struct Ready {
    status: &'static str,
    dependencies: Dependencies,
    outbox: Outbox,
}

#[derive(Serialize)]
struct Dependencies {
    /// Without it no payment can be accepted: the service is not ready.
    ledger: &'static str,
    /// Without it payments are accepted and their news wait.
    bus: &'static str,
}

#[derive(Serialize)]
struct Outbox {
    depth: i64,
    /// Of the oldest event that waits.
    oldest_age_ms: i64,
    refused: i64,
}

/// GET /ready: 200 while payments can be accepted, 503 otherwise; names each dependency either way.
pub(super) async fn ready(app: Arc<App>) -> Response {
    let (outbox, bus) = tokio::join!(app.ledger.outbox_status(), app.bus.is_reachable());
    let word = |good: bool| if good { "ok" } else { "away" };
    let ledger = outbox.is_ok() && app.ledger.is_writable();
    let dependencies = Dependencies { ledger: word(ledger), bus: word(bus) };
    let (status, code) = match (ledger, bus) {
        (false, _) => ("not ready", StatusCode::SERVICE_UNAVAILABLE),
        (true, false) => ("ready, events wait for the bus", StatusCode::OK),
        (true, true) => ("ready", StatusCode::OK),
    };
    let outbox = outbox.unwrap_or_default();
    let oldest_age_ms = outbox.oldest_at.map_or(0, |oldest| (unix_ms(app.clock.now()) - oldest).max(0));
    let outbox = Outbox { depth: outbox.depth, oldest_age_ms, refused: outbox.refused };
    json(code, &Ready { status, dependencies, outbox })
}
