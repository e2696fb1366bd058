//! Status and reversal. `payment_id` is `click_paydoc_id`, the number that the payer sees: CLICK does not document it.

use http::Method;
use time::Date;
use tolov_click::merchant_api::{BASE_PATH, Nothing, PaymentState, Reversed};
use tolov_domain::{
    Tiyin,
    time::{TASHKENT, from_unix_ms},
};

use super::{
    super::{
        payment::{Payment, PaymentStatus},
        simulator::Click,
    },
    answer::{ApiRefusal, ApiResult, success},
};

/// `DELETE payment/partial_reversal/:service_id/:payment_id/:amount`, the amount in so'm. It is in none of CLICK's own
/// documents, so `tolov_click` does not know it.
#[derive(Debug)]
pub(super) struct PartialReversal {
    pub(super) service_id: i64,
    pub(super) payment_id: i64,
    amount: Tiyin,
}

impl PartialReversal {
    pub(super) fn parse(method: &Method, path: &str) -> Option<Self> {
        let tail = path.strip_prefix(BASE_PATH)?.strip_prefix("payment/partial_reversal/")?;
        let parts: Vec<&str> = tail.split('/').collect();
        let [service_id, payment_id, amount] = parts.as_slice() else { return None };
        (*method == Method::DELETE).then_some(())?;
        Some(Self {
            service_id: service_id.parse().ok()?,
            payment_id: payment_id.parse().ok()?,
            amount: Tiyin::parse_soum(amount).ok()?,
        })
    }
}

impl Click {
    /// Whether reversals are refused from now on, as a card's bank may do.
    pub fn refuse_reversals(&self, refuse: bool) {
        self.with(|state| state.refuses_reversals = refuse);
    }

    /// Whether a part of a payment can be reversed. CLICK's documents do not say so, so it is off.
    pub fn reverse_parts(&self, reverse: bool) {
        self.with(|state| state.reverses_parts = reverse);
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
        self.change_reversible(payment_id, |payment, merchant_prepare_id| {
            if payment.reversed_tiyin > 0 {
                return Err(ApiRefusal::refused("a part of the payment is already reversed"));
            }
            payment.status = PaymentStatus::Reversed { merchant_prepare_id };
            Ok(())
        })?;
        Ok(success(Reversed { payment_id }))
    }

    /// Returns a part of the money; the payment stays paid.
    pub(super) fn reverse_partly(&self, partial: &PartialReversal) -> ApiResult {
        if !self.with(|state| state.reverses_parts) {
            return Err(ApiRefusal::refused("partial reversal is not open for this service"));
        }
        self.change_reversible(partial.payment_id, |payment, _| {
            let paid = Tiyin::parse_soum(&payment.amount).map_or(0, Tiyin::get);
            let reversed = payment.reversed_tiyin.saturating_add(partial.amount.get());
            if partial.amount.get() <= 0 || reversed >= paid {
                return Err(ApiRefusal::refused("the amount is not a part of what is left of the payment"));
            }
            payment.reversed_tiyin = reversed;
            Ok(())
        })?;
        Ok(success(Nothing {}))
    }

    /// Changes a payment of which money can be returned now.
    fn change_reversible(
        &self,
        payment_id: i64,
        change: impl FnOnce(&mut Payment, i64) -> Result<(), ApiRefusal>,
    ) -> Result<(), ApiRefusal> {
        let today = day(self.now_ms());
        self.with(|state| {
            let refuses = state.refuses_reversals;
            let payment = state
                .payments
                .find_mut(|payment| payment.click_paydoc_id == payment_id)
                .ok_or_else(|| ApiRefusal::not_found("payment"))?;
            let merchant_prepare_id = match payment.status {
                PaymentStatus::Paid { merchant_prepare_id } => merchant_prepare_id,
                PaymentStatus::Reversed { .. } => {
                    return Err(ApiRefusal::refused("the payment is already reversed"));
                }
                PaymentStatus::Created
                | PaymentStatus::Refused { .. }
                | PaymentStatus::Prepared { .. }
                | PaymentStatus::Debited { .. }
                | PaymentStatus::Cancelled { .. }
                | PaymentStatus::Hanging { .. } => {
                    return Err(ApiRefusal::refused("the payment is not finished"));
                }
            };
            if !may_be_reversed(day(payment.created_at_ms), today) {
                return Err(outside_month());
            }
            if refuses {
                return Err(ApiRefusal::refused("the card's bank refuses the reversal"));
            }
            change(payment, merchant_prepare_id)
        })
    }
}

pub(super) fn outside_month() -> ApiRefusal {
    ApiRefusal::refused("a payment can be reversed in its month, and on the 1st of the next one")
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
