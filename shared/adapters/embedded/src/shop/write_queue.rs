//! Writes that share a commit. A commit waits for the disk, so whoever gets the writing connection commits all that waits for
//! it by then.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use sqlx::{Connection, SqliteConnection};
use tokio::sync::oneshot::{self, error::TryRecvError};
use tolov_domain::ports::{
    PortError,
    documents::{Collection, Key, Write},
};

use super::documents::write_in;
use crate::sqlite::{BEGIN_WRITING, SqliteFile};

/// How many calls share a commit at most.
const SHARED_MAX: usize = 64;

type Written = Result<HashSet<Key>, PortError>;

#[derive(Debug, Default)]
pub(super) struct WriteQueue {
    waiting: Mutex<Vec<Call>>,
}

#[derive(Debug)]
struct Call {
    collection: Collection,
    writes: Vec<Write>,
    answer: oneshot::Sender<Written>,
}

impl WriteQueue {
    /// Writes those documents that are as their writers saw them, and returns their keys. If the caller goes away meanwhile,
    /// they may still be written.
    pub(super) async fn write(
        &self,
        file: &SqliteFile,
        collection: Collection,
        writes: Vec<Write>,
    ) -> Written {
        let (answer, mut answered) = oneshot::channel();
        self.waiting().push(Call { collection, writes, answer });
        loop {
            let mut writer = tokio::select! {
                biased;
                written = &mut answered => return written.unwrap_or_else(|_| Err(dropped())),
                writer = file.writer() => writer?,
            };
            match answered.try_recv() {
                Ok(written) => return written,
                Err(TryRecvError::Closed) => return Err(dropped()),
                Err(TryRecvError::Empty) => {}
            }
            let mut calls = Calls { queue: self, calls: self.take() };
            calls.commit(file, &mut writer).await;
        }
    }

    fn take(&self) -> Vec<Call> {
        let mut waiting = self.waiting();
        let count = waiting.len().min(SHARED_MAX);
        waiting.drain(..count).collect()
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Call>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// No caller drops what it has not answered.
fn dropped() -> PortError {
    PortError::Unavailable("a write was not answered: try it again".to_owned())
}

/// The calls that one of the callers commits. Those that it leaves behind go back into the queue: its own future may be
/// dropped at any await.
struct Calls<'a> {
    queue: &'a WriteQueue,
    calls: Vec<Call>,
}

impl Drop for Calls<'_> {
    fn drop(&mut self) {
        let left = self.calls.drain(..);
        self.queue.waiting().splice(..0, left);
    }
}

impl Calls<'_> {
    async fn commit(&mut self, file: &SqliteFile, writer: &mut SqliteConnection) {
        let together = commit_together(writer, &self.calls).await.map_err(|error| file.failed(&error));
        match together {
            Ok(written) => {
                for (call, keys) in self.calls.drain(..).zip(written) {
                    drop(call.answer.send(Ok(keys)));
                }
            }
            // One that the store refuses must not fail the others.
            Err(PortError::Refused(_)) if self.calls.len() > 1 => {
                while let Some(call) = self.calls.first() {
                    let alone = commit_together(writer, std::slice::from_ref(call)).await;
                    let alone = alone.map_err(|error| file.failed(&error));
                    let keys = alone.map(|written| written.into_iter().flatten().collect());
                    drop(self.calls.remove(0).answer.send(keys));
                }
            }
            Err(error) => {
                for call in self.calls.drain(..) {
                    drop(call.answer.send(Err(error.clone())));
                }
            }
        }
    }
}

async fn commit_together(writer: &mut SqliteConnection, calls: &[Call]) -> sqlx::Result<Vec<HashSet<Key>>> {
    let mut transaction = writer.begin_with(BEGIN_WRITING).await?;
    let mut written = Vec::with_capacity(calls.len());
    for call in calls {
        written.push(write_in(&mut transaction, call.collection, &call.writes).await?);
    }
    if written.iter().all(HashSet::is_empty) {
        transaction.rollback().await?;
    } else {
        transaction.commit().await?;
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;
    use tolov_domain::ports::documents::{Body, Documents, Put};

    use super::{super::EmbeddedShop, *};

    const NOTES: Collection = Collection::new("notes", &["colour"]);

    /// How many commits are in the write-ahead log: the last frame of each holds the size of the file.
    fn commits(dir: &Path) -> usize {
        const HEADER: usize = 32;
        const FRAME_HEADER: usize = 24;
        let log = std::fs::read(dir.join("shop.db-wal")).unwrap();
        let page = usize::try_from(u32::from_be_bytes(log[8..12].try_into().unwrap())).unwrap();
        let salt = &log[16..24];
        let frames = log[HEADER..].chunks_exact(FRAME_HEADER + page);
        frames.filter(|frame| &frame[8..16] == salt && frame[4..8] != [0; 4]).count()
    }

    fn body(colour: &str) -> Body {
        json!({ "colour": colour }).as_object().unwrap().clone()
    }

    #[tokio::test]
    async fn writes_that_wait_for_the_disk_share_a_commit() {
        let folder = tempfile::tempdir().unwrap();
        let shop = EmbeddedShop::open(folder.path()).await.unwrap();
        shop.put(NOTES, &Key::Number(0), None, &body("red")).await.unwrap();
        let before = commits(folder.path());
        let held = shop.file.writer().await.unwrap();
        let put = |key: i64| {
            let shop = shop.clone();
            tokio::spawn(async move { shop.put(NOTES, &Key::Number(key % 20), None, &body("blue")).await })
        };
        // Twenty documents; the first is there already.
        let puts: Vec<_> = (0..20).map(put).collect();
        while shop.writes.waiting().len() < puts.len() {
            tokio::task::yield_now().await;
        }
        drop(held);
        let mut done = 0;
        for put in puts {
            done += usize::from(put.await.unwrap() == Ok(Put::Done(1)));
        }
        assert_eq!((done, commits(folder.path()) - before), (19, 1));
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_leaves_the_others_to_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let shop = EmbeddedShop::open(folder.path()).await.unwrap();
        let held = shop.file.writer().await.unwrap();
        let put = |key: i64| {
            let shop = shop.clone();
            tokio::spawn(async move { shop.put(NOTES, &Key::Number(key), None, &body("blue")).await })
        };
        let (first, second) = (put(1), put(2));
        while shop.writes.waiting().len() < 2 {
            tokio::task::yield_now().await;
        }
        first.abort();
        drop(held);
        assert_eq!(second.await.unwrap(), Ok(Put::Done(1)));
    }
}
