//! What can be requested of a payment.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tolov_click::form::FIELDS;

use super::super::{
    callbacks::{exchange::Step, form::Callback},
    error::ClickError,
};

/// A payment of an order, and how it goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioRequest {
    pub order_id: String,
    /// So'm, sent to the merchant as it is.
    pub amount: String,
    #[serde(flatten)]
    pub scenario: Scenario,
    /// After a Complete that the scenario made wrong: send a correct one too, as CLICK's retry would.
    #[serde(default)]
    pub then_complete: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "scenario", rename_all = "snake_case")]
pub enum Scenario {
    /// Prepare, debit, Complete.
    Normal,
    /// The payer leaves after the Prepare.
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
    /// The Complete names another attempt.
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
    /// A well signed Complete without any Prepare.
    CompleteWithoutPrepare {
        merchant_prepare_id: i64,
    },
    RepeatedPrepare {
        times: u32,
    },
    /// `times` equal Completes in all.
    RepeatedComplete {
        times: u32,
    },
    ParallelCompletes {
        count: u32,
    },
    /// Prepare, then a Complete with this error: -5017 is lack of money.
    Cancel {
        error: i64,
    },
    /// A Complete with an error after the payment is confirmed.
    CancelPaid {
        error: i64,
    },
    /// The Complete has another click_trans_id than its Prepare, as CLICK's desktop tester sends it.
    OtherTransIdInComplete,
    /// The first answer of the step is lost, and CLICK asks again.
    DroppedAnswer {
        step: Step,
    },
    /// A pause between Prepare and Complete.
    Delay {
        delay_ms: u64,
    },
}

const MAX_TIMES: u32 = 100;
pub(super) const MAX_DELAY: Duration = Duration::from_mins(1);

impl ScenarioRequest {
    pub fn new(order_id: &str, amount: &str, scenario: Scenario) -> Self {
        Self { order_id: order_id.to_owned(), amount: amount.to_owned(), scenario, then_complete: false }
    }

    #[must_use]
    pub fn then_complete(self) -> Self {
        Self { then_complete: true, ..self }
    }

    pub(super) fn check(&self) -> Result<(), ClickError> {
        if let Scenario::MissingField { field, .. } | Scenario::FieldTwice { field, .. } = &self.scenario
            && !FIELDS.contains(&field.as_str())
        {
            return Err(ClickError::NoSuchField(field.clone()));
        }
        if let Scenario::RepeatedPrepare { times: number }
        | Scenario::RepeatedComplete { times: number }
        | Scenario::ParallelCompletes { count: number } = &self.scenario
            && *number > MAX_TIMES
        {
            return Err(ClickError::TooMany(*number, MAX_TIMES));
        }
        Ok(())
    }
}

impl Scenario {
    /// The step whose form the scenario changes.
    pub(super) const fn changed_step(&self) -> Option<Step> {
        if let Self::WrongSignature { step }
        | Self::WrongAmount { step, .. }
        | Self::WrongServiceId { step, .. }
        | Self::MissingField { step, .. }
        | Self::FieldTwice { step, .. } = self
        {
            Some(*step)
        } else if let Self::UnknownPrepareId { .. } = self {
            Some(Step::Complete)
        } else if let Self::UnknownAction { .. } = self {
            Some(Step::Prepare)
        } else {
            None
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the other scenarios change no form")]
    pub(super) fn change(&self, callback: &mut Callback) {
        if self.changed_step() != Some(callback.step) {
            return;
        }
        match self {
            Self::WrongSignature { .. } => callback.forged = true,
            Self::WrongAmount { sent, .. } => callback.amount.clone_from(sent),
            Self::WrongServiceId { service_id, .. } => callback.service_id = *service_id,
            Self::MissingField { field, .. } => callback.missing = Some(field.clone()),
            Self::FieldTwice { field, .. } => callback.twice = Some(field.clone()),
            Self::UnknownPrepareId { merchant_prepare_id } => {
                callback.merchant_prepare_id = Some(*merchant_prepare_id);
            }
            Self::UnknownAction { action } => callback.action = *action,
            _ => {}
        }
    }
}
