//! The tables of a ledger, as both engines know them.

use serde_json::Value;

use super::error::CopyError;

/// The one table that has a row from the beginning.
pub(super) const WITH_A_ROW: &str = "ledger_state";

/// A table as both engines know it.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: String,
    /// By name, whatever their order in the table.
    pub(super) columns: Vec<String>,
    pub(super) key: Vec<KeyColumn>,
}

#[derive(Debug)]
pub(super) struct KeyColumn {
    pub(super) name: String,
    /// PostgreSQL's, for a comparison.
    pub(super) sql_type: String,
}

/// Whether a table is the engine's own.
pub(super) fn is_scratch(table: &str) -> bool {
    table.starts_with("sqlite_") || table.starts_with("_sqlx_")
}

impl Table {
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let same_key =
            self.key.iter().map(|column| &column.name).eq(other.key.iter().map(|column| &column.name));
        self.name == other.name && self.columns == other.columns && same_key
    }

    pub(super) fn column_list(&self) -> String {
        quoted(self.columns.iter())
    }

    pub(super) fn key_list(&self) -> String {
        quoted(self.key.iter().map(|column| &column.name))
    }

    /// A statement that counts the rows.
    pub(super) fn count(&self) -> String {
        format!("SELECT count(*) FROM \"{}\"", self.name)
    }

    /// The values of a row in one form for both engines.
    pub(super) fn canonical(&self, row: &Value) -> Result<String, CopyError> {
        let value = |column: &String| {
            let value = &row[column.as_str()];
            value.as_bool().map_or_else(|| value.clone(), |value| u8::from(value).into())
        };
        Ok(serde_json::to_string(&self.columns.iter().map(value).collect::<Vec<_>>())?)
    }
}

fn quoted<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}
