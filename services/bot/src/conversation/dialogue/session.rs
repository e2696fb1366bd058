//! The dialogue of one update: read once, changed in memory, written once.

use tolov_domain::{
    UserId,
    ports::{
        PortError,
        documents::{Documents, Key, Put, Version},
    },
};
use tolov_shop::records;

use super::Dialogue;

/// How often a write is tried that others get ahead of.
const TRIES_MAX: u32 = 20;

#[derive(Debug, Clone)]
pub(crate) struct Session {
    /// The dialogue as it is stored, with its version; `None` where there is no document yet.
    stored: Dialogue,
    version: Option<Version>,
    /// The dialogue as the handlers have left it.
    pub(crate) current: Dialogue,
}

impl Session {
    pub(crate) async fn load(documents: &dyn Documents, id: UserId) -> Result<Self, PortError> {
        let found = records::read_versioned::<Dialogue>(documents, &Key::Number(id.get())).await?;
        let version = found.as_ref().map(|found| found.version);
        let stored = found.map_or_else(|| Dialogue::new(id), |found| found.record);
        Ok(Self { current: stored.clone(), stored, version })
    }

    /// Writes what was changed; nothing where nothing was.
    ///
    /// The updates of one person are handled one after the other, so a conflict means that another process has taken this
    /// update over because its lease ran out. What was changed here is then applied to what that process wrote, field by
    /// field: handling the update again instead would send its messages a second time.
    pub(crate) async fn save(&mut self, documents: &dyn Documents) -> Result<(), PortError> {
        for _ in 0..TRIES_MAX {
            if self.checkpoint(documents).await? {
                return Ok(());
            }
            let theirs = Self::load(documents, self.stored.id).await?;
            let merged = merge(&self.stored, self.current.clone(), theirs.stored.clone());
            *self = Self { current: merged, ..theirs };
        }
        Err(PortError::Unavailable("the dialogue is changed by others again and again".to_owned()))
    }

    /// The same before an effect that the dialogue must remember. `false`: somebody else has changed the dialogue since it
    /// was read, and nothing is written.
    pub(crate) async fn checkpoint(&mut self, documents: &dyn Documents) -> Result<bool, PortError> {
        if self.current == self.stored {
            return Ok(true);
        }
        match records::write(documents, self.version, &self.current).await? {
            Put::Done(version) => {
                self.version = Some(version);
                self.stored = self.current.clone();
                Ok(true)
            }
            Put::Conflict => Ok(false),
        }
    }
}

/// `ours` where it differs from `base`, else `theirs`.
fn merge(base: &Dialogue, ours: Dialogue, theirs: Dialogue) -> Dialogue {
    fn field<T: PartialEq>(base: &T, ours: T, theirs: T) -> T {
        if ours == *base { theirs } else { ours }
    }
    Dialogue {
        id: base.id,
        step: field(&base.step, ours.step, theirs.step),
        screen: field(&base.screen, ours.screen, theirs.screen),
        payable: field(&base.payable, ours.payable, theirs.payable),
        draft: field(&base.draft, ours.draft, theirs.draft),
        search: field(&base.search, ours.search, theirs.search),
        name: field(&base.name, ours.name, theirs.name),
        last_answer: field(&base.last_answer, ours.last_answer, theirs.last_answer),
        album: field(&base.album, ours.album, theirs.album),
        support_until: field(&base.support_until, ours.support_until, theirs.support_until),
    }
}

#[cfg(test)]
mod tests {
    use tolov_contract::memory::MemoryDocuments;

    use super::*;
    use crate::conversation::dialogue::{ShownMessage, Step};

    fn id() -> UserId {
        UserId::try_new(7).unwrap()
    }

    #[tokio::test]
    async fn several_changes_are_one_write_and_no_change_is_none() {
        let documents = MemoryDocuments::default();
        let mut session = Session::load(&documents, id()).await.unwrap();
        session.save(&documents).await.unwrap();
        assert_eq!(Session::load(&documents, id()).await.unwrap().version, None);
        session.current.step = Step::Search;
        session.current.name = Some("Ali".to_owned());
        session.save(&documents).await.unwrap();
        session.save(&documents).await.unwrap();
        let loaded = Session::load(&documents, id()).await.unwrap();
        assert_eq!((loaded.version, loaded.current), (Some(1), session.current));
    }

    #[tokio::test]
    async fn after_a_conflict_both_changes_are_kept_and_the_last_of_a_field_wins() {
        let documents = MemoryDocuments::default();
        let mut first = Session::load(&documents, id()).await.unwrap();
        let mut second = first.clone();
        first.current.step = Step::Search;
        first.current.name = Some("Ali".to_owned());
        first.save(&documents).await.unwrap();
        second.current.step = Step::Support;
        second.current.screen = Some(ShownMessage { message_id: 5, has_photo: false });
        assert!(!second.checkpoint(&documents).await.unwrap(), "a checkpoint does not merge");
        second.save(&documents).await.unwrap();
        let stored = Session::load(&documents, id()).await.unwrap().current;
        assert_eq!((stored.step, stored.name.as_deref()), (Step::Support, Some("Ali")));
        assert_eq!(stored.screen.map(|shown| shown.message_id), Some(5));
    }
}
