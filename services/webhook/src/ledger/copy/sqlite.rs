//! The file's side of a copy.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use sqlx::{AssertSqlSafe, Executor, SqliteConnection};

use super::{
    error::CopyError,
    table::{KeyColumn, Table, is_scratch},
};
use crate::ledger::{
    LedgerPlace, OpenError,
    backup::{BackupError, examine},
    file::open::{Opened, beside, close, open},
    read::pool::Readers,
    restore::Place,
};

/// What a new file is called until it is known to be a true copy.
const COPYING: &str = ".copying";

pub(super) struct SqliteSide {
    connection: SqliteConnection,
    readers: Readers,
    /// Of the file that is read, or of the new one.
    _lock: File,
    new: Option<NewFile>,
}

struct NewFile {
    copying: PathBuf,
    target: Place,
    /// The triggers that rest, as SQL.
    triggers: Vec<String>,
}

impl SqliteSide {
    pub(super) async fn open_source(path: &Path) -> Result<Self, CopyError> {
        if !path.exists() {
            return Err(BackupError::Missing(path.to_owned()).into());
        }
        let Opened { writer: connection, readers, lock, .. } = open(path).await.map_err(in_use)?;
        Ok(Self { connection, readers, _lock: lock, new: None })
    }

    pub(super) async fn open_target(path: &Path) -> Result<Self, CopyError> {
        let target = Place::take(path).map_err(in_use)?;
        if path.exists() {
            return Err(CopyError::FileExists(LedgerPlace::File(path.to_owned())));
        }
        let copying = beside(path, COPYING);
        delete(&copying)?;
        let Opened { writer: mut connection, readers, lock, .. } = open(&copying).await?;
        // Not within a transaction, where it would change nothing.
        connection.execute("PRAGMA foreign_keys = OFF").await?;
        connection.execute("BEGIN IMMEDIATE").await?;
        let triggers: Vec<(String, String)> =
            sqlx::query_as("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY name")
                .fetch_all(&mut connection)
                .await?;
        for (name, _) in &triggers {
            connection.execute(AssertSqlSafe(format!("DROP TRIGGER \"{name}\""))).await?;
        }
        let triggers = triggers.into_iter().map(|(_, sql)| sql).collect();
        Ok(Self { connection, readers, _lock: lock, new: Some(NewFile { copying, target, triggers }) })
    }

    pub(super) async fn tables(&mut self) -> Result<Vec<Table>, CopyError> {
        let names: Vec<String> =
            sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
                .fetch_all(&mut self.connection)
                .await?;
        let mut tables = Vec::with_capacity(names.len());
        for name in names.into_iter().filter(|name| !is_scratch(name)) {
            let columns: Vec<(String, u32)> =
                sqlx::query_as("SELECT name, pk FROM pragma_table_info(?1) ORDER BY name")
                    .bind(&name)
                    .fetch_all(&mut self.connection)
                    .await?;
            let mut key: Vec<&(String, u32)> = columns.iter().filter(|(_, place)| *place > 0).collect();
            key.sort_by_key(|(_, place)| *place);
            // `->>` has the type of what it finds.
            let key = key
                .iter()
                .map(|(name, _)| KeyColumn { name: name.clone(), sql_type: String::new() })
                .collect();
            tables.push(Table { name, columns: columns.into_iter().map(|(name, _)| name).collect(), key });
        }
        Ok(tables)
    }

    pub(super) async fn page(
        &mut self,
        table: &Table,
        after: Option<&str>,
        limit: usize,
    ) -> Result<String, CopyError> {
        let fields: Vec<String> =
            table.columns.iter().map(|column| format!("'{column}', \"{column}\"")).collect();
        let key = table.key_list();
        let last: Vec<String> =
            table.key.iter().map(|column| format!("?1 ->> '$.\"{}\"'", column.name)).collect();
        let condition = after.map_or_else(String::new, |_| format!("WHERE ({key}) > ({})", last.join(", ")));
        let sql = format!(
            "SELECT json_group_array(json(one)) FROM (
               SELECT json_object({}) AS one FROM \"{}\" {condition} ORDER BY {key} LIMIT {limit})",
            fields.join(", "),
            table.name
        );
        let query = sqlx::query_scalar(AssertSqlSafe(sql));
        let query = if let Some(after) = after { query.bind(after) } else { query };
        Ok(query.fetch_one(&mut self.connection).await?)
    }

    pub(super) async fn insert(&mut self, table: &Table, rows: &str) -> Result<(), CopyError> {
        let values: Vec<String> =
            table.columns.iter().map(|column| format!("value ->> '$.\"{column}\"'")).collect();
        let sql = format!(
            "INSERT INTO \"{}\" ({}) SELECT {} FROM json_each(?1)",
            table.name,
            table.column_list(),
            values.join(", ")
        );
        sqlx::query(AssertSqlSafe(sql)).bind(rows).execute(&mut self.connection).await?;
        Ok(())
    }

    pub(super) async fn count(&mut self, table: &Table) -> Result<u64, CopyError> {
        let rows: i64 =
            sqlx::query_scalar(AssertSqlSafe(table.count())).fetch_one(&mut self.connection).await?;
        Ok(u64::try_from(rows).unwrap_or(0))
    }

    pub(super) async fn update(&mut self, table: &Table, row: &str) -> Result<(), CopyError> {
        let value = |column: &String| {
            format!("\"{column}\" = (SELECT value ->> '$.\"{column}\"' FROM json_each(?1))")
        };
        let values: Vec<String> = table.columns.iter().map(value).collect();
        let sql = format!("UPDATE \"{}\" SET {}", table.name, values.join(", "));
        sqlx::query(AssertSqlSafe(sql)).bind(row).execute(&mut self.connection).await?;
        Ok(())
    }

    /// Foreign keys hold, and triggers are on again.
    pub(super) async fn check(&mut self) -> Result<(), CopyError> {
        let Some(new) = &self.new else { return Ok(()) };
        let dangling: Option<String> =
            sqlx::query_scalar("SELECT \"table\" FROM pragma_foreign_key_check LIMIT 1")
                .fetch_optional(&mut self.connection)
                .await?;
        if let Some(table) = dangling {
            let finding = format!("a row of {table} refers to one that is not there");
            return Err(BackupError::Damaged { file: new.copying.clone(), finding }.into());
        }
        for trigger in &new.triggers {
            self.connection.execute(AssertSqlSafe(trigger.clone())).await?;
        }
        Ok(())
    }

    pub(super) async fn close(self) {
        self.readers.close().await;
        close(self.connection).await;
    }

    /// Commits, checks the rules between rows and gives the file its name.
    pub(super) async fn keep(mut self, place: &LedgerPlace) -> Result<(), CopyError> {
        self.connection.execute("COMMIT").await?;
        let Some(NewFile { copying, target, .. }) = self.new.take() else { return Ok(()) };
        self.close().await;
        examine(&copying).await?;
        File::open(&copying)?.sync_all()?;
        std::fs::rename(&copying, target.path())?;
        let folder = target.path().parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let is_durable = delete(&copying).and_then(|()| File::open(folder)?.sync_all());
        is_durable.map_err(|error| CopyError::Unanswered { place: place.clone(), source: error.into() })
    }

    pub(super) async fn discard(mut self) {
        let new = self.new.take();
        self.close().await;
        if let Some(new) = new
            && let Err(error) = delete(&new.copying)
        {
            tracing::warn!(%error, "what was copied until then is left: {}", new.copying.display());
        }
    }
}

fn in_use(error: OpenError) -> CopyError {
    if let OpenError::Locked(path) = error {
        return CopyError::InUse(LedgerPlace::File(path));
    }
    error.into()
}

/// A database with what SQLite and a lock have beside it.
fn delete(database: &Path) -> Result<(), std::io::Error> {
    for ending in ["", "-wal", "-shm", ".lock"] {
        match std::fs::remove_file(beside(database, ending)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
