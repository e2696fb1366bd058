//! The answers so far.

use std::collections::BTreeMap;

use tolov_kit::env::Env;

/// By name of the setting. Holds secrets: it does not print.
#[derive(Default)]
pub(super) struct Answers(BTreeMap<String, String>);

impl Answers {
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    pub(super) fn unset(&mut self, name: &str) {
        self.0.remove(name);
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// As the services would read them.
    pub(super) fn env(&self) -> Env {
        Env::new(self.0.clone())
    }
}
