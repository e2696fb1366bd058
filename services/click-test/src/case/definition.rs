//! A case: what is sent, what is expected, and why it matters.

use futures_util::future::BoxFuture;

use super::context::{CaseResult, CaseRun};
use crate::level::Level;

/// The orders that a case needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    Nothing,
    /// One that every call of the case must leave unpaid, so that all such cases share it.
    SharedOrder,
    /// So many that only this case uses.
    FreshOrders(u32),
    /// The create call itself is tested.
    CreateCall,
}

pub(crate) type Script = for<'a> fn(&'a mut CaseRun<'_>) -> BoxFuture<'a, CaseResult>;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) id: &'static str,
    pub(crate) level: Level,
    pub(crate) needs: Needs,
    /// What is sent, in one line.
    pub(crate) title: &'static str,
    /// What goes wrong in a shop whose merchant fails it.
    pub(crate) why: &'static str,
    pub(crate) script: Script,
}

impl Case {
    pub(crate) const fn must(id: &'static str, needs: Needs, script: Script) -> Self {
        Self { id, level: Level::Must, needs, title: "", why: "", script }
    }

    pub(crate) const fn should(id: &'static str, needs: Needs, script: Script) -> Self {
        Self { level: Level::Should, ..Self::must(id, needs, script) }
    }

    pub(crate) const fn title(self, title: &'static str) -> Self {
        Self { title, ..self }
    }

    pub(crate) const fn why(self, why: &'static str) -> Self {
        Self { why, ..self }
    }

    /// Whether a word of `--only` selects this case.
    pub(crate) fn is_selected_by(&self, word: &str) -> bool {
        let is_of_group = || self.id.strip_prefix(word).is_some_and(|rest| rest.starts_with('.'));
        word == self.id || word == self.level.name() || is_of_group()
    }
}

/// Turns an `async fn(&mut CaseRun) -> CaseResult` into a [`Script`].
macro_rules! script {
    ($function:ident) => {
        |run| Box::pin($function(run))
    };
}
pub(crate) use script;

/// The same for a `fn(&mut CaseRun) -> CaseResult` that sends nothing.
macro_rules! sync_script {
    ($function:ident) => {
        |run| Box::pin(std::future::ready($function(run)))
    };
}
pub(crate) use sync_script;
