//! A payment from Prepare to the confirmed Complete.

use tolov_kit::retry::Pauses;
use url::Url;

use super::{
    callbacks::{exchange::MerchantAnswer, form::Callback},
    error::{BadLink, ClickError},
    link::OpenedLink,
    payment::{Payment, PaymentStatus},
    simulator::Click,
};

impl Click {
    /// Pays an order. `amount` is text in so'm and is sent to the merchant as it is.
    pub async fn pay(&self, order_id: &str, amount: &str) -> Result<Payment, ClickError> {
        let mut payment = self.open_payment(order_id, amount)?;
        self.prepare(&mut payment).await?;
        self.debit_and_complete(&mut payment).await?;
        Ok(payment)
    }

    /// Reads a pay link without paying it.
    pub fn open_link(&self, link: &str) -> Result<OpenedLink, BadLink> {
        let url = Url::parse(link).map_err(|_| BadLink::NotAnAddress)?;
        self.open_query(url.query().unwrap_or_default())
    }

    pub(super) fn open_query(&self, query: &str) -> Result<OpenedLink, BadLink> {
        OpenedLink::read(query, self.inner.config.service_id, self.inner.config.merchant_id)
    }

    /// Pays the order of a pay link.
    pub async fn pay_link(&self, link: &str) -> Result<Payment, ClickError> {
        let OpenedLink { order_id, amount, .. } = self.open_link(link)?;
        self.pay(&order_id, &amount).await
    }

    /// Sends the Prepare. Afterwards the payment is prepared or refused.
    pub(super) async fn prepare(&self, payment: &mut Payment) -> Result<(), ClickError> {
        let callback = Callback::prepare(payment, self.inner.config.service_id);
        self.send_prepare(payment, &callback).await
    }

    pub(super) async fn send_prepare(
        &self,
        payment: &mut Payment,
        callback: &Callback,
    ) -> Result<(), ClickError> {
        let exchange = self.exchange(callback).await?;
        payment.status = match &exchange.answer {
            MerchantAnswer::Understood { error: 0, merchant_prepare_id: Some(id), .. } => {
                PaymentStatus::Prepared { merchant_prepare_id: *id }
            }
            MerchantAnswer::Understood { error: 0, merchant_prepare_id: None, .. } => {
                PaymentStatus::Refused {
                    error: Some(0),
                    error_note: "the merchant accepted without a merchant_prepare_id".to_owned(),
                }
            }
            answer @ (MerchantAnswer::Understood { .. }
            | MerchantAnswer::NotUnderstood { .. }
            | MerchantAnswer::Unanswered { .. }) => {
                PaymentStatus::Refused { error: answer.error(), error_note: answer.note() }
            }
        };
        payment.add(exchange);
        self.record(payment);
        Ok(())
    }

    /// Takes the money of a prepared payment and sends Completes until the merchant confirms, at most
    /// `complete_tries` times. Does nothing with a payment that is not prepared.
    pub(super) async fn debit_and_complete(&self, payment: &mut Payment) -> Result<(), ClickError> {
        let PaymentStatus::Prepared { merchant_prepare_id } = payment.status else { return Ok(()) };
        payment.status = PaymentStatus::Debited { merchant_prepare_id };
        self.record(payment);
        let callback = Callback::complete(payment, self.inner.config.service_id, merchant_prepare_id);
        self.complete_until_settled(payment, merchant_prepare_id, &callback).await
    }

    pub(super) async fn complete_until_settled(
        &self,
        payment: &mut Payment,
        merchant_prepare_id: i64,
        callback: &Callback,
    ) -> Result<(), ClickError> {
        let mut pauses = Pauses::new(self.inner.config.first_pause, self.inner.config.longest_pause);
        for attempt in 1..=self.inner.config.complete_tries.max(1) {
            let exchange = self.exchange(callback).await?;
            let settled = settle(&exchange.answer, merchant_prepare_id);
            payment.add(exchange);
            if let Some(status) = settled {
                payment.status = status;
                self.record(payment);
                return Ok(());
            }
            self.record(payment);
            tracing::debug!(
                payment.id = payment.click_trans_id,
                attempt,
                "the merchant did not confirm the Complete"
            );
            let is_last = attempt == self.inner.config.complete_tries;
            if !is_last && !self.pause(pauses.next_pause()).await {
                break;
            }
        }
        payment.status = PaymentStatus::Hanging { merchant_prepare_id };
        self.record(payment);
        Ok(())
    }

    /// Cancels a prepared payment. No money was taken.
    pub(super) async fn cancel(&self, payment: &mut Payment, error: i64) -> Result<(), ClickError> {
        let PaymentStatus::Prepared { merchant_prepare_id } = payment.status else { return Ok(()) };
        let callback =
            Callback::complete(payment, self.inner.config.service_id, merchant_prepare_id).failed(error);
        self.complete_until_settled(payment, merchant_prepare_id, &callback).await?;
        payment.status = PaymentStatus::Cancelled { error };
        self.record(payment);
        Ok(())
    }
}

/// The status that an answer to a Complete settles: 0 and -4 paid, -9 cancelled, anything else none.
pub(super) fn settle(answer: &MerchantAnswer, merchant_prepare_id: i64) -> Option<PaymentStatus> {
    match answer.error()? {
        0 | -4 => Some(PaymentStatus::Paid { merchant_prepare_id }),
        error @ -9 => Some(PaymentStatus::Cancelled { error }),
        _ => None,
    }
}
