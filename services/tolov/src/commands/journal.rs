//! The operators' journal: what was done by hand to messages and files that carry money, a line of JSON each. It is
//! written and synced before the command does it, so that nothing is deleted without a trace.

use std::{
    fs::File,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tolov_domain::time::unix_ms;
use tolov_kit::clock::{Clock, SystemClock};

use crate::data_folder::{folder_of, give_to_owner_of};

const FILE_NAME: &str = "operators.jsonl";

#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
}

impl Journal {
    /// In the folder of the ledger.
    pub(crate) fn beside(ledger: &Path) -> Self {
        Self { path: folder_of(ledger).join(FILE_NAME) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a line and returns when it is on the disk. What has no line must not be done.
    #[expect(clippy::needless_pass_by_value, reason = "callers build it for this call")]
    pub(crate) fn record(&self, command: &str, details: Value) -> Result<()> {
        self.append(command, &details).with_context(|| {
            format!(
                "the operators' journal {} cannot be written, so nothing was done; run this where LEDGER_PATH is",
                self.path.display()
            )
        })
    }

    /// Appends a line with what came of it.
    pub(crate) fn record_result(&self, command: &str, mut details: Value, result: &str) -> Result<()> {
        details["result"] = result.into();
        self.append(command, &details).with_context(|| {
            format!(
                "the result is {result}, and the operators' journal {} cannot be written to say so",
                self.path.display()
            )
        })
    }

    fn append(&self, command: &str, details: &Value) -> Result<()> {
        // Who called sudo comes first. A name of the environment proves nothing; the uid does.
        let named = |name: &str| std::env::var(name).ok().filter(|user| !user.is_empty());
        let user = ["SUDO_USER", "USER"].into_iter().find_map(named);
        let line = json!({
            "at_ms": unix_ms(SystemClock.now()),
            "uid": rustix::process::getuid().as_raw(),
            "user": user,
            "command": command,
            "details": details,
        });
        let mut file = File::options().create(true).append(true).mode(0o600).open(&self.path)?;
        give_to_owner_of(folder_of(&self.path), &self.path)?;
        file.write_all(format!("{line}\n").as_bytes())?;
        Ok(file.sync_all()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_is_a_line_of_json_with_its_time_and_its_user() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::beside(&folder.path().join("payments.db"));
        journal.record("parked drop", json!({ "id": "a\nb" })).unwrap();
        journal.record("restore", json!({})).unwrap();
        let text = std::fs::read_to_string(folder.path().join(FILE_NAME)).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((lines.len(), &lines[0]["details"]["id"]), (2, &json!("a\nb")));
        assert!(lines[0]["at_ms"].as_i64().unwrap() > 0 && lines[0]["uid"].is_number());
    }

    #[test]
    fn a_journal_that_cannot_be_written_says_where_to_run_the_command() {
        let journal = Journal::beside(Path::new("/no such folder/payments.db"));
        let refused = format!("{:#}", journal.record("parked drop", json!({})).unwrap_err());
        assert!(refused.contains("nothing was done") && refused.contains("operators.jsonl"), "{refused}");
    }
}
