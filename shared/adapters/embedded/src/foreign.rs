//! A SQLite file of another program, read as it is: for moving a shop over.

use std::path::{Path, PathBuf};

use futures_util::TryStreamExt;
use serde_json::Value;
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection, sqlite::SqliteConnectOptions};
use tolov_domain::ports::PortError;

use crate::sqlite::port_error;

/// A file that is only read. Another process may have it open.
#[derive(Debug)]
pub struct ForeignFile {
    path: PathBuf,
    connection: SqliteConnection,
}

impl ForeignFile {
    pub async fn open(path: &Path) -> Result<Self, PortError> {
        let options = SqliteConnectOptions::new().filename(path).read_only(true).disable_statement_logging();
        let connection = options.connect().await.map_err(|error| port_error(path, &error))?;
        Ok(Self { path: path.to_owned(), connection })
    }

    /// The names of its tables.
    pub async fn tables(&mut self) -> Result<Vec<String>, PortError> {
        sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
            .fetch_all(&mut self.connection)
            .await
            .map_err(|error| port_error(&self.path, &error))
    }

    /// Shows every row of a table as a JSON object of its columns, in the order of the rows. A value that is neither number,
    /// text nor NULL becomes its text.
    pub async fn each(&mut self, table: &'static str, mut see: impl FnMut(Value)) -> Result<(), PortError> {
        let path = self.path.clone();
        let failed = |error| port_error(&path, &error);
        let columns: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info(?1)")
            .bind(table)
            .fetch_all(&mut self.connection)
            .await
            .map_err(failed)?;
        let quoted = |name: &String| name.replace('"', "\"\"");
        let pairs: Vec<String> = columns
            .iter()
            .map(|name| format!("'{}', \"{}\"", name.replace('\'', "''"), quoted(name)))
            .collect();
        let select = format!("SELECT json_object({}) FROM \"{table}\" ORDER BY rowid", pairs.join(", "));
        let mut rows = sqlx::query(sqlx::AssertSqlSafe(select)).fetch(&mut self.connection);
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            let text: String = row.try_get(0).map_err(failed)?;
            let value = serde_json::from_str(&text)
                .map_err(|error| PortError::Refused(format!("a row of {table} is not readable: {error}")))?;
            see(value);
        }
        Ok(())
    }

    pub async fn close(self) -> Result<(), PortError> {
        self.connection.close().await.map_err(|error| port_error(&self.path, &error))
    }
}
