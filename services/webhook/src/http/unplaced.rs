//! Money that was taken and belongs to no order: the list, and telling staff of it once more.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};
use tolov_click::ClickCode;
use tolov_domain::time::from_unix_ms;
use warp::{http::StatusCode, reply::Response};

use super::{
    app::App,
    orders::{PAGE, PAGE_MAX, date, raw_json, read_limit},
    refunds::{field, read},
    reply::{to_reply, unavailable},
};
use crate::ledger::{UnplacedBefore, UnplacedCallback, UnplacedInTelegram, UnplacedPage, UnplacedRecord};

/// GET /payments/unplaced?before&limit: money that CLICK or Telegram says was taken and that pays no order, newest first. The
/// next page begins at `next` of this one.
pub(super) async fn list(app: Arc<App>, query: String) -> Response {
    let (mut before, mut limit) = (UnplacedBefore::NEWEST, PAGE);
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match name.as_ref() {
            "before" => match value.parse() {
                Ok(named) => before = named,
                Err(bad) => return field("before", &bad.to_string()),
            },
            "limit" => match read_limit(&value) {
                Some(named) => limit = named,
                None => return field("limit", &format!("write 1 to {PAGE_MAX}")),
            },
            _ => {}
        }
    }
    match app.ledger.unplaced_payments(before, limit).await {
        Ok(UnplacedPage { payments, next }) => {
            let payments = payments.into_iter().map(Shown::from).collect();
            let next = next.map(|next| next.to_string());
            to_reply(StatusCode::OK, &Listed { payments, next })
        }
        Err(error) => unavailable(&error),
    }
}

#[derive(Deserialize)]
struct ReplayedTime {
    since_ms: i64,
    until_ms: i64,
}

/// POST /payments/unplaced/replay: what staff were told in this time of money that belongs to no order, once more.
pub(super) async fn replay(app: Arc<App>, body: Bytes) -> Response {
    let ReplayedTime { since_ms, until_ms } = match read(&body) {
        Ok(time) => time,
        Err(error) => return field("body", &error),
    };
    let time = (from_unix_ms(since_ms), from_unix_ms(until_ms));
    match app.ledger.replay_unplaced(time, app.clock.now()).await {
        Ok(replayed) => to_reply(StatusCode::OK, &ReplayedUnplaced { replayed }),
        Err(error) => unavailable(&error),
    }
}

#[derive(Serialize)]
struct ReplayedUnplaced {
    replayed: u64,
}

#[derive(Serialize)]
struct Listed {
    payments: Vec<Shown>,
    /// `None`: there are no older ones.
    next: Option<String>,
}

#[derive(Serialize)]
struct Shown {
    /// Within its source.
    id: i64,
    source: String,
    received_at: String,
    /// What CLICK was answered, or would have been.
    answer: i64,
    /// As CLICK or Telegram sent them.
    fields: Box<RawValue>,
}

impl From<UnplacedRecord> for Shown {
    fn from(record: UnplacedRecord) -> Self {
        match record {
            UnplacedRecord::Callback(UnplacedCallback { id, callback }) => Self {
                id,
                source: callback.source,
                received_at: date(from_unix_ms(callback.received_at)),
                answer: callback.code,
                fields: raw_json(callback.fields),
            },
            UnplacedRecord::Telegram(payment) => Self::in_telegram(&payment),
        }
    }
}

impl Shown {
    fn in_telegram(payment: &UnplacedInTelegram) -> Self {
        let fields = json!({
            "payload": payment.payload, "user_id": payment.user_id, "amount_tiyin": payment.amount_tiyin,
            "currency": payment.currency, "telegram_charge_id": payment.telegram_charge_id,
            "provider_charge_id": payment.provider_charge_id,
        });
        Self {
            id: payment.id,
            source: "telegram".to_owned(),
            received_at: date(from_unix_ms(payment.received_at)),
            answer: i64::from(ClickCode::UserDoesNotExist.code()),
            fields: raw_json(fields.to_string()),
        }
    }
}
