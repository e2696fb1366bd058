//! Faults that wait for the merchant's next calls of the Merchant API.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::{
    callbacks::faults::{MAX_FAULTS, MAX_TIMES},
    error::ClickError,
    simulator::Click,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApiCallKind {
    /// `payment/status` and `payment/status_by_mti`.
    Status,
    /// `payment/reversal` and `payment/partial_reversal`.
    Reversal,
    /// `invoice/…`.
    Invoice,
    /// `payment/ofd_data/…`, either of the next two.
    Fiscal,
    /// `submit_items` and `submit_qrcode`.
    FiscalSubmit,
    /// The receipt that is asked for.
    FiscalRead,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum ApiFaultEffect {
    /// Not executed; the connection breaks.
    LostRequest,
    /// Executed; the connection breaks before the answer.
    LostAnswer,
    /// Executed; HTTP 200 without a body.
    EmptyBody,
    /// Not executed; HTTP 502.
    ServerError,
    /// Not executed; HTTP 200 with CLICK's -12 (service) or -15 (signature).
    WrongKeys {
        #[serde(default = "wrong_service")]
        error_code: i64,
    },
    /// Not executed; HTTP 200 with -16.
    NotFound,
    /// Not executed; HTTP 200 with this code.
    Refused {
        #[serde(default = "refused_code")]
        error_code: i64,
        #[serde(default = "refused_note")]
        error_note: String,
    },
    /// Not executed: refused as a payment of an earlier month.
    OutsideMonth,
    /// A status call says 1, in work.
    InWork,
}

/// Affects the next `times` calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiFault {
    /// `None`: any call.
    #[serde(default)]
    pub call: Option<ApiCallKind>,
    #[serde(default = "once")]
    pub times: u32,
    #[serde(flatten)]
    pub effect: ApiFaultEffect,
}

const fn once() -> u32 {
    1
}

const fn wrong_service() -> i64 {
    super::answer::WRONG_SERVICE
}

const fn refused_code() -> i64 {
    super::answer::REFUSED
}

fn refused_note() -> String {
    "Возврат невозможен".to_owned()
}

impl ApiCallKind {
    /// Of a path below [`tolov_click::merchant_api::BASE_PATH`].
    pub(super) fn of_path(tail: &str) -> Option<Self> {
        [
            ("payment/status", Self::Status),
            ("payment/reversal/", Self::Reversal),
            ("payment/partial_reversal/", Self::Reversal),
            ("payment/ofd_data/submit_", Self::FiscalSubmit),
            ("payment/ofd_data/", Self::FiscalRead),
            ("invoice/", Self::Invoice),
        ]
        .into_iter()
        .find_map(|(start, kind)| tail.starts_with(start).then_some(kind))
    }
}

impl ApiFault {
    pub fn once(call: ApiCallKind, effect: ApiFaultEffect) -> Self {
        Self { call: Some(call), times: 1, effect }
    }

    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    fn affects(&self, call: Option<ApiCallKind>) -> bool {
        let is_possible = self.effect != ApiFaultEffect::InWork || call == Some(ApiCallKind::Status);
        let is_fiscal = matches!(call, Some(ApiCallKind::FiscalSubmit | ApiCallKind::FiscalRead));
        let is_meant = self.call == call || (self.call == Some(ApiCallKind::Fiscal) && is_fiscal);
        is_possible && (self.call.is_none() || is_meant)
    }
}

impl Click {
    /// Requests a fault. Faults are used in the order in which they were requested.
    pub fn inject_api(&self, fault: ApiFault) -> Result<(), ClickError> {
        if fault.times > MAX_TIMES {
            return Err(ClickError::TooMany(fault.times, MAX_TIMES));
        }
        let is_full = self.with(|state| {
            let is_full = state.api_faults.len() >= MAX_FAULTS;
            if fault.times > 0 && !is_full {
                state.api_faults.push(fault);
            }
            is_full
        });
        self.show_api_faults();
        if is_full { Err(ClickError::Busy) } else { Ok(()) }
    }

    /// The faults that are not used up.
    pub fn api_faults(&self) -> Vec<ApiFault> {
        self.with(|state| state.api_faults.clone())
    }

    pub fn clear_api_faults(&self) {
        self.with(|state| state.api_faults.clear());
        self.show_api_faults();
    }

    fn show_api_faults(&self) {
        self.inner.dashboard.show("api_faults", json!(self.api_faults()));
    }

    pub(super) fn take_api_fault(&self, call: Option<ApiCallKind>) -> Option<ApiFaultEffect> {
        let taken = self.with(|state| {
            let position = state.api_faults.iter().position(|fault| fault.affects(call))?;
            let fault = state.api_faults.get_mut(position)?;
            fault.times -= 1;
            if fault.times > 0 {
                return Some(fault.effect.clone());
            }
            Some(state.api_faults.remove(position).effect)
        });
        if taken.is_some() {
            self.show_api_faults();
        }
        taken
    }
}
