//! What the page lives on: the hops, the board and Telegram's revision, in one long poll.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use super::{Answer, Refused, Request, ok, unknown};
use crate::{Handle, http_reply::reply_with};

/// Hops in one answer; the next ones come at once with the next poll.
const MAX_HOPS: usize = 1_000;
const MAX_WAIT: Duration = Duration::from_secs(25);

/// `GET /sandbox/events?after=&revision=&board=&wait_ms=`: waits until there is something new to one of the three.
pub(super) async fn events(handle: &Handle, request: &Request) -> Answer {
    let after: u64 = request.number("after")?.unwrap_or(0);
    let revision: u64 = request.number("revision")?.unwrap_or(0);
    let board: u64 = request.number("board")?.unwrap_or(0);
    let wait = request.number("wait_ms")?.map_or(MAX_WAIT, Duration::from_millis).min(MAX_WAIT);
    let is_new = || {
        handle.hops().newest() > after
            || handle.telegram().revision() > revision
            || handle.board().version() > board
    };
    let news = async {
        let mut hops = handle.hops().changes();
        let mut boards = handle.board().changes();
        let mut chats = handle.telegram().changes();
        while !is_new() {
            tokio::select! {
                changed = hops.changed() => if changed.is_err() { return },
                changed = boards.changed() => if changed.is_err() { return },
                changed = chats.changed() => if changed.is_err() { return },
            }
        }
    };
    tokio::select! {
        // Nothing new in time is an answer too.
        _ = tokio::time::timeout(wait, news) => {}
        () = handle.telegram().stopping() => {}
    }
    let (hops, oldest) = handle.hops().after(after, MAX_HOPS);
    let version = handle.board().version();
    let mut answer = json!({
        // Another number is another sandbox: what was read of the one before is worth nothing.
        "run": handle.hops().run(),
        "hops": hops,
        "oldest": oldest,
        "newest": handle.hops().newest(),
        "revision": handle.telegram().revision(),
        "board_version": version,
    });
    if version > board
        && let (Some(answer), Value::Object(board)) = (answer.as_object_mut(), handle.board().to_json())
    {
        answer.extend(board);
    }
    Ok(ok(&answer))
}

/// `GET /sandbox/events/<seq>`: one hop with its payload.
pub(super) fn payload(handle: &Handle, seq: &str) -> Answer {
    let seq = seq.parse().map_err(|_| unknown())?;
    let (hop, payload) = handle.hops().payload(seq).ok_or_else(|| {
        Refused::new(StatusCode::NOT_FOUND, "this hop is forgotten: only the newest are kept")
    })?;
    // The payload is JSON text already: it goes out as it was noted.
    let body = format!("{{\"hop\":{},\"payload\":{payload}}}", json!(hop));
    Ok(reply_with(StatusCode::OK, "application/json", body))
}
