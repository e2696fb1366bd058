//! Is the process alive, and is it any use?

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tolov_domain::{ports::bus::Publisher, time::unix_ms};
use tolov_kit::{
    clock::Clock,
    status::{Dependency, Report, Waiting, json_reply, within_check_timeout},
};
use warp::{http::StatusCode, reply::Response};

use super::App;
use crate::ledger::Ledger;

/// GET /health: the process answers.
pub(super) fn health() -> Response {
    json_reply(StatusCode::OK, &json!({"status": "ok"}))
}

/// GET /ready: 200 while payments can be accepted, 503 otherwise; names each dependency either way.
pub(super) async fn ready(app: Arc<App>) -> Response {
    let (code, body) = report(&app.ledger, app.bus.as_ref(), app.clock.as_ref()).await.to_json();
    json_reply(code, &body)
}

/// The state of the service; sets the gauges that belong to it.
pub(crate) async fn report(ledger: &Ledger, bus: &dyn Publisher, clock: &dyn Clock) -> Report {
    let (outbox, prepared_at, writable, bus) = tokio::join!(
        ledger.outbox_status(),
        ledger.oldest_prepared_at(),
        ledger.is_writable(clock.now()),
        within_check_timeout(bus.is_reachable())
    );
    let dependencies = vec![
        // Without it no payment can be accepted.
        Dependency { name: "ledger", reachable: outbox.is_ok() && writable, needed: true },
        // Without it payments are accepted and their news wait.
        Dependency { name: "bus", reachable: bus, needed: false },
    ];
    let outbox = outbox.unwrap_or_default();
    let now_ms = unix_ms(clock.now());
    let age_ms = |since: Option<i64>| since.map_or(0, |since| (now_ms - since).max(0));
    let oldest_age_ms = age_ms(outbox.oldest_at);
    metrics::gauge!("tolov_outbox_depth").set(whole(outbox.depth));
    metrics::gauge!("tolov_outbox_refused").set(whole(outbox.refused));
    metrics::gauge!("tolov_outbox_lag_seconds").set(duration(oldest_age_ms));
    let pending_ms = age_ms(prepared_at.ok().flatten());
    metrics::gauge!("tolov_payment_pending_age_seconds").set(duration(pending_ms));
    let outbox =
        Waiting { name: "outbox", depth: outbox.depth, oldest_age_ms, refused: Some(outbox.refused) };
    Report { dependencies, waiting: vec![outbox] }
}

fn whole(count: i64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn duration(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}
