//! Mishaps that wait for the next callback, whoever causes it: the checkout, a load, a test.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Click, ClickError,
    callback::{Callback, Exchange, MerchantAnswer, Step},
};

/// What happens to a callback on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "twist", rename_all = "snake_case")]
pub enum Mishap {
    /// The callback never reaches the merchant.
    LostCallback,
    /// The merchant is asked, and its answer never reaches CLICK.
    LostAnswer,
    /// The callback comes twice, at the same instant.
    Twice,
    Late {
        delay_ms: u64,
    },
    /// A Complete arrives before the Prepare that it belongs to.
    OutOfOrder,
    /// One so'm more than the order has.
    WrongAmount,
    WrongSignature,
}

/// A mishap, the step that it is for, and how many callbacks of that step it hits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Twist {
    pub step: Step,
    #[serde(default = "once")]
    pub times: u32,
    #[serde(flatten)]
    pub mishap: Mishap,
}

const fn once() -> u32 {
    1
}

/// More are refused.
const MAX_TWISTS: usize = 100;
const MAX_TIMES: u32 = 10_000;
const MAX_DELAY: Duration = Duration::from_mins(1);

impl Click {
    /// Orders a mishap. They are used up in the order in which they came.
    pub fn twist(&self, twist: Twist) -> Result<(), ClickError> {
        if twist.times > MAX_TIMES {
            return Err(ClickError::TooMany(twist.times, MAX_TIMES));
        }
        let is_full = self.with(|state| {
            let is_full = state.twists.len() >= MAX_TWISTS;
            if twist.times > 0 && !is_full {
                state.twists.push(twist);
            }
            is_full
        });
        self.show_twists();
        if is_full { Err(ClickError::Busy) } else { Ok(()) }
    }

    /// The mishaps that still wait for a callback.
    pub fn twists(&self) -> Vec<Twist> {
        self.with(|state| state.twists.clone())
    }

    pub fn clear_twists(&self) {
        self.with(|state| state.twists.clear());
        self.show_twists();
    }

    fn show_twists(&self) {
        self.inner.board.show("twists", json!(self.twists()));
    }

    fn take_twist(&self, step: Step) -> Option<Mishap> {
        let taken = self.with(|state| {
            let position = state.twists.iter().position(|twist| twist.step == step)?;
            let twist = state.twists.get_mut(position)?;
            twist.times -= 1;
            if twist.times > 0 {
                return Some(twist.mishap.clone());
            }
            Some(state.twists.remove(position).mishap)
        });
        if taken.is_some() {
            self.show_twists();
        }
        taken
    }

    /// Sends one callback, with the mishap that waits for it, and reads the answer. Never fails: that nothing came is
    /// an answer too.
    pub(super) async fn exchange(&self, callback: &Callback) -> Result<Exchange, ClickError> {
        let Some(mishap) = self.take_twist(callback.step) else {
            return self.exchange_as_it_is(callback).await;
        };
        let mut bent = callback.clone();
        match mishap {
            Mishap::LostCallback => return self.lose(callback).await,
            Mishap::LostAnswer => {
                let mut exchange = self.exchange_as_it_is(callback).await?;
                let problem = "the merchant's answer was lost on the way".to_owned();
                exchange.answer = MerchantAnswer::Unanswered { problem };
                return Ok(exchange);
            }
            Mishap::Twice => {
                let (first, second) =
                    tokio::join!(self.exchange_as_it_is(callback), self.exchange_as_it_is(callback));
                // Which of the two came first nobody knows; an answer of 0 is the one that says most.
                return if first.as_ref().is_ok_and(|one| one.answer.error() == Some(0)) {
                    first
                } else {
                    second
                };
            }
            Mishap::Late { delay_ms } => {
                self.pause(Duration::from_millis(delay_ms).min(MAX_DELAY)).await;
            }
            Mishap::OutOfOrder => {
                let early = Callback {
                    step: Step::Complete,
                    merchant_prepare_id: Some(0),
                    action: 1,
                    ..callback.clone()
                };
                self.exchange_as_it_is(&early).await?;
            }
            Mishap::WrongAmount => bent.amount = one_soum_more(&bent.amount),
            Mishap::WrongSignature => bent.forged = true,
        }
        self.exchange_as_it_is(&bent).await
    }
}

fn one_soum_more(amount: &str) -> String {
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
    fn a_twist_is_written_as_the_control_api_has_it() {
        let twist: Twist =
            serde_json::from_str(r#"{"step":"complete","twist":"late","delay_ms":5}"#).unwrap();
        assert_eq!(twist, Twist { step: Step::Complete, times: 1, mishap: Mishap::Late { delay_ms: 5 } });
    }
}
