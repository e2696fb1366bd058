//! Faults that wait for the bot's next calls.

use serde::{Deserialize, Serialize};

/// Affects the next `times` calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// In any case. `None`: every method but getUpdates.
    #[serde(default)]
    pub method: Option<String>,
    /// Only calls about this chat.
    #[serde(default)]
    pub chat_id: Option<i64>,
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
    /// 500, not executed. teloxide then waits ten seconds.
    ServerError,
    /// Another refusal of Telegram, not executed.
    Refusal { error_code: u16, description: String },
    /// 400 with `migrate_to_chat_id`, not executed.
    Migrated { to_chat_id: i64 },
    /// Executed later.
    Delay { delay_ms: u64 },
    /// Executed at once, answered later.
    LateAnswer { delay_ms: u64 },
    /// Executed; the connection breaks before the answer.
    LostAnswer,
}

impl Fault {
    /// For the next call of a method.
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

    fn affects(&self, method: &str, chat_id: Option<i64>) -> bool {
        let method_is_meant = match &self.method {
            Some(meant) => meant.eq_ignore_ascii_case(method),
            None => method != "getUpdates",
        };
        method_is_meant && (self.chat_id.is_none() || self.chat_id == chat_id)
    }
}

const MAX_FAULTS: usize = 1_000;

/// Oldest first.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    /// `false` if there are too many.
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

    /// The effect on this call.
    pub(crate) fn take(&mut self, method: &str, chat_id: Option<i64>) -> Option<FaultEffect> {
        let position = self.0.iter().position(|fault| fault.affects(method, chat_id))?;
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
    fn a_fault_affects_its_calls_and_no_others() {
        let mut faults = Faults::default();
        faults.add(Fault::once("SendMessage", FaultEffect::Blocked).in_chat(5).times(2));
        assert_eq!(faults.take("sendMessage", Some(6)), None);
        assert_eq!(faults.take("sendPhoto", Some(5)), None);
        assert_eq!(faults.take("sendMessage", Some(5)), Some(FaultEffect::Blocked));
        assert_eq!(faults.take("sendMessage", Some(5)), Some(FaultEffect::Blocked));
        assert_eq!(faults.take("sendMessage", Some(5)), None);
    }

    #[test]
    fn a_fault_without_a_method_does_not_affect_polling() {
        let mut faults = Faults::default();
        faults.add(Fault { method: None, chat_id: None, times: 1, effect: FaultEffect::ServerError });
        assert_eq!(faults.take("getUpdates", None), None);
        assert_eq!(faults.take("getMe", None), Some(FaultEffect::ServerError));
    }
}
