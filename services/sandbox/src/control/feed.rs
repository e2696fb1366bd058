//! What the page follows: the trace, the dashboard and Telegram's revision, in one long poll.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use super::request::{Answer, Refused, Request, ok, unknown};
use crate::{handle::Handle, web::reply::reply_with};

/// The next poll fetches the rest.
const MAX_EVENTS: usize = 1_000;
const MAX_WAIT: Duration = Duration::from_secs(25);

/// `GET /sandbox/events?after=&revision=&dashboard=&wait_ms=`: waits until one of the three is newer, or the time is over.
pub(super) async fn events(handle: &Handle, request: &Request) -> Answer {
    let after: u64 = request.number("after")?.unwrap_or(0);
    let revision: u64 = request.number("revision")?.unwrap_or(0);
    let dashboard: u64 = request.number("dashboard")?.unwrap_or(0);
    let wait = request.number("wait_ms")?.map_or(MAX_WAIT, Duration::from_millis).min(MAX_WAIT);
    let (trace, board, telegram) = (handle.trace(), handle.dashboard(), handle.telegram());
    let is_new = || trace.newest() > after || telegram.revision() > revision || board.version() > dashboard;
    let news = async {
        let (mut events, mut values, mut chats) = (trace.changes(), board.changes(), telegram.changes());
        while !is_new() {
            tokio::select! {
                changed = events.changed() => if changed.is_err() { return },
                changed = values.changed() => if changed.is_err() { return },
                changed = chats.changed() => if changed.is_err() { return },
            }
        }
    };
    tokio::select! {
        _ = tokio::time::timeout(wait, news) => {}
        () = telegram.stopping() => {}
    }
    let (events, oldest) = trace.after(after, MAX_EVENTS);
    let version = board.version();
    let mut answer = json!({
        // After a restart the page reloads.
        "run": trace.started_ms(),
        "events": events,
        "oldest": oldest,
        "newest": trace.newest(),
        "revision": telegram.revision(),
        "dashboard_version": version,
    });
    if version > dashboard
        && let (Some(answer), Value::Object(shown)) = (answer.as_object_mut(), board.to_json())
    {
        answer.extend(shown);
    }
    Ok(ok(&answer))
}

/// `GET /sandbox/events/<seq>`: one event with its payload.
pub(super) fn event(handle: &Handle, seq: &str) -> Answer {
    let seq = seq.parse().map_err(|_| unknown())?;
    let (event, payload) = handle.trace().event(seq).ok_or_else(|| {
        Refused::new(StatusCode::NOT_FOUND, "this event is not kept: only the newest ones are")
    })?;
    // The payload is JSON text already.
    let body = format!("{{\"event\":{},\"payload\":{payload}}}", json!(event));
    Ok(reply_with(StatusCode::OK, "application/json", body))
}
