//! What PayTechUZ knew of CLICK's transactions.

use std::collections::HashMap;

use serde_json::Value;
use tolov_domain::{ClickPaydocId, ClickTransId, OrderId, PrepareId, Tiyin, time::Timestamp};

use super::{fields, report::Remarks, source::OldShop};

/// PayTechUZ's `state`.
const INITIATING: i64 = 1;
const SUCCESSFULLY: i64 = 2;

/// One transaction of CLICK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Payment {
    /// Its row, which PayTechUZ gives to CLICK as merchant_prepare_id.
    pub(super) prepare_id: PrepareId,
    pub(super) click_trans_id: ClickTransId,
    /// 0 where it was not kept.
    pub(super) click_paydoc_id: ClickPaydocId,
    pub(super) amount: Tiyin,
    pub(super) state: PaymentState,
    pub(super) at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PaymentState {
    /// Prepare was answered; the Complete may still come.
    Prepared,
    Paid,
}

/// The payments of each order that count: those that are paid or may still be.
pub(super) fn of_orders(
    old: &OldShop,
    now: Timestamp,
    remarks: &mut Remarks,
) -> HashMap<OrderId, Vec<Payment>> {
    let order_of_row: HashMap<String, i64> = old
        .server_orders
        .iter()
        .filter_map(|row| Some((fields::text(row, "id")?, fields::whole(row, "order_id")?)))
        .collect();
    let mut payments: HashMap<OrderId, Vec<Payment>> = HashMap::new();
    for row in &old.payments {
        let number = fields::text(row, "id").unwrap_or_default();
        let state = match fields::whole(row, "state") {
            Some(SUCCESSFULLY) => PaymentState::Paid,
            Some(INITIATING) => PaymentState::Prepared,
            _ => continue,
        };
        if fields::text(row, "gateway").as_deref() != Some("click") {
            if state == PaymentState::Paid {
                remarks.left_out("payment", number, "it was not paid through CLICK: settle it by hand");
            }
            continue;
        }
        let extra = fields::object(row, "extra_data");
        // The order is what CLICK calls it; `account_id` is the row of the server's own table.
        let order_id = fields::whole(&extra, "merchant_trans_id")
            .or_else(|| fields::whole(&fields::object(&extra, "raw_params"), "merchant_trans_id"))
            .or_else(|| order_of_row.get(&fields::text(row, "account_id")?).copied())
            .and_then(|order_id| OrderId::try_new(order_id).ok());
        match (order_id, read(row, &extra, state, now)) {
            (Some(order_id), Some(payment)) => payments.entry(order_id).or_default().push(payment),
            _ if state == PaymentState::Paid => {
                let trans = fields::text(row, "transaction_id").unwrap_or_default();
                let text = format!(
                    "CLICK's transaction {trans} is paid and cannot be read: look for it in the cabinet"
                );
                remarks.left_out("payment", number, text);
            }
            _ => {}
        }
    }
    payments
}

fn read(row: &Value, extra: &Value, state: PaymentState, now: Timestamp) -> Option<Payment> {
    let params = fields::object(extra, "raw_params");
    let paydoc = fields::whole(&params, "click_paydoc_id").unwrap_or_default();
    let at = ["performed_at", "updated_at", "created_at"].iter().find_map(|field| fields::date(row, field));
    Some(Payment {
        prepare_id: PrepareId::try_new(fields::whole(row, "id")?).ok()?,
        click_trans_id: ClickTransId::try_new(fields::whole(row, "transaction_id")?).ok()?,
        click_paydoc_id: ClickPaydocId::try_new(paydoc).ok()?,
        amount: fields::amount(row, "amount")?.amount,
        state,
        at: at.unwrap_or(now).min(now),
    })
}
