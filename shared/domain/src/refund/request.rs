//! Asking for a refund: what is left to give back, and whether CLICK gives it back.

use serde::{Deserialize, Serialize};

use super::{ManualReason, Refund, RefundState, reversible_until};
use crate::{
    ids::{OrderId, PrepareId, RefundId},
    money::Tiyin,
    order::OrderedProduct,
    refund::api::RefundRequest,
    time::Timestamp,
};

/// The attempt that paid an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidAttempt {
    pub order_id: OrderId,
    pub prepare_id: PrepareId,
    pub amount: Tiyin,
    pub products: Vec<OrderedProduct>,
    /// When CLICK sent its Prepare.
    pub prepared_at: Timestamp,
    /// By Telegram's invoice.
    pub in_telegram: bool,
}

/// Whether CLICK would give back all that is left, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowed {
    /// A refund of the whole payment goes through CLICK's reversal.
    pub by_click: bool,
    pub reason: AllowedReason,
    /// The end of the time in which CLICK reverses the payment; `None` for an order that is not paid.
    #[serde(with = "time::serde::rfc3339::option")]
    pub until: Option<Timestamp>,
}

/// Why a refund of all that is left goes through CLICK, by hand, or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AllowedReason {
    Ok,
    /// No refund can be asked for.
    NotPaid,
    /// No refund can be asked for.
    NothingLeft,
    /// No refund can be asked for until the open one is over.
    RefundOpen,
    /// By hand only.
    OutsideMonth,
    /// By hand only: a part was given back before.
    PartialByHand,
    /// By hand only.
    MerchantApiOff,
    /// By hand only.
    PaidInTelegram,
}

/// Why a refund is not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestRefusal {
    NotPaid,
    NothingLeft,
    RefundOpen,
    /// A field of the request is not right.
    Field(&'static str),
}

/// What was given back or is about to be: everything but withdrawn refunds.
pub fn refunded(refunds: &[Refund]) -> Tiyin {
    sum(refunds.iter().filter(|refund| !matches!(refund.state, RefundState::Withdrawn { .. })))
}

/// What can still be asked for.
pub fn left(paid: Tiyin, refunds: &[Refund]) -> Tiyin {
    paid.checked_sub(refunded(refunds)).unwrap_or(Tiyin::ZERO)
}

fn sum<'a>(refunds: impl Iterator<Item = &'a Refund>) -> Tiyin {
    refunds.fold(Tiyin::ZERO, |sum, refund| sum.checked_add(refund.amount_tiyin).unwrap_or(Tiyin::MAX))
}

/// Whether all that is left of an order can be given back through CLICK.
pub fn allowed(
    paid: Option<&PaidAttempt>,
    refunds: &[Refund],
    merchant_api: bool,
    now: Timestamp,
) -> Allowed {
    let Some(paid) = paid else {
        return Allowed { by_click: false, reason: AllowedReason::NotPaid, until: None };
    };
    let until = reversible_until(paid.prepared_at);
    let left = left(paid.amount, refunds);
    let reason = if refunds.iter().any(|refund| refund.status().is_open()) {
        AllowedReason::RefundOpen
    } else if left == Tiyin::ZERO {
        AllowedReason::NothingLeft
    } else {
        match by_hand(paid, left, merchant_api, now) {
            None => AllowedReason::Ok,
            Some(ManualReason::MerchantApiOff) => AllowedReason::MerchantApiOff,
            Some(ManualReason::PaidInTelegram) => AllowedReason::PaidInTelegram,
            Some(ManualReason::PartialByHand) => AllowedReason::PartialByHand,
            Some(
                ManualReason::OutsideMonth
                | ManualReason::PaymentNotFound
                | ManualReason::LooksReversed
                | ManualReason::LedgerRestored,
            ) => AllowedReason::OutsideMonth,
        }
    };
    Allowed { by_click: reason == AllowedReason::Ok, reason, until }
}

/// Opens a refund. One that CLICK's reversal cannot make begins as [`RefundState::Manual`], one of money that was given back
/// already is over at once.
pub fn request(
    refund_id: RefundId,
    paid: Option<&PaidAttempt>,
    refunds: &[Refund],
    asked: &RefundRequest,
    merchant_api: bool,
    now: Timestamp,
) -> Result<Refund, RequestRefusal> {
    let paid = paid.ok_or(RequestRefusal::NotPaid)?;
    if refunds.iter().any(|refund| refund.status().is_open()) {
        return Err(RequestRefusal::RefundOpen);
    }
    let left = left(paid.amount, refunds);
    if left == Tiyin::ZERO {
        return Err(RequestRefusal::NothingLeft);
    }
    let amount = asked.amount_tiyin.unwrap_or(left);
    if amount == Tiyin::ZERO || amount > left {
        return Err(RequestRefusal::Field("amount_tiyin"));
    }
    if !can_be_returned(paid, refunds, &asked.returned) {
        return Err(RequestRefusal::Field("returned"));
    }
    let state = match (&asked.by_hand, by_hand(paid, amount, merchant_api, now)) {
        // In one step: a reversal could be sent between two.
        (Some(document), _) => {
            let (decided_by, document) = (asked.requested_by.clone(), document.clone());
            RefundState::DoneByHand { decided_by, document }
        }
        (None, None) => RefundState::Requested,
        (None, Some(why)) => RefundState::Manual { payment_id: None, why },
    };
    let next_step_at = matches!(state, RefundState::Requested).then_some(now);
    Ok(Refund {
        refund_id,
        order_id: paid.order_id,
        prepare_id: paid.prepare_id,
        request_id: asked.request_id.clone(),
        amount_tiyin: amount,
        returned: asked.returned.clone(),
        requested_by: asked.requested_by.clone(),
        reason: asked.reason.clone(),
        requested_at: now,
        state,
        changed_at: now,
        step: 0,
        tries: 0,
        next_step_at,
    })
}

/// Why CLICK cannot give this sum back; `None` where it can.
fn by_hand(paid: &PaidAttempt, amount: Tiyin, merchant_api: bool, now: Timestamp) -> Option<ManualReason> {
    if paid.in_telegram {
        return Some(ManualReason::PaidInTelegram);
    }
    if !merchant_api {
        return Some(ManualReason::MerchantApiOff);
    }
    if amount != paid.amount {
        return Some(ManualReason::PartialByHand);
    }
    let is_open = reversible_until(paid.prepared_at).is_some_and(|until| now < until);
    (!is_open).then_some(ManualReason::OutsideMonth)
}

/// Every product once, of the order, and no piece that went back before.
fn can_be_returned(paid: &PaidAttempt, refunds: &[Refund], returned: &[OrderedProduct]) -> bool {
    let count = |products: &[OrderedProduct], wanted: &OrderedProduct| -> u64 {
        let same = products.iter().filter(|product| product.product_id == wanted.product_id);
        same.map(|product| u64::from(product.count)).sum()
    };
    returned.iter().all(|product| {
        let before: u64 = refunds
            .iter()
            .filter(|refund| !matches!(refund.state, RefundState::Withdrawn { .. }))
            .map(|refund| count(&refund.returned, product))
            .sum();
        let is_once = returned.iter().filter(|other| other.product_id == product.product_id).count() == 1;
        product.count > 0 && is_once && before + u64::from(product.count) <= count(&paid.products, product)
    })
}
