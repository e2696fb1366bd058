//! Compared days, restored ledgers, and attempts that an owner accepts as paid. Bodies are those of
//! [`tolov_domain::refund::api`] and [`tolov_domain::day`].

use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use tolov_domain::{
    PrepareId,
    day::{ClickComparison, DIFFERENCES_MAX, Day, NextDay},
    refund::api::{DecidedBy, FoundPayment, RestoreCheck},
};
use warp::{http::StatusCode, reply::Response};

use super::{
    app::App,
    refunds::{answer, conflict, field, is_name, no_attempt, number_in, read},
    reply::{to_reply, unavailable},
};
use crate::ledger::{Accepted, LedgerError, UncheckedRestores};

/// Orders that were registered this long before the backup may have been paid after it.
const BEFORE_THE_BACKUP: time::Duration = time::Duration::days(1);

/// GET /days/next
pub(super) async fn next_day(app: Arc<App>) -> Response {
    answer(due_day(&app).await)
}

async fn due_day(app: &App) -> Result<NextDay, LedgerError> {
    let day = app.ledger.next_day(app.believed_time.now().await?).await?;
    Ok(NextDay { day })
}

/// POST /days/DAY: what CLICK said about the attempts of the day that is due. Of a day that was recorded it changes nothing.
pub(super) async fn record_day(day: String, app: Arc<App>, body: Bytes) -> Response {
    let Ok(day) = Day::parse(&day) else { return field("day", "write it as 2026-11-23") };
    let click: ClickComparison = match read(&body) {
        Ok(click) => click,
        Err(error) => return field("body", &error),
    };
    if click.differing.len() > DIFFERENCES_MAX {
        return field("differing", "name at most 20 orders");
    }
    answer(record(&app, day, click).await)
}

async fn record(app: &App, day: Day, click: ClickComparison) -> Result<NextDay, LedgerError> {
    if due_day(app).await?.day == Some(day) {
        app.ledger.record_day(day, Some(click), app.believed_time.now().await?).await?;
    }
    due_day(app).await
}

/// GET /restore?after
pub(super) async fn restore(app: Arc<App>, query: String) -> Response {
    match number_in(&query, "after") {
        Ok(after) => answer(what_to_ask(&app, after.unwrap_or(0)).await),
        Err(_) => field("after", "write an order's number"),
    }
}

/// With the orders after this one.
async fn what_to_ask(app: &App, after: i64) -> Result<RestoreCheck, LedgerError> {
    let Some(UncheckedRestores { backup_made_at, restored_at, .. }) = app.ledger.unchecked_restores().await?
    else {
        return Ok(RestoreCheck::default());
    };
    let orders = app.ledger.unattempted_orders(backup_made_at - BEFORE_THE_BACKUP, after).await?;
    Ok(RestoreCheck { backup_made_at: Some(backup_made_at), restored_at: Some(restored_at), orders })
}

/// POST /restore/found: CLICK shows a payment of an order that the ledger knows no attempt of.
pub(super) async fn found(app: Arc<App>, body: Bytes) -> Response {
    let found: FoundPayment = match read(&body) {
        Ok(found) => found,
        Err(error) => return field("body", &error),
    };
    match app.ledger.found_payment(found, app.clock.now()).await {
        Ok(()) => answer(what_to_ask(&app, 0).await),
        Err(error) => unavailable(&error),
    }
}

#[derive(Deserialize)]
struct Checked {
    /// CLICK was asked about everything. Otherwise Prepares are let in before it is.
    done: bool,
}

/// POST /restore: the reconciler lets Prepares in.
pub(super) async fn restore_checked(app: Arc<App>, body: Bytes) -> Response {
    let Checked { done } = match read(&body) {
        Ok(checked) => checked,
        Err(error) => return field("body", &error),
    };
    if done && let Err(error) = app.ledger.restores_checked(app.clock.now()).await {
        return unavailable(&error);
    }
    app.restore_gate.open();
    answer(what_to_ask(&app, 0).await)
}

/// POST /attempts/ID/accept: an owner's word.
pub(super) async fn accept(prepare_id: String, app: Arc<App>, body: Bytes) -> Response {
    let Ok(prepare_id) = PrepareId::parse(&prepare_id) else { return no_attempt() };
    let DecidedBy { by } = match read(&body) {
        Ok(decided) => decided,
        Err(error) => return field("body", &error),
    };
    if !is_name(&by) {
        return field("by", "write 1 to 64 characters");
    }
    match app.ledger.accept_attempt(prepare_id, by, app.clock.now()).await {
        Ok(Accepted::Decided(reply)) => to_reply(StatusCode::OK, &reply),
        Ok(Accepted::NotReported) => {
            conflict("CLICK has not shown this attempt as paid", "not_reported", None)
        }
        Ok(Accepted::Unknown) => no_attempt(),
        Err(error) => unavailable(&error),
    }
}
