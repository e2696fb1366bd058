//! Payments by Telegram's own invoice: attempts that Telegram's pre-checkout opens, and money that it says was taken. The rules
//! are [`tolov_domain::payment`]'s, as for CLICK's callbacks.

use tolov_domain::{
    ClickPaydocId, ClickTransId, EventKind, OrderId, Tiyin, UnplacedPayment,
    payment::{self, AttemptState, Claim, Confirmation, News},
    telegram_payment::{
        CURRENCY, CheckoutRefusal, CheckoutRequest, PaymentOutcome, TelegramPayment, order_of,
    },
    time::{Timestamp, from_unix_ms, unix_ms},
    unplaced,
};

use crate::ledger::writer::{
    invoices::TelegramRow,
    job::{Decision, Phase},
    known::Needs,
    rows::{LedgerAttempt, LedgerOrder, PaidSource},
    working_set::WorkingSet,
};

/// What became of a checkout: the end of its hold, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckedOut {
    Until(Timestamp),
    Refused(CheckoutRefusal),
    UnknownOrder,
    /// The ledger has no number left.
    NumbersUsedUp,
}

/// Telegram asks whether it may take the money.
pub(crate) struct CheckOut {
    pub(crate) order_id: OrderId,
    pub(crate) asked: CheckoutRequest,
    pub(crate) at: Timestamp,
}

impl Decision for CheckOut {
    type Answer = CheckedOut;
    const PHASE: Phase = Phase::Callback;

    fn needs(&self, needs: &mut Needs) {
        needs.orders.insert(self.order_id);
    }

    fn decide(&self, set: &mut WorkingSet) -> CheckedOut {
        set.check_out(self)
    }
}

/// Telegram has taken the money.
pub(crate) struct TakePayment {
    pub(crate) payment: TelegramPayment,
    pub(crate) at: Timestamp,
}

impl Decision for TakePayment {
    type Answer = PaymentOutcome;
    const PHASE: Phase = Phase::Callback;

    fn needs(&self, needs: &mut Needs) {
        needs.orders.extend(order_of(&self.payment.payload));
        needs.charges.insert(self.payment.telegram_charge_id.clone());
        needs.charges.insert(self.payment.provider_charge_id.clone());
    }

    fn decide(&self, set: &mut WorkingSet) -> PaymentOutcome {
        set.take_payment(&self.payment, self.at)
    }
}

impl WorkingSet {
    fn check_out(&mut self, job: &CheckOut) -> CheckedOut {
        let Some(order) = self.known.order(job.order_id).cloned() else { return CheckedOut::UnknownOrder };
        if order.user_id != job.asked.user_id {
            return CheckedOut::Refused(CheckoutRefusal::OtherUser);
        }
        if !is_of(job.asked.amount_tiyin, &job.asked.currency, order.amount) {
            return CheckedOut::Refused(CheckoutRefusal::AmountDiffers);
        }
        let held = self.is_held(order.order_id, job.at, |trans_id| !trans_id.is_of_telegram());
        if let Err(refusal) = payment::check_out(order.state, held) {
            return CheckedOut::Refused(refusal);
        }
        match self.open_telegram_attempt(&order, job.at) {
            Some(_) => CheckedOut::Until(job.at.saturating_add(payment::HOLD)),
            None => CheckedOut::NumbersUsedUp,
        }
    }

    /// Whether an open attempt of such transactions keeps other ways to pay closed.
    pub(in crate::ledger::writer) fn is_held(
        &self,
        order_id: OrderId,
        now: Timestamp,
        of: impl Fn(ClickTransId) -> bool,
    ) -> bool {
        self.known.attempts_of(order_id).any(|attempt| {
            of(attempt.click_trans_id)
                && payment::holds(attempt.state, from_unix_ms(attempt.prepared_at_ms), now)
        })
    }

    fn open_telegram_attempt(&mut self, order: &LedgerOrder, at: Timestamp) -> Option<LedgerAttempt> {
        let prepare_id = self.known.numbers.take_prepare_id()?;
        let attempt = LedgerAttempt {
            prepare_id,
            order_id: order.order_id,
            click_trans_id: ClickTransId::of_telegram(prepare_id),
            click_paydoc_id: ClickPaydocId::NONE,
            amount: order.amount,
            prepared_at_ms: unix_ms(at),
            state: AttemptState::Prepared,
            paid_source: PaidSource::Callback,
        };
        self.change_attempt(attempt.clone());
        Some(attempt)
    }

    fn take_payment(&mut self, paid: &TelegramPayment, at: Timestamp) -> PaymentOutcome {
        let Some(order) = order_of(&paid.payload).and_then(|id| self.known.order(id)).cloned() else {
            return self.unplaced_in_telegram(paid, at);
        };
        let payments = self.known.telegram_payments_of(order.order_id);
        if payments.iter().any(|known| known.telegram_charge_id == paid.telegram_charge_id) {
            return PaymentOutcome::AlreadyApplied;
        }
        if let Some(restored) = self.restored(&order, paid) {
            self.keep_telegram_payment(TelegramRow::of(paid, Some(&restored), PaymentOutcome::Paid, at));
            return PaymentOutcome::AlreadyApplied;
        }
        let open = self.unused_telegram_attempt(order.order_id);
        let Some(attempt) = open.or_else(|| self.open_telegram_attempt(&order, at)) else {
            return self.unplaced_in_telegram(paid, at);
        };
        let click_paydoc_id = paid.paydoc_id();
        let claim = Claim {
            error: None,
            amount_agrees: is_of(paid.amount_tiyin, &paid.currency, attempt.amount),
            transaction_paid_another: self.known.is_charge_known(paid),
        };
        let confirmation = Confirmation { click_trans_id: attempt.click_trans_id, click_paydoc_id, at };
        let completion =
            payment::complete(order.state, attempt.state, attempt.prepare_id, claim, confirmation);
        let (merchant_prepare_id, click_trans_id) = (attempt.prepare_id, attempt.click_trans_id);
        let (outcome, kind) = match completion.news {
            Some(News::Completed { late }) => {
                self.change_attempt(LedgerAttempt { state: completion.attempt, ..attempt.clone() });
                self.set_order_state(&order, completion.order);
                let kind = EventKind::PaymentCompleted {
                    click_trans_id,
                    click_paydoc_id,
                    merchant_prepare_id,
                    late,
                };
                (PaymentOutcome::Paid, kind)
            }
            Some(News::Anomaly(anomaly)) => {
                tracing::warn!(
                    order.id = %order.order_id, anomaly = anomaly.as_str(),
                    "Telegram has taken money that does not agree with the ledger; staff are told"
                );
                let kind = EventKind::PaymentQuestioned {
                    click_trans_id,
                    click_paydoc_id,
                    merchant_prepare_id: Some(merchant_prepare_id),
                    click_amount: Tiyin::try_new(paid.amount_tiyin).ok(),
                    anomaly,
                };
                (PaymentOutcome::Questioned, kind)
            }
            Some(News::Cancelled { .. }) | None => return PaymentOutcome::AlreadyApplied,
        };
        self.keep_telegram_payment(TelegramRow::of(paid, Some(&attempt), outcome, at));
        self.publish(&order, kind, at);
        outcome
    }

    /// The attempt by which this payment is known already, from an event that a restore took back.
    fn restored(&self, order: &LedgerOrder, paid: &TelegramPayment) -> Option<LedgerAttempt> {
        let number = paid.paydoc_id();
        let is_this = |attempt: &&LedgerAttempt| {
            matches!(attempt.state, AttemptState::Paid { by: known, .. }
                if known.click_trans_id.is_of_telegram() && known.click_paydoc_id == number)
        };
        self.without_payment(order.order_id).find(is_this).cloned()
    }

    /// The newest attempt of Telegram's that no payment was recorded for: each has one at most.
    fn unused_telegram_attempt(&self, order_id: OrderId) -> Option<LedgerAttempt> {
        let is_open = |attempt: &&LedgerAttempt| {
            matches!(attempt.state, AttemptState::Prepared | AttemptState::GivenUp { .. })
        };
        self.without_payment(order_id).filter(is_open).max_by_key(|attempt| attempt.prepare_id).cloned()
    }

    fn without_payment(&self, order_id: OrderId) -> impl Iterator<Item = &LedgerAttempt> {
        let payments = self.known.telegram_payments_of(order_id);
        self.known.attempts_of(order_id).filter(move |attempt| {
            attempt.click_trans_id.is_of_telegram()
                && payments.iter().all(|payment| payment.prepare_id != Some(attempt.prepare_id))
        })
    }

    fn unplaced_in_telegram(&mut self, paid: &TelegramPayment, at: Timestamp) -> PaymentOutcome {
        tracing::error!("Telegram has taken money that the ledger cannot place; staff are told");
        let texts = [&paid.telegram_charge_id, &paid.provider_charge_id, &paid.payload];
        self.publish_unplaced(&unplaced(texts.map(String::as_str), paid.amount_tiyin, at));
        self.keep_telegram_payment(TelegramRow::of(paid, None, PaymentOutcome::Unplaced, at));
        PaymentOutcome::Unplaced
    }
}

fn is_of(amount_tiyin: i64, currency: &str, amount: Tiyin) -> bool {
    currency == CURRENCY && amount_tiyin == amount.get()
}

/// What staff are told of money that the ledger cannot place.
pub(in crate::ledger) fn unplaced(
    [charge_id, provider_charge_id, payload]: [&str; 3],
    amount_tiyin: i64,
    occurred_at: Timestamp,
) -> UnplacedPayment {
    let text = |text: &str| text.chars().take(100).collect();
    UnplacedPayment {
        schema: unplaced::SCHEMA.to_owned(),
        event_id: UnplacedPayment::id_of(charge_id),
        click_trans_id: text(charge_id),
        click_paydoc_id: text(provider_charge_id),
        merchant_trans_id: text(payload),
        amount: Tiyin::try_new(amount_tiyin).map_or_else(|_| String::new(), Tiyin::soum_json),
        answer: tolov_click::ClickCode::UserDoesNotExist.code(),
        occurred_at,
    }
}
