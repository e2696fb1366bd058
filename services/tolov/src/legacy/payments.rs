//! What PayTechUZ knew of CLICK's transactions.

use std::collections::HashMap;

use serde_json::Value;
use tolov_domain::{ClickPaydocId, ClickTransId, OrderId, PrepareId, Tiyin, time::Timestamp};
use tolov_webhook::ledger::restore::CLICK_INT_MAX;

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
            (Some(order_id), Some(payment)) => {
                if payment.prepare_id.get() >= CLICK_INT_MAX {
                    remarks.changed("payment", number, no_longer_a_prepare_id(state));
                }
                payments.entry(order_id).or_default().push(payment);
            }
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

/// The ledger takes over no number that would lift its own above [`CLICK_INT_MAX`].
fn no_longer_a_prepare_id(state: PaymentState) -> String {
    let follows = match state {
        PaymentState::Paid => "the payment gets another",
        PaymentState::Prepared => "a payment that is under way with it is refused, and can be made again",
    };
    format!(
        "its number is too large for a merchant_prepare_id, which CLICK ends at {CLICK_INT_MAX}: {follows}"
    )
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

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_row_number_that_is_no_merchant_prepare_id_is_reported() {
        let row = |id: i64, state: i64| {
            json!({"id": id, "gateway": "click", "state": state, "transaction_id": "3647911001", "amount": 30000,
                   "extra_data": {"merchant_trans_id": "7"}})
        };
        let payments =
            vec![row(2_147_483_647, SUCCESSFULLY), row(2_147_483_648, INITIATING), row(5, SUCCESSFULLY)];
        let mut remarks = Remarks::default();
        let old = OldShop { payments, ..OldShop::default() };
        let known = of_orders(&old, datetime!(2026-01-01 00:00 UTC), &mut remarks);
        assert_eq!(known[&OrderId::try_new(7).unwrap()].len(), 3, "the money counts all the same");
        let said: Vec<_> =
            remarks.0.iter().map(|remark| (remark.number.as_str(), remark.text.as_str())).collect();
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].0 == "2147483647" && said[0].1.ends_with("the payment gets another"), "{said:?}");
        assert!(
            said[1].0 == "2147483648" && said[1].1.contains("is refused, and can be made again"),
            "{said:?}"
        );
    }
}
