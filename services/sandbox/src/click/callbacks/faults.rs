//! Faults that wait for the next callback, whoever causes it: the payment page, a load, a test.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::exchange::Step;

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

pub(in crate::click) const MAX_FAULTS: usize = 100;
pub(in crate::click) const MAX_TIMES: u32 = 10_000;
pub(super) const MAX_DELAY: Duration = Duration::from_mins(1);

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
