//! A disk as it may be found: what was synced, and of the rest anything.

use std::{collections::BTreeMap, path::Path};

use tolov_contract::random::Random;

/// What a process did to a file of its folder.
#[derive(Debug, Clone)]
pub(crate) enum Record {
    Write { file: String, offset: usize, bytes: Vec<u8> },
    Truncate { file: String, length: usize },
    Sync { file: String },
    Unlink { file: String },
}

/// Where the process says which orders were answered as paid; it is not on the disk that fails.
const ANSWERED: &str = "answered";
/// A write may be cut between two of these.
const SECTOR: usize = 512;

impl Record {
    fn file(&self) -> &str {
        match self {
            Self::Write { file, .. } | Self::Truncate { file, .. } => file,
            Self::Sync { file } | Self::Unlink { file } => file,
        }
    }

    pub(crate) fn is_sync(&self) -> bool {
        matches!(self, Self::Sync { .. })
    }

    pub(crate) fn is_sync_of(&self, name: &str) -> bool {
        matches!(self, Self::Sync { file } if file == name)
    }

    /// Something became certain with it: an answer, or what was synced.
    pub(crate) fn is_moment(&self) -> bool {
        self.is_sync() || !self.answered().is_empty()
    }

    pub(crate) fn answered(&self) -> Vec<i64> {
        match self {
            Self::Write { file, bytes, .. } if file == ANSWERED => {
                String::from_utf8_lossy(bytes).lines().filter_map(|line| line.parse().ok()).collect()
            }
            Self::Write { .. } | Self::Truncate { .. } | Self::Sync { .. } | Self::Unlink { .. } => {
                Vec::new()
            }
        }
    }
}

/// Reads what `recorder.c` has written.
pub(crate) fn records(mut log: &[u8]) -> Vec<Record> {
    let mut records = Vec::new();
    while let Some(end) = log.iter().position(|byte| *byte == b'\n') {
        let line = String::from_utf8(log[..end].to_vec()).unwrap();
        log = &log[end + 1..];
        let words: Vec<&str> = line.split(' ').collect();
        let number = |place: usize| words[place].parse::<usize>().unwrap();
        let file = words[1].to_owned();
        records.push(match words[0] {
            "W" => {
                let (bytes, rest) = log.split_at(number(3));
                log = rest;
                Record::Write { file, offset: number(2), bytes: bytes.to_vec() }
            }
            "T" => Record::Truncate { file, length: number(2) },
            "S" => Record::Sync { file },
            "U" => Record::Unlink { file },
            other => unreachable!("{other:?} is no record"),
        });
    }
    records
}

/// Of each file what is certain, and what was done to it since.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk(BTreeMap<String, (Vec<u8>, Vec<Record>)>);

impl Disk {
    pub(crate) fn apply(&mut self, record: &Record) {
        let (certain, rest) = self.0.entry(record.file().to_owned()).or_default();
        match record {
            Record::Sync { .. } => {
                for done in std::mem::take(rest) {
                    change(certain, &done, usize::MAX);
                }
            }
            Record::Unlink { .. } => drop(self.0.remove(record.file())),
            Record::Write { .. } | Record::Truncate { .. } => rest.push(record.clone()),
        }
    }

    /// Nothing is there that was not synced.
    pub(crate) fn synced(&self) -> Self {
        let certain = self.0.iter().map(|(file, (certain, _))| (file.clone(), (certain.clone(), Vec::new())));
        Self(certain.collect())
    }

    /// Of what was not synced something is there, in any combination, and some of it in part.
    pub(crate) fn with_some_of_the_rest(&self, random: &mut Random) -> Self {
        let mut disk = self.synced();
        for (file, (_, rest)) in &self.0 {
            let Some((certain, _)) = disk.0.get_mut(file) else { continue };
            for done in rest {
                match random.below(3) {
                    0 => {}
                    1 => change(certain, done, usize::MAX),
                    _ => change(certain, done, SECTOR * usize::try_from(random.below(8)).unwrap()),
                }
            }
        }
        disk
    }

    pub(crate) fn write_to(&self, folder: &Path) {
        // SQLite makes the others anew.
        for file in ["payments.db", "payments.db-wal"] {
            if let Some((bytes, _)) = self.0.get(file) {
                std::fs::write(folder.join(file), bytes).unwrap();
            }
        }
    }
}

/// At most so many bytes of a write.
fn change(file: &mut Vec<u8>, done: &Record, at_most: usize) {
    match done {
        Record::Write { offset, bytes, .. } => {
            let bytes = &bytes[..bytes.len().min(at_most)];
            file.resize(file.len().max(offset + bytes.len()), 0);
            file[*offset..offset + bytes.len()].copy_from_slice(bytes);
        }
        Record::Truncate { length, .. } => file.resize(*length, 0),
        Record::Sync { .. } | Record::Unlink { .. } => {}
    }
}
