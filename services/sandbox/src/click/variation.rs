//! What can go wrong in a payment, on order.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    ClickError,
    callback::{Callback, FIELDS, Step},
};

/// One play: which order, how much, and what goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Play {
    pub order_id: String,
    /// So'm, as the merchant shall get it.
    pub amount: String,
    #[serde(flatten)]
    pub variation: Variation,
    /// After a twist of the Complete: send a proper Complete too, as CLICK's retry would.
    #[serde(default)]
    pub then_complete: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "variation", rename_all = "snake_case")]
pub enum Variation {
    /// Prepare, debit, Complete.
    Normal,
    /// Prepare and nothing more: the payer walks away.
    PrepareOnly,
    WrongSignature {
        step: Step,
    },
    WrongAmount {
        step: Step,
        sent: String,
    },
    WrongServiceId {
        step: Step,
        service_id: i64,
    },
    /// A Complete for an attempt that never was.
    UnknownPrepareId {
        merchant_prepare_id: i64,
    },
    MissingField {
        step: Step,
        field: String,
    },
    FieldTwice {
        step: Step,
        field: String,
    },
    /// An action that is neither 0 nor 1, in place of the Prepare.
    UnknownAction {
        action: i64,
    },
    /// A well signed Complete, with this attempt number, before any Prepare.
    CompleteWithoutPrepare {
        merchant_prepare_id: i64,
    },
    /// The same Prepare so many times, then the rest.
    RepeatedPrepare {
        times: u32,
    },
    /// The rest, with the same Complete so many times in all.
    RepeatedComplete {
        times: u32,
    },
    /// So many Completes at the same instant.
    ParallelCompletes {
        count: u32,
    },
    /// Prepare, then a Complete that says so: -5017 is lack of money.
    Cancel {
        error: i64,
    },
    /// Prepare, Complete, and then a Complete with an error for what is already paid.
    CancelPaid {
        error: i64,
    },
    /// The Complete comes with another click_trans_id than its Prepare, as CLICK's desktop tester does.
    OtherTransIdInComplete,
    /// The first answer of the step is lost on the way; CLICK asks again.
    DroppedAnswer {
        step: Step,
    },
    /// A pause between Prepare and Complete.
    Delay {
        delay_ms: u64,
    },
}

/// No play repeats or doubles more often.
const MAX_TIMES: u32 = 100;
pub(super) const MAX_DELAY: Duration = Duration::from_mins(1);

impl Play {
    pub fn new(order_id: &str, amount: &str, variation: Variation) -> Self {
        Self { order_id: order_id.to_owned(), amount: amount.to_owned(), variation, then_complete: false }
    }

    #[must_use]
    pub fn then_complete(self) -> Self {
        Self { then_complete: true, ..self }
    }

    pub(super) fn check(&self) -> Result<(), ClickError> {
        match &self.variation {
            Variation::MissingField { field, .. } | Variation::FieldTwice { field, .. } => {
                if FIELDS.contains(&field.as_str()) {
                    Ok(())
                } else {
                    Err(ClickError::NoSuchField(field.clone()))
                }
            }
            Variation::RepeatedPrepare { times: number }
            | Variation::RepeatedComplete { times: number }
            | Variation::ParallelCompletes { count: number } => {
                if *number <= MAX_TIMES {
                    Ok(())
                } else {
                    Err(ClickError::TooMany(*number, MAX_TIMES))
                }
            }
            Variation::Normal
            | Variation::PrepareOnly
            | Variation::WrongSignature { .. }
            | Variation::WrongAmount { .. }
            | Variation::WrongServiceId { .. }
            | Variation::UnknownPrepareId { .. }
            | Variation::UnknownAction { .. }
            | Variation::CompleteWithoutPrepare { .. }
            | Variation::Cancel { .. }
            | Variation::CancelPaid { .. }
            | Variation::OtherTransIdInComplete
            | Variation::DroppedAnswer { .. }
            | Variation::Delay { .. } => Ok(()),
        }
    }
}

impl Variation {
    /// Bends a form, if the variation is about this step.
    pub(super) fn bend(&self, callback: &mut Callback) {
        let is_meant = |step: &Step| *step == callback.step;
        match self {
            Self::WrongSignature { step } if is_meant(step) => callback.forged = true,
            Self::WrongAmount { step, sent } if is_meant(step) => callback.amount.clone_from(sent),
            Self::WrongServiceId { step, service_id } if is_meant(step) => callback.service_id = *service_id,
            Self::MissingField { step, field } if is_meant(step) => callback.missing = Some(field.clone()),
            Self::FieldTwice { step, field } if is_meant(step) => callback.twice = Some(field.clone()),
            Self::UnknownPrepareId { merchant_prepare_id } if is_meant(&Step::Complete) => {
                callback.merchant_prepare_id = Some(*merchant_prepare_id);
            }
            Self::UnknownAction { action } if is_meant(&Step::Prepare) => callback.action = *action,
            Self::WrongSignature { .. }
            | Self::WrongAmount { .. }
            | Self::WrongServiceId { .. }
            | Self::MissingField { .. }
            | Self::FieldTwice { .. }
            | Self::UnknownPrepareId { .. }
            | Self::UnknownAction { .. }
            | Self::Normal
            | Self::PrepareOnly
            | Self::CompleteWithoutPrepare { .. }
            | Self::RepeatedPrepare { .. }
            | Self::RepeatedComplete { .. }
            | Self::ParallelCompletes { .. }
            | Self::Cancel { .. }
            | Self::CancelPaid { .. }
            | Self::OtherTransIdInComplete
            | Self::DroppedAnswer { .. }
            | Self::Delay { .. } => {}
        }
    }

    /// Twists that make the Complete itself wrong: it is sent once, and nothing is settled by it.
    pub(super) const fn is_about_complete(&self) -> bool {
        matches!(
            self,
            Self::UnknownPrepareId { .. }
                | Self::WrongSignature { step: Step::Complete }
                | Self::WrongAmount { step: Step::Complete, .. }
                | Self::WrongServiceId { step: Step::Complete, .. }
                | Self::MissingField { step: Step::Complete, .. }
                | Self::FieldTwice { step: Step::Complete, .. }
        )
    }
}
