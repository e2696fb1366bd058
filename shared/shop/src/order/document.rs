//! An order as it is stored: flat, so that whoever opens the store finds `status: "paid"` and can query by it. What no
//! order can be is refused when it is read.

use serde::{Deserialize, Serialize};
use tolov_domain::{
    ClickPaydocId, ClickTransId, OrderId, OrderedProduct, Phone, Tiyin, UserId,
    order::OrderLine,
    time::{Timestamp, millis},
};

use super::{
    history::HistoryEntry,
    record::{OrderState, PaymentFacts, PaymentLink, Sale, ShopOrder, Stock},
    refunds::OrderRefund,
    stage::{Actor, Progress},
    terms::{Delivery, Terms},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    Creating,
    AwaitingPayment,
    Paid,
    Expired,
    Cancelled,
    Refunded,
}

#[derive(Serialize, Deserialize)]
pub(super) struct OrderDocument {
    id: OrderId,
    user_id: UserId,
    lines: Vec<OrderLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    goods: Option<Tiyin>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    discount: Option<Tiyin>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    promo_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delivery_price: Option<Tiyin>,
    total: Tiyin,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delivery: Option<Delivery>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    phone: Option<Phone>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    #[serde(with = "millis")]
    placed_at: Timestamp,
    /// What figures look for changed orders by; see [`ShopOrder::changed_at`].
    #[serde(default, skip_serializing_if = "Option::is_none", with = "millis::option")]
    changed_at: Option<Timestamp>,
    status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "millis::option")]
    pay_until_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cancel_requested_by: Option<Actor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    click_trans_id: Option<ClickTransId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    click_paydoc_id: Option<ClickPaydocId>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "millis::option")]
    paid_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    late: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    progress: Option<Progress>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    missing: Vec<OrderedProduct>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cancelled_by: Option<Actor>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "millis::option")]
    refunded_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "was_delivered")]
    goods_left: Option<bool>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    refunds: Vec<OrderRefund>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    receipt_url: Option<String>,
    stock: Stock,
    /// What orders are found by that something is still to be done for; see [`ShopOrder::is_unsettled`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unsettled: Option<Unsettled>,
    history: Vec<HistoryEntry>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Unsettled {
    Stock,
}

impl From<ShopOrder> for OrderDocument {
    fn from(order: ShopOrder) -> Self {
        let sale = order.sale().cloned();
        let payment = sale.as_ref().map(|sale| sale.payment);
        let unsettled = order.is_unsettled().then_some(Unsettled::Stock);
        let changed_at = Some(order.changed_at());
        let terms = order.terms;
        let mut document = Self {
            id: order.id,
            user_id: order.user_id,
            lines: order.lines,
            goods: terms.as_ref().map(|terms| terms.goods),
            discount: terms.as_ref().map(|terms| terms.discount),
            delivery_price: terms.as_ref().map(|terms| terms.delivery_price),
            promo_code: terms.as_ref().and_then(|terms| terms.promo_code.clone()),
            comment: terms.as_ref().and_then(|terms| terms.comment.clone()),
            delivery: terms.as_ref().map(|terms| terms.delivery.clone()),
            phone: terms.map(|terms| terms.phone),
            total: order.total,
            placed_at: order.placed_at,
            changed_at,
            status: Status::Creating,
            payment_url: None,
            pay_until_at: None,
            cancel_requested_by: None,
            click_trans_id: payment.map(|payment| payment.click_trans_id),
            click_paydoc_id: payment.map(|payment| payment.click_paydoc_id),
            paid_at: payment.map(|payment| payment.paid_at),
            late: payment.map(|payment| payment.late),
            progress: None,
            missing: sale.map(|sale| sale.missing).unwrap_or_default(),
            cancelled_by: None,
            refunded_at: None,
            goods_left: None,
            refunds: order.refunds,
            receipt_url: order.receipt_url,
            stock: order.stock,
            unsettled,
            history: order.history,
        };
        document.set_state(order.state);
        document
    }
}

impl OrderDocument {
    fn set_state(&mut self, state: OrderState) {
        self.status = match state {
            OrderState::Creating { cancel_requested_by } => {
                self.cancel_requested_by = cancel_requested_by;
                Status::Creating
            }
            OrderState::AwaitingPayment { link, cancel_requested_by } => {
                self.cancel_requested_by = cancel_requested_by;
                self.pay_until_at = link.as_ref().and_then(|link| link.pay_until);
                self.payment_url = link.map(|link| link.url);
                Status::AwaitingPayment
            }
            OrderState::Paid { progress, .. } => {
                self.progress = Some(progress);
                Status::Paid
            }
            OrderState::Expired => Status::Expired,
            OrderState::Cancelled { by, .. } => {
                self.cancelled_by = Some(by);
                Status::Cancelled
            }
            OrderState::Refunded { at, goods_left, .. } => {
                self.refunded_at = Some(at);
                self.goods_left = Some(goods_left);
                Status::Refunded
            }
        };
    }

    fn terms(&self) -> Result<Option<Terms>, FieldError> {
        let Some(delivery) = self.delivery.clone() else {
            return absent("goods", self.goods.is_some()).map(|()| None);
        };
        Ok(Some(Terms {
            goods: required("goods", self.goods)?,
            discount: required("discount", self.discount)?,
            promo_code: self.promo_code.clone(),
            delivery_price: required("delivery_price", self.delivery_price)?,
            delivery,
            phone: required("phone", self.phone.clone())?,
            comment: self.comment.clone(),
        }))
    }

    fn sale(&self) -> Result<Option<Sale>, FieldError> {
        let Some(click_paydoc_id) = self.click_paydoc_id else {
            return absent("paid_at", self.paid_at.is_some()).map(|()| None);
        };
        let payment = PaymentFacts {
            click_trans_id: required("click_trans_id", self.click_trans_id)?,
            click_paydoc_id,
            paid_at: required("paid_at", self.paid_at)?,
            late: required("late", self.late)?,
        };
        Ok(Some(Sale { payment, missing: self.missing.clone() }))
    }

    fn state(&self) -> Result<OrderState, FieldError> {
        let sale = self.sale()?;
        let unpaid = |state| absent("click_paydoc_id", self.click_paydoc_id.is_some()).map(|()| state);
        let cancel_requested_by = self.cancel_requested_by;
        match self.status {
            Status::Creating => unpaid(OrderState::Creating { cancel_requested_by }),
            Status::AwaitingPayment => {
                let link =
                    self.payment_url.clone().map(|url| PaymentLink { url, pay_until: self.pay_until_at });
                unpaid(OrderState::AwaitingPayment { link, cancel_requested_by })
            }
            Status::Expired => unpaid(OrderState::Expired),
            Status::Paid => Ok(OrderState::Paid {
                sale: required("click_paydoc_id", sale)?,
                progress: required("progress", self.progress)?,
            }),
            Status::Cancelled => {
                Ok(OrderState::Cancelled { by: required("cancelled_by", self.cancelled_by)?, sale })
            }
            Status::Refunded => Ok(OrderState::Refunded {
                sale: required("click_paydoc_id", sale)?,
                at: required("refunded_at", self.refunded_at)?,
                goods_left: required("was_delivered", self.goods_left)?,
            }),
        }
    }
}

impl TryFrom<OrderDocument> for ShopOrder {
    type Error = FieldError;

    fn try_from(document: OrderDocument) -> Result<Self, FieldError> {
        Ok(Self {
            id: document.id,
            user_id: document.user_id,
            total: document.total,
            placed_at: document.placed_at,
            terms: document.terms()?,
            state: document.state()?,
            stock: document.stock,
            refunds: document.refunds,
            receipt_url: document.receipt_url,
            lines: document.lines,
            history: document.history,
        })
    }
}

/// A combination of fields that no order has.
#[derive(Debug, thiserror::Error)]
pub(super) enum FieldError {
    #[error("the field `{0}` is missing")]
    Missing(&'static str),
    #[error("the field `{0}` contradicts the others")]
    Contradiction(&'static str),
}

fn required<T>(field: &'static str, value: Option<T>) -> Result<T, FieldError> {
    value.ok_or(FieldError::Missing(field))
}

fn absent(field: &'static str, is_there: bool) -> Result<(), FieldError> {
    if is_there { Err(FieldError::Contradiction(field)) } else { Ok(()) }
}
