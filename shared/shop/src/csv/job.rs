//! An import that a member of staff has sent to the bot. Its record holds how far it has come, so that after a restart the next
//! process continues it.

use serde::{Deserialize, Serialize};
use tolov_domain::{
    UserId,
    ports::{
        PortError,
        documents::{Collection, Documents, Key, Query},
    },
    time::{Timestamp, is_due, millis},
};

use super::Applied;
use crate::records::{self, Record};

pub const CATALOGUE_IMPORTS: Collection = Collection::new("catalogue_imports", &["state"]);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportState {
    /// The file is to be compared with the catalogue.
    Reading,
    /// Its author looks at what it would change.
    Planned,
    Applying,
    Done,
    /// The file cannot be imported, or the import broke off.
    Failed,
}

/// The last import of a person; one at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportJob {
    pub id: UserId,
    /// Telegram's.
    pub file_id: String,
    pub state: ImportState,
    #[serde(with = "millis")]
    pub created_at: Timestamp,
    /// Recognises the plan that the author has seen.
    pub plan: String,
    /// Something of the plan may have been written: the rest is carried out whatever the plan has become.
    pub is_begun: bool,
    /// Products to write, as the plan said.
    pub total: u64,
    pub products_new: u64,
    pub products_changed: u64,
    pub categories_new: u64,
    /// Products that were removed after the plan was made.
    pub gone: u64,
    /// The message that shows it, in the author's chat.
    pub message_id: Option<i32>,
    /// A process is working on it; another one takes over after this.
    #[serde(with = "millis::option")]
    pub leased_until_at: Option<Timestamp>,
}

impl Record for ImportJob {
    const COLLECTION: Collection = CATALOGUE_IMPORTS;

    fn key(&self) -> Key {
        Key::Number(self.id.get())
    }
}

impl ImportState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Planned => "planned",
            Self::Applying => "applying",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

impl ImportJob {
    pub fn new(id: UserId, file_id: String, message_id: Option<i32>, now: Timestamp) -> Self {
        Self {
            id,
            file_id,
            state: ImportState::Reading,
            created_at: now,
            plan: String::new(),
            is_begun: false,
            total: 0,
            products_new: 0,
            products_changed: 0,
            categories_new: 0,
            gone: 0,
            message_id,
            leased_until_at: None,
        }
    }

    /// The author has confirmed the plan that this message shows. `false`: it shows another one, or it was confirmed.
    pub fn confirm(&mut self, message_id: i32) -> bool {
        let is_shown = self.state == ImportState::Planned && self.message_id == Some(message_id);
        if is_shown {
            self.state = ImportState::Applying;
            self.message_id = None;
        }
        is_shown
    }

    /// Takes the lease until `until`, unless another process has it.
    pub fn lease(&mut self, now: Timestamp, until: Timestamp) -> bool {
        let is_free = self.leased_until_at.is_none_or(|leased| is_due(leased, now, until));
        let is_ours = is_free && matches!(self.state, ImportState::Reading | ImportState::Applying);
        if is_ours {
            self.leased_until_at = Some(until);
        }
        is_ours
    }

    pub fn done(&self) -> u64 {
        self.products_new.saturating_add(self.products_changed).saturating_add(self.gone)
    }

    /// Adds what was applied since the record was `before`. May run again.
    pub fn count(&mut self, before: &Self, applied: &Applied) {
        let sum = |before: u64, more: usize| before.saturating_add(u64::try_from(more).unwrap_or(u64::MAX));
        self.products_new = sum(before.products_new, applied.products_new);
        self.products_changed = sum(before.products_changed, applied.products_changed);
        self.categories_new = sum(before.categories_new, applied.categories_new);
        self.gone = sum(before.gone, applied.gone.len());
    }
}

/// The imports of one state.
pub async fn imports_in_state(
    documents: &dyn Documents,
    state: ImportState,
) -> Result<Vec<ImportJob>, PortError> {
    records::find(documents, &Query::is(CATALOGUE_IMPORTS, "state", state.as_str(), 100)).await
}
