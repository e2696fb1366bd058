//! `kill -9` of a process in the midst of publishing and settling.

use std::{
    collections::BTreeSet,
    fs::{File, read_to_string},
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tolov_domain::ports::bus::{Queue, Verdict};

use crate::{ARRIVAL_LIMIT, drain, message, open_bus};

/// Tells the process that will be killed where to work.
const FOLDER_VARIABLE: &str = "TOLOV_TEST_FOLDER";

/// What the killed process could still write down: names of messages, one a line.
#[derive(Debug, Clone, Copy)]
enum Note {
    Confirmed,
    /// Written before the verdict is given.
    Settling,
    /// Written when the verdict was taken.
    Done,
}

impl Note {
    fn path(self, folder: &Path) -> PathBuf {
        folder.join(match self {
            Self::Confirmed => "confirmed",
            Self::Settling => "settling",
            Self::Done => "done",
        })
    }

    fn write(self, folder: &Path, names: &[String]) {
        let mut file = File::options().create(true).append(true).open(self.path(folder)).unwrap();
        file.write_all((names.join("\n") + "\n").as_bytes()).unwrap();
    }

    fn read(self, folder: &Path) -> BTreeSet<String> {
        let text = read_to_string(self.path(folder)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_kill_nothing_confirmed_is_lost_and_nothing_done_comes_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for round in 1..=3 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed::the_process_that_is_killed", "--ignored", "--quiet"])
            .env(FOLDER_VARIABLE, folder)
            .spawn()
            .unwrap();
        let enough = async {
            while Note::Done.read(folder).len() < round * 400 {
                assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(ARRIVAL_LIMIT * 3, enough).await.unwrap();
        child.kill().unwrap();
        child.wait().unwrap();

        let bus = open_bus(folder).await;
        let left = drain(&bus).await;
        let (confirmed, settling, done) =
            (Note::Confirmed.read(folder), Note::Settling.read(folder), Note::Done.read(folder));
        let lost: Vec<_> = confirmed.difference(&settling).filter(|name| !left.contains(*name)).collect();
        assert!(lost.is_empty(), "round {round}: confirmed and gone: {lost:?}");
        let again: Vec<_> = left.intersection(&done).collect();
        assert!(again.is_empty(), "round {round}: done and back: {again:?}");
        bus.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the other half of the test above, which starts it"]
async fn the_process_that_is_killed() {
    // Without a folder somebody runs all ignored tests: there is nothing to do then.
    let Some(folder) = std::env::var_os(FOLDER_VARIABLE).map(PathBuf::from) else { return };
    let bus = open_bus(&folder).await;
    let (publisher, consumer) = (bus.publisher(), bus.consumer(Queue::ProjectorPayments));
    let run = std::process::id();
    let publishing = async {
        for window in 0.. {
            let names: Vec<_> = (0..20).map(|place| format!("{run}/{window}/{place}")).collect();
            let messages: Vec<_> = names.iter().map(|name| message(name)).collect();
            publisher.publish(&messages).await.unwrap();
            Note::Confirmed.write(&folder, &names);
        }
    };
    let consuming = async {
        loop {
            let deliveries = consumer.receive(15).await.unwrap();
            let names: Vec<_> = deliveries.iter().map(|delivery| delivery.id.to_string()).collect();
            Note::Settling.write(&folder, &names);
            let verdicts = deliveries.into_iter().map(|delivery| (delivery, Verdict::Done)).collect();
            assert_eq!(consumer.settle(verdicts).await.unwrap(), names.len());
            Note::Done.write(&folder, &names);
        }
    };
    let both = async { tokio::join!(publishing, consuming) };
    // A parent that died must not leave this behind for ever.
    drop(tokio::time::timeout(ARRIVAL_LIMIT * 3, both).await);
}
