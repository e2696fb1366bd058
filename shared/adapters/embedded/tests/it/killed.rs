//! `kill -9` of a process that publishes and settles: examples/publish_and_settle.rs.

use std::{
    collections::BTreeSet,
    fs::read_to_string,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{ARRIVAL_LIMIT, drain, notes::Note, open_bus};

/// Cargo builds examples beside the tests.
fn victim() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let victim = test.ancestors().nth(2).unwrap().join("examples/publish_and_settle");
    assert!(victim.exists(), "{} is missing: run `cargo test`, which builds examples too", victim.display());
    victim
}

fn read(note: Note, folder: &Path) -> BTreeSet<String> {
    let text = read_to_string(note.path(folder)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_kill_nothing_confirmed_is_lost_and_nothing_settled_is_redelivered() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for round in 1..=3 {
        let mut child = Command::new(victim()).arg(folder).spawn().unwrap();
        let enough = async {
            while read(Note::Done, folder).len() < round * 400 {
                assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(ARRIVAL_LIMIT * 9, enough).await.unwrap();
        child.kill().unwrap();
        child.wait().unwrap();

        let bus = open_bus(folder).await;
        let left = drain(&bus).await;
        let (confirmed, settling, done) =
            (read(Note::Confirmed, folder), read(Note::Settling, folder), read(Note::Done, folder));
        let lost: Vec<_> = confirmed.difference(&settling).filter(|name| !left.contains(*name)).collect();
        assert!(lost.is_empty(), "round {round}: confirmed and lost: {lost:?}");
        let again: Vec<_> = left.intersection(&done).collect();
        assert!(again.is_empty(), "round {round}: settled and redelivered: {again:?}");
        bus.close().await.unwrap();
    }
}
