//! Telegram's question whether an invoice may be paid. It wants the answer within 10 seconds; without one nothing is paid.

use std::{sync::Arc, time::Duration};

use serde::Deserialize;
use serde_json::Value;
use teloxide::{
    payloads::AnswerPreCheckoutQuerySetters,
    requests::Requester,
    types::{PreCheckoutQueryId, User},
};
use tokio::time::timeout;
use tolov_domain::{
    Language, UserId,
    telegram_payment::{self, CheckoutRefusal, CheckoutRequest},
};

use crate::{
    conversation::context::Person,
    deps::HandlerDeps,
    orders::ledger_client::{CheckoutReply, LedgerError},
    texts::l,
};

/// How long the store may take to say which language a person has chosen.
const LANGUAGE_MAX: Duration = Duration::from_secs(1);
/// How long the ledger may take, with all tries. The answer to Telegram has what is left of the 10 seconds.
const LEDGER_MAX: Duration = Duration::from_secs(5);

/// What Telegram asks.
#[derive(Debug, Clone, Deserialize)]
#[expect(clippy::unsafe_derive_deserialize, reason = "only macros of tokio in its methods are unsafe inside")]
pub(crate) struct PreCheckout {
    id: String,
    from: User,
    currency: String,
    total_amount: i64,
    invoice_payload: String,
}

/// Why an invoice is not to be paid.
enum Refusal {
    Ledger(CheckoutRefusal),
    /// It names no order that the ledger knows.
    Unknown,
    /// The ledger did not answer in time.
    Away,
}

impl PreCheckout {
    pub(crate) fn in_update(update: &Value) -> Option<Self> {
        Self::deserialize(update.get("pre_checkout_query")?)
            .inspect_err(|error| tracing::error!(%error, "Telegram's pre_checkout_query cannot be read"))
            .ok()
    }

    /// Answers it, within Telegram's time.
    pub(crate) async fn answer(self, deps: Arc<HandlerDeps>) {
        let (language, decided) = tokio::join!(self.language(&deps), self.decide(&deps));
        let id = PreCheckoutQueryId(self.id);
        let request = match decided {
            Ok(()) => deps.telegram.listening.answer_pre_checkout_query(id, true),
            Err(refusal) => deps
                .telegram
                .listening
                .answer_pre_checkout_query(id, false)
                .error_message(refusal.text(language)),
        };
        if let Err(error) = request.await {
            tracing::warn!(%error, "a pre_checkout_query could not be answered; Telegram takes no money");
        }
    }

    async fn language(&self, deps: &HandlerDeps) -> Language {
        let Some(person) = Person::of(&self.from) else { return Language::default() };
        let chosen = timeout(LANGUAGE_MAX, deps.chosen_language_of(person.id)).await;
        chosen.ok().flatten().or(person.device_language).unwrap_or_default()
    }

    async fn decide(&self, deps: &HandlerDeps) -> Result<(), Refusal> {
        let order_id = telegram_payment::order_of(&self.invoice_payload).ok_or(Refusal::Unknown)?;
        let user_id = i64::try_from(self.from.id.0).ok().and_then(|id| UserId::try_new(id).ok());
        let asked = CheckoutRequest {
            user_id: user_id.ok_or(Refusal::Unknown)?,
            amount_tiyin: self.total_amount,
            currency: self.currency.clone(),
        };
        match timeout(LEDGER_MAX, deps.ledger.check_out_in_telegram(order_id, &asked)).await {
            Ok(Ok(CheckoutReply::Allowed)) => {
                tracing::info!(order.id = %order_id, "an invoice is being paid in Telegram");
                Ok(())
            }
            Ok(Ok(CheckoutReply::Refused(refusal))) => Err(Refusal::Ledger(refusal)),
            Ok(Ok(CheckoutReply::UnknownOrder)) => Err(Refusal::Unknown),
            Ok(Err(LedgerError::Refused(reason))) => {
                tracing::error!(order.id = %order_id, reason, "an invoice cannot be checked; nothing is paid");
                Err(Refusal::Away)
            }
            Ok(Err(LedgerError::Unavailable(_))) | Err(_) => {
                tracing::warn!(order.id = %order_id, "the webhook service is away; an invoice is not paid");
                Err(Refusal::Away)
            }
        }
    }
}

impl Refusal {
    fn text(&self, language: Language) -> String {
        match self {
            Self::Ledger(CheckoutRefusal::Paid) => l!(language, "invoice-paid-already"),
            Self::Ledger(CheckoutRefusal::Expired) => l!(language, "invoice-expired"),
            Self::Ledger(CheckoutRefusal::BeingPaid) => l!(language, "invoice-being-paid"),
            Self::Ledger(CheckoutRefusal::AmountDiffers | CheckoutRefusal::OtherUser) | Self::Unknown => {
                l!(language, "invoice-not-yours")
            }
            Self::Away => l!(language, "invoice-later"),
        }
    }
}
