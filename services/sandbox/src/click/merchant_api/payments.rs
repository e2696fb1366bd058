//! Status and reversal. `payment_id` is `click_paydoc_id`, the number that the payer sees: CLICK does not document it.

use http::StatusCode;
use time::Date;
use tolov_click::merchant_api::{PaymentState, Reversed};
use tolov_domain::time::{TASHKENT, from_unix_ms};

use super::{
    super::{
        payment::{Payment, PaymentStatus},
        simulator::Click,
    },
    answer::{ApiRefusal, ApiResult, success},
};

impl Click {
    /// Whether reversals are refused from now on, as a card's bank may do.
    pub fn refuse_reversals(&self, refuse: bool) {
        self.with(|state| state.refuses_reversals = refuse);
    }

    pub(super) fn payment_status(&self, payment_id: i64) -> ApiResult {
        let found = self.with(|state| {
            state.payments.find(|payment| payment.click_paydoc_id == payment_id).map(Payment::payment_status)
        });
        let status = found.ok_or_else(|| ApiRefusal::not_found("payment"))?;
        Ok(success(PaymentState {
            payment_id,
            payment_status: Some(i64::from(status)),
            merchant_trans_id: None,
        }))
    }

    /// Of several payments of one order on one day: the paid one, else the newest.
    pub(super) fn payment_status_by_order(&self, order_id: &str, date: Date) -> ApiResult {
        let found = self.with(|state| {
            let of_the_day =
                |payment: &Payment| payment.order_id == order_id && day(payment.created_at_ms) == date;
            let newest = state.payments.find(of_the_day);
            let paid = state.payments.find(|payment| of_the_day(payment) && payment.is_paid());
            paid.or(newest).map(|payment| (payment.click_paydoc_id, payment.payment_status()))
        });
        let (payment_id, status) =
            found.ok_or_else(|| ApiRefusal::not_found("payment of that order and day"))?;
        Ok(success(PaymentState {
            payment_id,
            payment_status: Some(i64::from(status)),
            merchant_trans_id: Some(order_id.to_owned()),
        }))
    }

    /// Returns the money. The merchant gets no callback.
    pub(super) fn reverse(&self, payment_id: i64) -> ApiResult {
        let today = day(self.now_ms());
        self.with(|state| {
            let refuses = state.refuses_reversals;
            let payment = state
                .payments
                .find_mut(|payment| payment.click_paydoc_id == payment_id)
                .ok_or_else(|| ApiRefusal::not_found("payment"))?;
            let merchant_prepare_id = match payment.status {
                PaymentStatus::Paid { merchant_prepare_id } => merchant_prepare_id,
                PaymentStatus::Reversed { .. } => return Err(refused("the payment is already reversed")),
                PaymentStatus::Created
                | PaymentStatus::Refused { .. }
                | PaymentStatus::Prepared { .. }
                | PaymentStatus::Debited { .. }
                | PaymentStatus::Cancelled { .. }
                | PaymentStatus::Hanging { .. } => return Err(refused("the payment is not finished")),
            };
            if !may_be_reversed(day(payment.created_at_ms), today) {
                return Err(refused(
                    "a payment can be reversed in its month, and on the 1st of the next one",
                ));
            }
            if refuses {
                return Err(refused("the card's bank refuses the reversal"));
            }
            payment.status = PaymentStatus::Reversed { merchant_prepare_id };
            Ok(())
        })?;
        Ok(success(Reversed { payment_id }))
    }
}

fn refused(note: &str) -> ApiRefusal {
    ApiRefusal::new(StatusCode::BAD_REQUEST, note)
}

/// The day in Tashkent.
fn day(at_ms: i64) -> Date {
    from_unix_ms(at_ms).to_offset(TASHKENT).date()
}

/// This month's payments, and on the 1st last month's too.
fn may_be_reversed(paid_on: Date, today: Date) -> bool {
    let month = |date: Date| (date.year(), date.month());
    let yesterday = today.previous_day().unwrap_or(today);
    month(paid_on) == month(today) || (today.day() == 1 && month(paid_on) == month(yesterday))
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn last_months_payments_can_be_reversed_on_the_first_only() {
        for (paid_on, today, may) in [
            (date!(2026 - 11 - 01), date!(2026 - 11 - 30), true),
            (date!(2026 - 10 - 31), date!(2026 - 11 - 01), true),
            (date!(2026 - 10 - 01), date!(2026 - 11 - 01), true),
            (date!(2026 - 10 - 31), date!(2026 - 11 - 02), false),
            (date!(2026 - 09 - 30), date!(2026 - 11 - 01), false),
            (date!(2025 - 12 - 31), date!(2026 - 01 - 01), true),
            (date!(2025 - 11 - 23), date!(2026 - 11 - 23), false),
        ] {
            assert_eq!(may_be_reversed(paid_on, today), may, "{paid_on} on {today}");
        }
    }

    #[test]
    fn the_day_begins_at_midnight_in_tashkent() {
        // 2026-10-31 20:00 UTC
        assert_eq!(day(1_793_476_800_000), date!(2026 - 11 - 01));
    }
}
