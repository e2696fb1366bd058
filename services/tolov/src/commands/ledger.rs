//! `tolov ledger`: moves the ledger between a file and PostgreSQL, and tells one of an earlier time what happened since.

use std::{
    io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};
use tolov_kit::{env::Env, secret::Secret};
use tolov_webhook::{
    config,
    ledger::{
        LedgerPlace,
        copy::{self, CopyError, Notes},
    },
};

use super::journal::Journal;
use crate::{
    backup,
    cli::ledger::{Action, Options},
    data_folder::{DataFolder, DataLock, Part},
};

pub(crate) async fn run(env: &Env, options: Options) -> Result<()> {
    match options.action {
        Action::Copy { from, to } => copy_all(env, from, to).await,
        Action::Restored { time, since } => backup::restored(env, time, since).await,
    }
}

async fn copy_all(env: &Env, from: String, to: String) -> Result<()> {
    let data = DataFolder::from_env(env);
    let (from, to) = (place(env, from), place(env, to));
    env.finish()?;
    let (from, to) = (from?, to?);
    let is_file = |place: &LedgerPlace| matches!(place, LedgerPlace::File(_));
    ensure!(
        !(is_file(&from) && is_file(&to)),
        "both are files: `tolov backup` and `tolov restore` move a ledger from one file to another"
    );
    let note = FileNote { from: &from, to: &to };
    if let LedgerPlace::File(path) = &from
        && !note.was_begun()
    {
        // It has been moved, and the one in PostgreSQL knows more.
        DataFolder::of_ledger(&from, path).refuse_second_ledger()?;
    }
    let _locks = [lock(&from)?, lock(&to)?];
    let journal = Journal::beside(data.ledger_path());
    let places = json!({ "from": from.to_string(), "to": to.to_string() });
    journal.record("ledger copy", json!({ "places": places }))?;
    let tables = match copy::copy(&from, &to, &note).await {
        Err(unknown @ (CopyError::Unanswered { .. } | CopyError::NotNoted { .. })) => {
            return Err(unknown.into());
        }
        copied => copied.with_context(|| format!("{to} is as it was"))?,
    };
    // What follows is told after the fact: the copy is complete, whatever becomes of the telling.
    let rows: Map<String, Value> =
        tables.iter().map(|(table, content)| (table.clone(), content.rows.into())).collect();
    journal.record("ledger copied", json!({ "places": places, "count": rows }))?;
    println!("{from} is copied to {to}");
    for (table, content) in &tables {
        println!("  {table:22} {:>9} rows, SHA-256 {}", content.rows, content.sha256);
    }
    println!("  every row was read back and is the same; foreign keys and CHECKs hold");
    match (&from, &to) {
        (_, LedgerPlace::File(_)) => {
            println!("next: set LEDGER_PATH, leave LEDGER_URL out, then start the services");
        }
        (LedgerPlace::File(_), LedgerPlace::Postgres(_)) if *data.ledger() == to => {
            println!("next: start the services; without LEDGER_URL they refuse to start on {from}");
        }
        (_, LedgerPlace::Postgres(_)) => {
            println!("next: set LEDGER_URL for every service, then start them");
        }
    }
    println!("what is paid from now on is in the one that the services are started on, and in no other");
    Ok(())
}

/// The note beside the file of a copy.
struct FileNote<'p> {
    from: &'p LedgerPlace,
    to: &'p LedgerPlace,
}

impl FileNote<'_> {
    /// Where one of the two is a file, and beside that one.
    fn write(
        &self,
        from_file: impl FnOnce(&Path) -> Result<()>,
        to_file: impl FnOnce(&Path) -> Result<()>,
    ) -> io::Result<()> {
        let written = match (self.from, self.to) {
            (LedgerPlace::File(path), _) => from_file(path),
            (_, LedgerPlace::File(path)) => to_file(path),
            (LedgerPlace::Postgres(_), LedgerPlace::Postgres(_)) => Ok(()),
        };
        written.map_err(io::Error::other)
    }
}

impl Notes for FileNote<'_> {
    fn was_begun(&self) -> bool {
        let LedgerPlace::File(path) = self.from else { return false };
        DataFolder::of_ledger(self.to, path).copied_to() == Some(self.to.to_string())
    }

    fn begin(&self) -> io::Result<()> {
        self.write(
            |path| DataFolder::of_ledger(self.to, path).note_copy(),
            |path| DataFolder::of_ledger(self.from, path).note_place(),
        )
    }

    fn end(&self) -> io::Result<()> {
        let note = |path: &Path| DataFolder::of_ledger(self.to, path).note_place();
        self.write(note, note)
    }

    /// Where the ledger stays in PostgreSQL the note is as true as before.
    fn take_back(&self) -> io::Result<()> {
        self.write(|path| DataFolder::of_ledger(self.from, path).note_place(), |_| Ok(()))
    }
}

fn place(env: &Env, text: String) -> Result<LedgerPlace> {
    Ok(match text.as_str() {
        "LEDGER_PATH" => LedgerPlace::File(config::ledger_path(env)),
        "LEDGER_URL" => {
            let place = config::ledger_place(env);
            ensure!(matches!(place, LedgerPlace::Postgres(_)), "LEDGER_URL is not set");
            place
        }
        address if address.starts_with("postgres://") || address.starts_with("postgresql://") => {
            LedgerPlace::Postgres(Secret::new(text))
        }
        _ => LedgerPlace::File(PathBuf::from(text)),
    })
}

/// Refused while a service, or another command, has files of the folder open.
fn lock(place: &LedgerPlace) -> Result<Option<DataLock>> {
    match place {
        LedgerPlace::File(path) => DataFolder::of_ledger(place, path).seize(&[Part::Ledger]).map(Some),
        LedgerPlace::Postgres(_) => Ok(None),
    }
}
