//! Many guarded updates in one `update` command.
//!
//! The driver's own bulk write needs MongoDB 8; the command is as old as MongoDB. Every statement that comes here may be
//! repeated with one effect, which is what lets a command be sent again after a broken connection: the driver itself
//! retries no write on a standalone server (reliability.md, section 0, finding 10).

use mongodb::bson::{Document, RawArrayBuf, RawDocumentBuf, doc, rawdoc};

use tolov_domain::ports::shop::Recorded;

use crate::{
    failure::{DUPLICATE_KEY, Failure},
    shop::MongoShop,
};

/// Limits of one command, far below the server's 16 MB and 100 000 statements.
const STATEMENTS_PER_COMMAND: usize = 512;
const BYTES_PER_COMMAND: usize = 4 * 1024 * 1024;

/// How often a statement that loses the race for making its document is tried.
const TRIES_PER_DUPLICATE: u32 = 5;

/// A statement that changes the document with this `_id` by a pipeline, or makes it.
pub(crate) fn upsert(id: impl Into<mongodb::bson::Bson>, pipeline_set: Document) -> Document {
    doc! { "q": { "_id": id.into() }, "u": [{ "$set": pipeline_set }], "upsert": true }
}

/// A statement that makes the document with this `_id` where there is none.
pub(crate) fn insert_if_unknown(id: impl Into<mongodb::bson::Bson>, document: Document) -> Document {
    doc! { "q": { "_id": id.into() }, "u": { "$setOnInsert": document }, "upsert": true }
}

/// A statement that puts a document in the place of the one that the filter finds, if it finds one.
pub(crate) fn replace(filter: Document, document: Document) -> Document {
    doc! { "q": filter, "u": document }
}

/// Does it once more where the connection broke, as the driver does on a replica set. Only for what may be repeated.
pub(crate) async fn again_after_a_break<T, A>(attempt: impl Fn() -> A) -> Result<T, Failure>
where
    A: IntoFuture<Output = mongodb::error::Result<T>>,
{
    match attempt().await.map_err(Failure::from) {
        Err(failure) if failure.is_broken_connection() => Ok(attempt().await?),
        settled => settled,
    }
}

/// The values of one field in an array of documents, whether or not the array is there.
///
/// `"$array.field"` would say the same; not every server that speaks the protocol walks arrays in expressions.
pub(crate) fn field_of_each(array: &str, field: &str) -> Document {
    let array = doc! { "$ifNull": [format!("${array}"), []] };
    doc! { "$map": { "input": array, "as": "each", "in": format!("$$each.{field}") } }
}

/// How a command went.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Written {
    /// How many documents were not there before.
    pub(crate) made: usize,
    /// How many statements found their document.
    pub(crate) matched: usize,
}

impl Written {
    /// For a single statement that makes a document where there is none.
    pub(crate) fn recorded(self) -> Recorded {
        if self.made > 0 { Recorded::Now } else { Recorded::Before }
    }
}

impl MongoShop {
    /// Runs the statements in their order; each may be repeated with one effect. Returns when a majority has all of
    /// them in its journal.
    pub(crate) async fn write(
        &self,
        collection: &str,
        statements: Vec<Document>,
    ) -> Result<Written, Failure> {
        let statements = statements.iter().map(RawDocumentBuf::from_document).collect::<Result<Vec<_>, _>>();
        let statements = statements.map_err(|error| Failure::Unexpected(error.to_string()))?;
        let mut written = Written::default();
        let mut rest = statements.as_slice();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(command_length(rest));
            let those = self.write_through_races(collection, now).await?;
            written.made += those.made;
            written.matched += those.matched;
            rest = later;
        }
        Ok(written)
    }

    /// Two upserts of one new document at one time: the server may let one of them fail with a duplicate key. It goes
    /// on from that statement, which now finds the document. A duplicate key that stays is no race but a unique index
    /// that somebody added, and is refused.
    async fn write_through_races(
        &self,
        collection: &str,
        mut statements: &[RawDocumentBuf],
    ) -> Result<Written, Failure> {
        let mut written = Written::default();
        let mut lost_races = 0;
        loop {
            let reply = self.update_command(collection, statements).await?;
            written.made += reply.written.made;
            written.matched += reply.written.matched;
            match reply.failed {
                None => return Ok(written),
                Some(FailedStatement { index, code, message }) => {
                    // Where an earlier statement went through meanwhile, this is the first loss of another one.
                    lost_races = if index == 0 { lost_races + 1 } else { 1 };
                    let is_race = code == DUPLICATE_KEY && lost_races < TRIES_PER_DUPLICATE;
                    let Some((_, rest)) = statements.split_at_checked(index).filter(|_| is_race) else {
                        return Err(Failure::Statement { code, message });
                    };
                    statements = rest;
                }
            }
        }
    }

    async fn update_command(
        &self,
        collection: &str,
        statements: &[RawDocumentBuf],
    ) -> Result<Reply, Failure> {
        let mut updates = RawArrayBuf::new();
        for statement in statements {
            updates.push(statement.clone());
        }
        // `run_command` adds no write concern and looks at no write error; both are done here.
        let w_timeout_ms = i64::try_from(self.call_timeout().as_millis()).unwrap_or(i64::MAX);
        let command = rawdoc! {
            "update": collection,
            "ordered": true,
            "writeConcern": { "w": "majority", "j": true, "wtimeout": w_timeout_ms },
            "updates": updates,
        };
        let run = || self.database().run_raw_command(command.clone());
        read_reply(&again_after_a_break(run).await?)
    }
}

/// How many of the statements go into the next command: at least one, however large.
fn command_length(statements: &[RawDocumentBuf]) -> usize {
    let mut bytes = 0;
    let fitting = statements.iter().take(STATEMENTS_PER_COMMAND).take_while(|statement| {
        bytes += statement.as_bytes().len();
        bytes <= BYTES_PER_COMMAND
    });
    fitting.count().max(1)
}

#[derive(Debug, PartialEq, Eq)]
struct Reply {
    written: Written,
    failed: Option<FailedStatement>,
}

#[derive(Debug, PartialEq, Eq)]
struct FailedStatement {
    index: usize,
    code: i32,
    message: String,
}

fn read_reply(reply: &Document) -> Result<Reply, Failure> {
    if let Ok(error) = reply.get_document("writeConcernError") {
        let (code, message) = code_and_message(error);
        return Err(Failure::WriteConcern { code, message });
    }
    let made = reply.get_array("upserted").map_or(0, Vec::len);
    // The server counts what it made among what it found.
    let found = reply.get("n").and_then(whole_number).and_then(|found| usize::try_from(found).ok());
    let written = Written { made, matched: found.unwrap_or_default().saturating_sub(made) };
    let first_error = reply.get_array("writeErrors").ok().and_then(|errors| errors.first());
    let failed = first_error.map(|error| {
        let error = error.as_document().cloned().unwrap_or_default();
        let (code, message) = code_and_message(&error);
        let index = error.get("index").and_then(whole_number).and_then(|index| usize::try_from(index).ok());
        FailedStatement { index: index.unwrap_or(usize::MAX), code, message }
    });
    Ok(Reply { written, failed })
}

fn code_and_message(error: &Document) -> (i32, String) {
    let code = error.get("code").and_then(whole_number).and_then(|code| i32::try_from(code).ok());
    let message = error.get_str("errmsg").unwrap_or("no message");
    (code.unwrap_or_default(), message.to_owned())
}

fn whole_number(value: &mongodb::bson::Bson) -> Option<i64> {
    value.as_i64().or_else(|| value.as_i32().map(i64::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_without_errors_counts_what_was_made() {
        let reply = doc! { "ok": 1, "n": 2, "nModified": 1, "upserted": [{ "index": 0, "_id": 7_i64 }] };
        assert_eq!(
            read_reply(&reply).unwrap(),
            Reply { written: Written { made: 1, matched: 1 }, failed: None }
        );
    }

    #[test]
    fn a_write_error_is_told_though_the_command_says_ok() {
        let reply =
            doc! { "ok": 1, "n": 1, "writeErrors": [{ "index": 1, "code": 11000, "errmsg": "dup key" }] };
        let failed = FailedStatement { index: 1, code: DUPLICATE_KEY, message: "dup key".to_owned() };
        assert_eq!(
            read_reply(&reply).unwrap(),
            Reply { written: Written { made: 0, matched: 1 }, failed: Some(failed) }
        );
    }

    #[test]
    fn a_write_that_is_not_known_to_be_durable_is_a_failure() {
        let reply = doc! { "ok": 1, "n": 1, "writeConcernError": { "code": 64, "errmsg": "waiting for replication" } };
        let failure = read_reply(&reply).unwrap_err();
        assert!(failure.into_port_error("x", "y").is_unavailable());
    }

    #[test]
    fn commands_stay_far_below_the_limits_of_the_server() {
        let small = RawDocumentBuf::from_document(&doc! { "q": {} }).unwrap();
        assert_eq!(command_length(&vec![small.clone(); 2_000]), STATEMENTS_PER_COMMAND);
        let large = RawDocumentBuf::from_document(&doc! { "q": "x".repeat(3 * 1024 * 1024) }).unwrap();
        assert_eq!(command_length(&[small.clone(), large.clone(), large.clone()]), 2);
        let huge = RawDocumentBuf::from_document(&doc! { "q": "x".repeat(9 * 1024 * 1024) }).unwrap();
        assert_eq!(command_length(&[huge, small]), 1);
    }
}
