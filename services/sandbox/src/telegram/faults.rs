//! Faults on order: the next calls fail as Telegram sometimes does.

use serde::{Deserialize, Serialize};

/// What happens to the next calls of a method.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The method's name, in any case; none means every method but getUpdates.
    #[serde(default)]
    pub method: Option<String>,
    /// Only calls for this chat.
    #[serde(default)]
    pub chat_id: Option<i64>,
    /// How many calls are hit.
    #[serde(default = "once")]
    pub times: u32,
    #[serde(flatten)]
    pub effect: FaultEffect,
}

const fn once() -> u32 {
    1
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum FaultEffect {
    /// 429, not executed.
    TooManyRequests { retry_after_s: u32 },
    /// 403 "bot was blocked by the user", not executed.
    Blocked,
    /// 500, not executed. teloxide waits ten seconds over it.
    ServerError,
    /// Any other refusal in Telegram's envelope, not executed.
    Refusal { error_code: u16, description: String },
    /// 400 with `migrate_to_chat_id`, not executed.
    Migrated { to_chat_id: i64 },
    /// Executed, but later.
    Delay { delay_ms: u64 },
    /// Executed at once, but answered later.
    LateAnswer { delay_ms: u64 },
    /// Executed, but the connection breaks before the answer: the caller cannot know.
    LostAnswer,
}

impl Fault {
    /// One call of a method that is hit.
    pub fn once(method: &str, effect: FaultEffect) -> Self {
        Self { method: Some(method.to_owned()), chat_id: None, times: 1, effect }
    }

    #[must_use]
    pub fn in_chat(self, chat_id: i64) -> Self {
        Self { chat_id: Some(chat_id), ..self }
    }

    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    fn hits(&self, method: &str, chat_id: Option<i64>) -> bool {
        let method_is_meant = match &self.method {
            Some(meant) => meant.eq_ignore_ascii_case(method),
            None => method != "getUpdates",
        };
        method_is_meant && (self.chat_id.is_none() || self.chat_id == chat_id)
    }
}

/// More orders than this are refused.
const MAX_FAULTS: usize = 1_000;

/// The orders that are still open, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    /// `false` when there are too many already.
    pub(crate) fn add(&mut self, fault: Fault) -> bool {
        if self.0.len() >= MAX_FAULTS {
            return false;
        }
        if fault.times > 0 {
            self.0.push(fault);
        }
        true
    }

    pub(crate) fn open(&self) -> Vec<Fault> {
        self.0.clone()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The effect on this call, if any; used up by it.
    pub(crate) fn take(&mut self, method: &str, chat_id: Option<i64>) -> Option<FaultEffect> {
        let position = self.0.iter().position(|fault| fault.hits(method, chat_id))?;
        let fault = self.0.get_mut(position)?;
        fault.times -= 1;
        if fault.times > 0 {
            return Some(fault.effect.clone());
        }
        Some(self.0.remove(position).effect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_hits_its_calls_and_no_more() {
        let mut faults = Faults::default();
        faults.add(Fault::once("SendMessage", FaultEffect::Blocked).in_chat(5).times(2));
        assert_eq!(faults.take("sendMessage", Some(6)), None);
        assert_eq!(faults.take("sendPhoto", Some(5)), None);
        assert_eq!(faults.take("sendMessage", Some(5)), Some(FaultEffect::Blocked));
        assert_eq!(faults.take("sendMessage", Some(5)), Some(FaultEffect::Blocked));
        assert_eq!(faults.take("sendMessage", Some(5)), None);
    }

    #[test]
    fn a_fault_without_a_method_spares_the_poll() {
        let mut faults = Faults::default();
        faults.add(Fault { method: None, chat_id: None, times: 1, effect: FaultEffect::ServerError });
        assert_eq!(faults.take("getUpdates", None), None);
        assert_eq!(faults.take("getMe", None), Some(FaultEffect::ServerError));
    }
}
