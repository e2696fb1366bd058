//! Faults that wait for the next callback, whoever causes it: the payment page, a load, a test.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    super::{error::ClickError, simulator::Click},
    exchange::Step,
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum FaultEffect {
    /// The callback does not reach the merchant.
    LostCallback,
    /// The merchant answers, and the answer does not reach CLICK.
    LostAnswer,
    /// The callback is sent twice at the same time.
    Twice,
    Late {
        delay_ms: u64,
    },
    /// A Complete arrives before its Prepare.
    OutOfOrder,
    /// One so'm more than the order's amount.
    WrongAmount,
    WrongSignature,
}

/// Affects the next `times` callbacks of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    pub step: Step,
    #[serde(default = "once")]
    pub times: u32,
    #[serde(flatten)]
    pub effect: FaultEffect,
}

const fn once() -> u32 {
    1
}

const MAX_FAULTS: usize = 100;
const MAX_TIMES: u32 = 10_000;
pub(super) const MAX_DELAY: Duration = Duration::from_mins(1);

impl Click {
    /// Requests a fault. Faults are used in the order in which they were requested.
    pub fn inject(&self, fault: Fault) -> Result<(), ClickError> {
        if fault.times > MAX_TIMES {
            return Err(ClickError::TooMany(fault.times, MAX_TIMES));
        }
        let is_full = self.with(|state| {
            let is_full = state.faults.len() >= MAX_FAULTS;
            if fault.times > 0 && !is_full {
                state.faults.push(fault);
            }
            is_full
        });
        self.show_faults();
        if is_full { Err(ClickError::Busy) } else { Ok(()) }
    }

    /// The faults that are not used up.
    pub fn faults(&self) -> Vec<Fault> {
        self.with(|state| state.faults.clone())
    }

    pub fn clear_faults(&self) {
        self.with(|state| state.faults.clear());
        self.show_faults();
    }

    fn show_faults(&self) {
        self.inner.dashboard.show("click_faults", json!(self.faults()));
    }

    pub(super) fn take_fault(&self, step: Step) -> Option<FaultEffect> {
        let taken = self.with(|state| {
            let position = state.faults.iter().position(|fault| fault.step == step)?;
            let fault = state.faults.get_mut(position)?;
            fault.times -= 1;
            if fault.times > 0 {
                return Some(fault.effect.clone());
            }
            Some(state.faults.remove(position).effect)
        });
        if taken.is_some() {
            self.show_faults();
        }
        taken
    }
}

pub(super) fn one_soum_more(amount: &str) -> String {
    let (whole, rest) =
        amount.split_once('.').map_or((amount, String::new()), |(whole, rest)| (whole, format!(".{rest}")));
    whole.parse::<i64>().map_or_else(|_| "1".to_owned(), |whole| format!("{}{rest}", whole.saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_amount_is_wrong_by_one_soum() {
        assert_eq!(one_soum_more("30000.00"), "30001.00");
        assert_eq!(one_soum_more("1500"), "1501");
    }

    #[test]
    fn a_fault_is_written_as_the_control_api_has_it() {
        let fault: Fault =
            serde_json::from_str(r#"{"step":"complete","effect":"late","delay_ms":5}"#).unwrap();
        assert_eq!(
            fault,
            Fault { step: Step::Complete, times: 1, effect: FaultEffect::Late { delay_ms: 5 } }
        );
    }
}
