//! Runs a scenario.

use std::time::Duration;

use futures_util::future::join_all;

use super::{
    super::{
        callbacks::{
            exchange::{Exchange, Step},
            form::Callback,
        },
        error::ClickError,
        pay::settle,
        payment::{Payment, PaymentStatus},
        simulator::{Click, State},
    },
    definition::{MAX_DELAY, Scenario, ScenarioRequest},
};

impl Click {
    /// Pays an order as the scenario says, and returns the payment with every exchange.
    pub async fn run_scenario(&self, request: ScenarioRequest) -> Result<Payment, ClickError> {
        request.check()?;
        let mut payment = self.open_payment(&request.order_id, &request.amount)?;
        if let Scenario::CompleteWithoutPrepare { merchant_prepare_id } = request.scenario {
            self.complete_once(&mut payment, merchant_prepare_id, &request.scenario).await?;
        } else {
            self.scenario_prepare(&mut payment, &request.scenario).await?;
            if let PaymentStatus::Prepared { merchant_prepare_id } = payment.status {
                self.scenario_complete(&mut payment, merchant_prepare_id, &request).await?;
            }
        }
        self.record(&payment);
        Ok(payment)
    }

    fn complete_of(&self, payment: &Payment, merchant_prepare_id: i64) -> Callback {
        Callback::complete(payment, self.inner.config.service_id, merchant_prepare_id)
    }

    async fn scenario_prepare(&self, payment: &mut Payment, scenario: &Scenario) -> Result<(), ClickError> {
        let mut callback = Callback::prepare(payment, self.inner.config.service_id);
        scenario.change(&mut callback);
        if *scenario == (Scenario::DroppedAnswer { step: Step::Prepare }) {
            let lost = self.exchange(&callback).await?;
            payment.add(Exchange { ignored: true, ..lost });
        }
        let times = if let Scenario::RepeatedPrepare { times } = scenario { (*times).max(1) } else { 1 };
        for _ in 0..times {
            self.send_prepare(payment, &callback).await?;
        }
        Ok(())
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "every other scenario ends like a normal payment")]
    async fn scenario_complete(
        &self,
        payment: &mut Payment,
        merchant_prepare_id: i64,
        request: &ScenarioRequest,
    ) -> Result<(), ClickError> {
        match &request.scenario {
            changed if changed.changed_step() == Some(Step::Complete) => {
                self.complete_once(payment, merchant_prepare_id, changed).await?;
                if request.then_complete {
                    self.debit_and_complete(payment).await?;
                }
            }
            Scenario::PrepareOnly => {}
            Scenario::Cancel { error } => self.cancel(payment, *error).await?,
            Scenario::CancelPaid { error } => {
                self.debit_and_complete(payment).await?;
                let cancel = self.complete_of(payment, merchant_prepare_id).failed(*error);
                payment.add(self.exchange(&cancel).await?);
            }
            Scenario::RepeatedComplete { times } => {
                self.debit_and_complete(payment).await?;
                for _ in 1..*times {
                    self.complete_once(payment, merchant_prepare_id, &Scenario::Normal).await?;
                }
            }
            Scenario::ParallelCompletes { count } => {
                self.complete_in_parallel(payment, merchant_prepare_id, *count).await?;
            }
            Scenario::OtherTransIdInComplete => {
                payment.status = PaymentStatus::Debited { merchant_prepare_id };
                let mut callback = self.complete_of(payment, merchant_prepare_id);
                callback.click_trans_id = self.with(State::next_trans_id);
                self.complete_until_settled(payment, merchant_prepare_id, &callback).await?;
            }
            Scenario::DroppedAnswer { step: Step::Complete } => {
                let lost = self.exchange(&self.complete_of(payment, merchant_prepare_id)).await?;
                payment.add(Exchange { ignored: true, ..lost });
                self.debit_and_complete(payment).await?;
            }
            Scenario::Delay { delay_ms } => {
                if self.pause(Duration::from_millis(*delay_ms).min(MAX_DELAY)).await {
                    self.debit_and_complete(payment).await?;
                }
            }
            _ => self.debit_and_complete(payment).await?,
        }
        Ok(())
    }

    /// Sends one Complete and keeps its answer, which settles nothing.
    async fn complete_once(
        &self,
        payment: &mut Payment,
        merchant_prepare_id: i64,
        scenario: &Scenario,
    ) -> Result<(), ClickError> {
        let mut callback = self.complete_of(payment, merchant_prepare_id);
        scenario.change(&mut callback);
        payment.add(self.exchange(&callback).await?);
        Ok(())
    }

    async fn complete_in_parallel(
        &self,
        payment: &mut Payment,
        merchant_prepare_id: i64,
        count: u32,
    ) -> Result<(), ClickError> {
        payment.status = PaymentStatus::Debited { merchant_prepare_id };
        let callback = self.complete_of(payment, merchant_prepare_id);
        for exchange in join_all((0..count).map(|_| self.exchange(&callback))).await {
            let exchange = exchange?;
            if let Some(settled) = settle(&exchange.answer, merchant_prepare_id) {
                payment.status = settled;
            }
            payment.add(exchange);
        }
        Ok(())
    }
}
