//! The note beside LEDGER_PATH that the ledger is in PostgreSQL, or on its way there: no two of them are open to services, and none
//! is begun beside another one.

use std::{
    fs::{self, DirBuilder},
    io::Write,
    os::unix::fs::DirBuilderExt,
    path::PathBuf,
};

use anyhow::{Result, bail, ensure};
use tolov_webhook::ledger::LedgerPlace;

use super::{DataFolder, folder_of, remove_if_there, replace_beside, sync_folder, with_ending};

/// Beside LEDGER_PATH, while the ledger is in PostgreSQL: whoever has lost LEDGER_URL begins no second ledger.
const IN_POSTGRES: &str = ".in-postgresql";
/// What the note says instead while it is not known whether the ledger is there already.
const BEING_COPIED: &str = "The ledger is being copied to PostgreSQL: ";

impl DataFolder {
    /// Before a service begins in PostgreSQL: a file that nobody has copied there has orders that would be unknown then.
    pub(crate) fn refuse_forgotten_file(&self) -> Result<()> {
        self.refuse_half_copied()?;
        ensure!(
            matches!(self.ledger, LedgerPlace::File(_))
                || !self.ledger_path.exists()
                || self.postgres_note().exists(),
            "there is a ledger at {}, and LEDGER_URL names another one: move it there with `tolov ledger copy LEDGER_PATH \
             LEDGER_URL`, or put the file away if it is not wanted",
            self.ledger_path.display()
        );
        Ok(())
    }

    /// Notes beside LEDGER_PATH that the ledger is in PostgreSQL, or that it is the file again.
    pub(crate) fn note_place(&self) -> Result<()> {
        match &self.ledger {
            LedgerPlace::File(path) => remove_if_there(&with_ending(path, IN_POSTGRES)),
            LedgerPlace::Postgres(_) => {
                self.write_note(&format!("The ledger is in PostgreSQL: {}\n", self.ledger))
            }
        }
    }

    /// Notes beside LEDGER_PATH that a copy to the ledger's place is under way: until it is known how it ended no service starts
    /// on either.
    pub(crate) fn note_copy(&self) -> Result<()> {
        self.write_note(&format!("{BEING_COPIED}{}\n", self.ledger))
    }

    fn write_note(&self, text: &str) -> Result<()> {
        let folder = folder_of(&self.ledger_path);
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        replace_beside(&self.ledger_path, IN_POSTGRES, |file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })?;
        sync_folder(folder)
    }

    /// Where the ledger is being copied to, as the note beside LEDGER_PATH says.
    pub(crate) fn copied_to(&self) -> Option<String> {
        let note = fs::read_to_string(self.postgres_note()).ok()?;
        Some(note.strip_prefix(BEING_COPIED)?.trim_end().to_owned())
    }

    /// Whether the ledger is in PostgreSQL, as LEDGER_URL or the note beside LEDGER_PATH says.
    pub(crate) fn is_ledger_in_postgres(&self) -> bool {
        matches!(self.ledger, LedgerPlace::Postgres(_)) || self.postgres_note().exists()
    }

    fn postgres_note(&self) -> PathBuf {
        with_ending(&self.ledger_path, IN_POSTGRES)
    }

    /// Two ledgers would give the same numbers to CLICK, and each would know half of the payments.
    pub(crate) fn refuse_second_ledger(&self) -> Result<()> {
        let note = self.postgres_note();
        if matches!(self.ledger, LedgerPlace::File(_)) {
            self.refuse_half_copied()?;
        }
        ensure!(
            matches!(self.ledger, LedgerPlace::Postgres(_)) || !note.exists(),
            "the ledger is in PostgreSQL, as {} says: set LEDGER_URL. To go back to a file, move the ledger with `tolov ledger \
             copy LEDGER_URL LEDGER_PATH`, which deletes that note",
            note.display()
        );
        Ok(())
    }

    fn refuse_half_copied(&self) -> Result<()> {
        let Some(to) = self.copied_to() else { return Ok(()) };
        bail!(
            "a copy of the ledger from {} to {to} was cut off, and one of the two has it: run the same `tolov ledger copy` \
             again, which ends it",
            self.ledger_path.display()
        )
    }
}

#[cfg(test)]
mod tests {
    use tolov_kit::secret::Secret;

    use super::*;
    use crate::data_folder::{Part, tests::data};

    #[test]
    fn a_file_is_no_second_ledger_beside_one_in_postgresql() {
        let folder = tempfile::tempdir().unwrap();
        let file = data(folder.path());
        let mut server = file.clone();
        server.ledger = LedgerPlace::Postgres(Secret::new("postgres://webhook:hunter2@localhost/tolov"));
        assert!(!file.is_ledger_in_postgres() && server.is_ledger_in_postgres());
        server.refuse_forgotten_file().unwrap();
        fs::write(&file.ledger_path, "").unwrap();
        let refused = server.refuse_forgotten_file().unwrap_err().to_string();
        assert!(refused.contains("ledger copy LEDGER_PATH LEDGER_URL"), "{refused}");
        server.note_place().unwrap();
        server.refuse_forgotten_file().unwrap();
        let refused = file.share(&Part::ALL).unwrap_err().to_string();
        assert!(refused.contains("set LEDGER_URL") && file.is_ledger_in_postgres(), "{refused}");
        let note = fs::read_to_string(file.postgres_note()).unwrap();
        assert!(note.contains("localhost/tolov") && !note.contains("hunter2"), "{note}");
        file.share(&[Part::Bus, Part::Shop]).unwrap();
        server.share(&Part::ALL).unwrap();
        file.note_place().unwrap();
        file.share(&Part::ALL).unwrap();
    }
}
