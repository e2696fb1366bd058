//! Playing CLICK with a twist: what a merchant must survive.

use std::time::Duration;

use futures_util::future::join_all;

use super::{
    Click, ClickError, Payment, PaymentStatus,
    callback::{Callback, Exchange, Step},
    complete::settle,
    variation::{MAX_DELAY, Play, Variation},
};

impl Click {
    /// Plays one payment with its variation and returns every exchange.
    pub async fn play(&self, play: Play) -> Result<Payment, ClickError> {
        play.check()?;
        let mut payment = self.open_payment(&play.order_id, &play.amount)?;
        if let Variation::CompleteWithoutPrepare { merchant_prepare_id } = play.variation {
            self.complete_once(&mut payment, merchant_prepare_id, &play.variation).await?;
        } else {
            self.play_prepare(&mut payment, &play.variation).await?;
            if let PaymentStatus::Prepared { merchant_prepare_id } = payment.status {
                self.play_complete(&mut payment, merchant_prepare_id, &play).await?;
            }
        }
        self.record(&payment);
        Ok(payment)
    }

    async fn play_prepare(&self, payment: &mut Payment, variation: &Variation) -> Result<(), ClickError> {
        let mut callback = Callback::prepare(payment, self.inner.config.service_id);
        variation.bend(&mut callback);
        if *variation == (Variation::DroppedAnswer { step: Step::Prepare }) {
            let lost = self.exchange(&callback).await?;
            payment.note(Exchange { ignored: true, ..lost });
        }
        let times = if let Variation::RepeatedPrepare { times } = variation { (*times).max(1) } else { 1 };
        for _ in 0..times {
            self.send_prepare(payment, &callback).await?;
        }
        Ok(())
    }

    async fn play_complete(
        &self,
        payment: &mut Payment,
        merchant_prepare_id: i64,
        play: &Play,
    ) -> Result<(), ClickError> {
        if play.variation.is_about_complete() {
            self.complete_once(payment, merchant_prepare_id, &play.variation).await?;
            return if play.then_complete { self.debit_and_complete(payment).await } else { Ok(()) };
        }
        match &play.variation {
            Variation::PrepareOnly => Ok(()),
            Variation::Cancel { error } => self.cancel(payment, *error).await,
            Variation::CancelPaid { error } => {
                self.debit_and_complete(payment).await?;
                let callback = Callback::complete(payment, self.inner.config.service_id, merchant_prepare_id);
                let exchange = self.exchange(&callback.failed(*error)).await?;
                payment.note(exchange);
                Ok(())
            }
            Variation::RepeatedComplete { times } => {
                self.debit_and_complete(payment).await?;
                for _ in 1..*times {
                    self.complete_once(payment, merchant_prepare_id, &Variation::Normal).await?;
                }
                Ok(())
            }
            Variation::ParallelCompletes { count } => {
                self.complete_in_parallel(payment, merchant_prepare_id, *count).await
            }
            Variation::OtherTransIdInComplete => self.complete_as_another(payment, merchant_prepare_id).await,
            Variation::DroppedAnswer { step: Step::Complete } => {
                let callback = Callback::complete(payment, self.inner.config.service_id, merchant_prepare_id);
                let lost = self.exchange(&callback).await?;
                payment.note(Exchange { ignored: true, ..lost });
                self.debit_and_complete(payment).await
            }
            Variation::Delay { delay_ms } => {
                if self.pause(Duration::from_millis(*delay_ms).min(MAX_DELAY)).await {
                    self.debit_and_complete(payment).await?;
                }
                Ok(())
            }
            Variation::Normal
            | Variation::WrongSignature { .. }
            | Variation::WrongAmount { .. }
            | Variation::WrongServiceId { .. }
            | Variation::UnknownPrepareId { .. }
            | Variation::MissingField { .. }
            | Variation::FieldTwice { .. }
            | Variation::UnknownAction { .. }
            | Variation::CompleteWithoutPrepare { .. }
            | Variation::RepeatedPrepare { .. }
            | Variation::DroppedAnswer { step: Step::Prepare } => self.debit_and_complete(payment).await,
        }
    }

    /// One Complete, bent or not; its answer is kept and settles nothing.
    async fn complete_once(
        &self,
        payment: &mut Payment,
        merchant_prepare_id: i64,
        variation: &Variation,
    ) -> Result<(), ClickError> {
        let mut callback = Callback::complete(payment, self.inner.config.service_id, merchant_prepare_id);
        variation.bend(&mut callback);
        let exchange = self.exchange(&callback).await?;
        payment.note(exchange);
        Ok(())
    }

    async fn complete_in_parallel(
        &self,
        payment: &mut Payment,
        merchant_prepare_id: i64,
        count: u32,
    ) -> Result<(), ClickError> {
        payment.status = PaymentStatus::Debited { merchant_prepare_id };
        let callback = Callback::complete(payment, self.inner.config.service_id, merchant_prepare_id);
        for exchange in join_all((0..count).map(|_| self.exchange(&callback))).await {
            let exchange = exchange?;
            if let Some(settled) = settle(&exchange.answer, merchant_prepare_id) {
                payment.status = settled;
            }
            payment.note(exchange);
        }
        Ok(())
    }

    async fn complete_as_another(
        &self,
        payment: &mut Payment,
        merchant_prepare_id: i64,
    ) -> Result<(), ClickError> {
        payment.status = PaymentStatus::Debited { merchant_prepare_id };
        let mut callback = Callback::complete(payment, self.inner.config.service_id, merchant_prepare_id);
        callback.click_trans_id = self.with(super::State::next_trans_id);
        self.complete_until_settled(payment, merchant_prepare_id, &callback).await
    }
}
