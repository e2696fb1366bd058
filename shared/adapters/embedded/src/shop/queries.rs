//! Queries as SQL, answered in the order of a primary key.

use std::iter::once;

use tolov_domain::ports::documents::{Filter, Query};

use super::values::Parameter;

/// The SQL of one query.
pub(super) struct Statement<'a> {
    /// The limit and the skip follow the parameters.
    pub(super) page: &'static str,
    pub(super) count: &'static str,
    pub(super) parameters: Vec<Parameter<'a>>,
}

/// A page in ascending order, a page in descending order, and the count.
struct Statements([&'static str; 3]);

macro_rules! statements {
    ($from:literal, by $($order:literal)|+, page $page:literal) => {
        Statements([
            concat!(
                "SELECT documents.key, documents.version, documents.body ", $from,
                " ORDER BY ", statements!(@order "" $($order)|+), " ", $page
            ),
            concat!(
                "SELECT documents.key, documents.version, documents.body ", $from,
                " ORDER BY ", statements!(@order " DESC" $($order)|+), " ", $page
            ),
            concat!("SELECT count(*) ", $from),
        ])
    };
    (@order $direction:literal $first:literal $(| $further:literal)*) => {
        concat!($first, $direction $(, ", ", $further, $direction)*)
    };
}

const ALL: Statements = statements!(
    "FROM documents WHERE collection = ?1", by "documents.key", page "LIMIT +?2 OFFSET ?3"
);
const AFTER: Statements = statements!(
    "FROM documents WHERE collection = ?1 AND key > ?2", by "documents.key", page "LIMIT +?3 OFFSET ?4"
);
const BEFORE: Statements = statements!(
    "FROM documents WHERE collection = ?1 AND key < ?2", by "documents.key", page "LIMIT +?3 OFFSET ?4"
);
// SQLite keeps the order of a cross join: the index comes first.
const IS: Statements = statements!(
    "FROM document_index AS found CROSS JOIN documents
         ON documents.collection = found.collection AND documents.key = found.key
     WHERE found.collection = ?1 AND found.field = ?2 AND found.value = ?3",
    by "found.key",
    page "LIMIT +?4 OFFSET ?5"
);
// A list may hold several of the values, so keys are gathered first.
const ANY_OF: Statements = statements!(
    "FROM documents
     WHERE collection = ?1 AND key IN (
         SELECT key FROM document_index
         WHERE collection = ?1 AND field = ?2 AND value IN (SELECT value FROM json_each(?3)))",
    by "documents.key",
    page "LIMIT +?4 OFFSET ?5"
);
const BETWEEN: Statements = statements!(
    "FROM document_index AS found CROSS JOIN documents
         ON documents.collection = found.collection AND documents.key = found.key
     WHERE found.collection = ?1 AND found.field = ?2 AND found.value BETWEEN ?3 AND ?4 AND NOT found.is_item",
    by "found.value" | "found.key",
    page "LIMIT +?5 OFFSET ?6"
);

impl<'a> Statement<'a> {
    /// The query is one that `checked_query` accepts.
    pub(super) fn of(query: &'a Query) -> Self {
        let (statements, values) = match &query.filter {
            Filter::All { after: None } => (ALL, Vec::new()),
            Filter::All { after: Some(key) } => {
                (if query.newest_first { BEFORE } else { AFTER }, vec![Parameter::from(key)])
            }
            Filter::Is { field, value } => {
                (IS, once(Parameter::from(*field)).chain(Parameter::of(value)).collect())
            }
            Filter::AnyOf { field, values } => {
                let values = values.clone().into();
                (ANY_OF, vec![Parameter::from(*field), Parameter::list(&values)])
            }
            Filter::Between { field, from, to } => {
                let ends = [Parameter::Number(*from), Parameter::Number(*to)];
                (BETWEEN, once(Parameter::from(*field)).chain(ends).collect())
            }
        };
        let Statements([ascending, descending, count]) = statements;
        let page = if query.newest_first { descending } else { ascending };
        let parameters = once(Parameter::from(query.collection.name())).chain(values).collect();
        Self { page, count, parameters }
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Row;
    use tolov_domain::ports::documents::{Collection, Key};

    use super::*;
    use crate::sqlite::SqliteFile;

    #[tokio::test]
    async fn no_query_scans_a_table_or_sorts() {
        let folder = tempfile::tempdir().unwrap();
        let file =
            SqliteFile::open(folder.path().join("shop.db"), sqlx::migrate!("migrations/shop")).await.unwrap();
        let orders = Collection::new("orders", &["status", "placed_at"]);
        for query in [
            Query::all(orders, 10),
            Query::all(orders, 10).after(Key::from("x")),
            Query::is(orders, "status", "new", 10),
            Query::any_of(orders, "status", vec!["new".into(), "paid".into()], 10),
            Query::between(orders, "placed_at", (1, 2), 10),
        ] {
            for query in [query.clone(), query.newest_first()] {
                let statement = Statement::of(&query);
                for sql in [statement.page, statement.count] {
                    let explained = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
                    for step in sqlx::query(explained).fetch_all(file.readers()).await.unwrap() {
                        let step: String = step.get("detail");
                        let is_scan = step.starts_with("SCAN") && !step.starts_with("SCAN json_each ");
                        assert!(!is_scan && !step.contains("TEMP B-TREE"), "{sql}: {step}");
                    }
                }
            }
        }
    }
}
