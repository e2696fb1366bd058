//! A case: what is played, and why it matters.

use std::fmt::Write as _;

use futures_util::future::BoxFuture;

use crate::{cases, play::Play};

/// On whose word an answer is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// CLICK's documents or its own test tools say so.
    Must,
    /// CLICK is silent; we hold it to be the safe answer.
    Should,
}

impl Level {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Should => "should",
        }
    }
}

/// The orders that a case needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    Nothing,
    /// One that every call of the case must leave unpaid, so that all such cases share it.
    Lent,
    /// So many that are used up.
    Fresh(u32),
    /// A create call, to be looked at itself.
    CreateCall,
}

/// Why a script ended before its end.
#[derive(Debug)]
pub(crate) enum Halt {
    /// What the case needs is not there.
    Skip(String),
    /// The merchant's answer leaves nothing to go on with; the step that says so is on record.
    Failed,
}

pub(crate) type Outcome = Result<(), Halt>;
pub(crate) type Script = for<'a> fn(&'a mut Play<'_>) -> BoxFuture<'a, Outcome>;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) id: &'static str,
    pub(crate) level: Level,
    pub(crate) needs: Needs,
    /// What is played, in one line.
    pub(crate) title: &'static str,
    /// What goes wrong in a shop whose merchant fails it.
    pub(crate) why: &'static str,
    pub(crate) script: Script,
}

impl Case {
    /// Whether one of the words of `--only` means this case.
    pub(crate) fn is_meant_by(&self, word: &str) -> bool {
        let begins = || self.id.strip_prefix(word).is_some_and(|rest| rest.starts_with('.'));
        word == self.id || word == self.level.name() || begins()
    }
}

/// Turns an `async fn(&mut Play) -> Outcome` into a [`Script`].
macro_rules! script {
    ($function:ident) => {
        |play| Box::pin($function(play))
    };
}
pub(crate) use script;

/// The same for a `fn(&mut Play) -> Outcome` that sends nothing.
macro_rules! look {
    ($function:ident) => {
        |play| Box::pin(std::future::ready($function(play)))
    };
}
pub(crate) use look;

/// How many fresh orders the cases use, the one that is lent included.
pub(crate) fn orders_needed<'a>(cases: impl Iterator<Item = &'a Case>) -> u32 {
    let (mut fresh, mut lent) = (0, 0);
    for case in cases {
        match case.needs {
            Needs::Fresh(count) => fresh += count,
            Needs::Lent => lent = 1,
            Needs::Nothing | Needs::CreateCall => {}
        }
    }
    fresh + lent
}

/// Every case with what it needs, for `--list`.
pub fn catalogue() -> String {
    let all: Vec<Case> = cases::all().collect();
    let mut text = String::new();
    for case in &all {
        let needs = match case.needs {
            Needs::Nothing => "no order".to_owned(),
            Needs::Lent => "shared order".to_owned(),
            Needs::Fresh(1) => "1 order".to_owned(),
            Needs::Fresh(count) => format!("{count} orders"),
            Needs::CreateCall => "create call".to_owned(),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:<34} {:<6} {needs:<12} {}", case.id, case.level.name(), case.title);
    }
    let needed = orders_needed(all.iter());
    let _ = writeln!(
        text,
        "\n{} cases. All of them use {needed} fresh unpaid orders (--order ID=AMOUNT, {needed} times, or --create-url); \
         must: documented by CLICK, should: our rule where CLICK is silent.",
        all.len()
    );
    text
}
