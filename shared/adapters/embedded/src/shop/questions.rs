//! A query as statements of SQLite, each answered from the order of a primary key.

use tolov_domain::ports::documents::{Filter, Query};

use super::documents::Scalar;

/// The statements for one query, and what they are asked with.
pub(super) struct Question<'a> {
    /// After the values come the limit and the skip.
    pub(super) page: &'static str,
    pub(super) count: &'static str,
    pub(super) values: Vec<Scalar<'a>>,
}

/// Forwards, backwards, and the count.
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
    "FROM documents WHERE collection = ?1", by "documents.key", page "LIMIT ?2 OFFSET ?3"
);
const AFTER: Statements = statements!(
    "FROM documents WHERE collection = ?1 AND key > ?2", by "documents.key", page "LIMIT ?3 OFFSET ?4"
);
const BEFORE: Statements = statements!(
    "FROM documents WHERE collection = ?1 AND key < ?2", by "documents.key", page "LIMIT ?3 OFFSET ?4"
);
// A cross join keeps its order in SQLite: the index leads.
const IS: Statements = statements!(
    "FROM document_index AS found CROSS JOIN documents
         ON documents.collection = found.collection AND documents.key = found.key
     WHERE found.collection = ?1 AND found.field = ?2 AND found.value = ?3",
    by "found.key",
    page "LIMIT ?4 OFFSET ?5"
);
const BETWEEN: Statements = statements!(
    "FROM document_index AS found CROSS JOIN documents
         ON documents.collection = found.collection AND documents.key = found.key
     WHERE found.collection = ?1 AND found.field = ?2 AND found.value BETWEEN ?3 AND ?4 AND NOT found.is_item",
    by "found.value" | "found.key",
    page "LIMIT ?5 OFFSET ?6"
);

impl<'a> Question<'a> {
    pub(super) fn of(query: &'a Query) -> Self {
        let collection = Scalar::Text(query.collection.name());
        let (statements, values) = match &query.filter {
            Filter::All { after: None } => (ALL, vec![collection]),
            Filter::All { after: Some(key) } => {
                (if query.newest_first { BEFORE } else { AFTER }, vec![collection, key.into()])
            }
            Filter::Is { field, value } => {
                let values = [Scalar::Text(field)].into_iter().chain(Scalar::of(value));
                (IS, std::iter::once(collection).chain(values).collect())
            }
            Filter::Between { field, from, to } => {
                let ends = [Scalar::Number(*from), Scalar::Number(*to)];
                (BETWEEN, [collection, Scalar::Text(field)].into_iter().chain(ends).collect())
            }
        };
        let Statements([forwards, backwards, count]) = statements;
        Self { page: if query.newest_first { backwards } else { forwards }, count, values }
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Row;
    use tolov_domain::ports::documents::{Collection, Key};

    use super::*;
    use crate::sqlite::SqliteFile;

    #[tokio::test]
    async fn no_query_goes_through_a_whole_table_or_sorts() {
        let folder = tempfile::tempdir().unwrap();
        let file = SqliteFile::open(folder.path().join("shop.db"), &super::super::MIGRATIONS).await.unwrap();
        let collection = Collection::Fulfilments;
        for query in [
            Query::all(collection, 10),
            Query::all(collection, 10).after(Key::from("x")),
            Query::is(collection, "stage", "new", 10),
            Query::between(collection, "placed_at", (1, 2), 10),
        ] {
            for query in [query.clone(), query.newest_first()] {
                let question = Question::of(&query);
                for statement in [question.page, question.count] {
                    let explained = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
                    let steps = sqlx::query(explained).fetch_all(file.readers()).await.unwrap();
                    for step in steps {
                        let step: String = step.get("detail");
                        assert!(step.starts_with("SEARCH"), "{statement}: {step}");
                    }
                }
            }
        }
    }
}
