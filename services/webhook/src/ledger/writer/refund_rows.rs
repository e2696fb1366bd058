//! Rows about refunds and about what CLICK's Merchant API says, as JSON objects (see [`super::rows`]).

use serde::{Deserialize, Serialize};
use tolov_domain::{
    OrderId, OrderedProduct, PrepareId, RefundId, Tiyin,
    refund::{
        Refund, RefundState,
        api::{MerchantCall, SeenPayment},
    },
    silence,
    time::{CLOCK_SKEW_MAX, Timestamp, from_unix_ms, unix_ms},
};

/// A row of `refunds`. The facts of the state stand beside it, under the names of the columns.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RefundRow {
    refund_id: RefundId,
    order_id: OrderId,
    prepare_id: PrepareId,
    request_id: String,
    amount_tiyin: Tiyin,
    returned: Vec<OrderedProduct>,
    requested_by: String,
    reason: String,
    requested_at: i64,
    #[serde(flatten)]
    pub(crate) state: RefundState,
    changed_at: i64,
    step: u32,
    tries: u32,
    next_step_at: Option<i64>,
}

impl From<Refund> for RefundRow {
    fn from(refund: Refund) -> Self {
        let Refund { refund_id, order_id, prepare_id, request_id, amount_tiyin, .. } = refund;
        let Refund { returned, requested_by, reason, requested_at, state, .. } = refund;
        let Refund { changed_at, step, tries, next_step_at, .. } = refund;
        Self {
            refund_id,
            order_id,
            prepare_id,
            request_id,
            amount_tiyin,
            returned,
            requested_by,
            reason,
            requested_at: unix_ms(requested_at),
            state,
            changed_at: unix_ms(changed_at),
            step,
            tries,
            next_step_at: next_step_at.map(unix_ms),
        }
    }
}

impl From<RefundRow> for Refund {
    fn from(row: RefundRow) -> Self {
        let RefundRow { refund_id, order_id, prepare_id, request_id, amount_tiyin, .. } = row;
        let RefundRow { returned, requested_by, reason, requested_at, state, .. } = row;
        let RefundRow { changed_at, step, tries, next_step_at, .. } = row;
        Self {
            refund_id,
            order_id,
            prepare_id,
            request_id,
            amount_tiyin,
            returned,
            requested_by,
            reason,
            requested_at: from_unix_ms(requested_at),
            state,
            changed_at: from_unix_ms(changed_at),
            step,
            tries,
            next_step_at: next_step_at.map(from_unix_ms),
        }
    }
}

/// A row of `refund_steps`.
#[derive(Serialize)]
pub(crate) struct StepRow {
    refund_id: RefundId,
    step: u32,
    at: i64,
    #[serde(flatten)]
    state: RefundState,
    by: String,
}

impl StepRow {
    pub(crate) fn of(refund: &Refund, by: &str, at: Timestamp) -> Self {
        let (refund_id, step, state) = (refund.refund_id, refund.step, refund.state.clone());
        Self { refund_id, step, at: unix_ms(at), state, by: by.to_owned() }
    }
}

/// A row of `attempt_checks`.
#[derive(Serialize)]
pub(crate) struct CheckRow {
    prepare_id: PrepareId,
    /// `None`: once more than before, since the attempt was prepared by a clock that was ahead.
    times: Option<u32>,
    checked_at: i64,
    payment_id: Option<i64>,
    status: Option<i64>,
}

impl CheckRow {
    pub(crate) fn of(
        prepare_id: PrepareId,
        prepared_at_ms: i64,
        payment: Option<SeenPayment>,
        at: Timestamp,
    ) -> Self {
        let prepared_at = from_unix_ms(prepared_at_ms);
        let is_known = prepared_at <= at.saturating_add(CLOCK_SKEW_MAX);
        Self {
            prepare_id,
            times: is_known.then(|| silence::times_passed(prepared_at, at)),
            checked_at: unix_ms(at),
            payment_id: payment.map(|payment| payment.payment_id.get()),
            status: payment.map(|payment| payment.status),
        }
    }
}

/// A row of `merchant_api_calls`.
#[derive(Serialize)]
pub(crate) struct CallRow {
    at: i64,
    order_id: Option<i64>,
    method: String,
    path: String,
    outcome: String,
    code: Option<i64>,
    note: String,
}

impl From<&MerchantCall> for CallRow {
    fn from(call: &MerchantCall) -> Self {
        Self {
            at: unix_ms(call.at),
            order_id: call.order_id.map(OrderId::get),
            method: call.method.clone(),
            path: call.path.clone(),
            outcome: call.outcome.as_str().to_owned(),
            code: call.code,
            note: call.note.clone(),
        }
    }
}
