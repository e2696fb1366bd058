//! The one file of a backup: a tar archive, so that it can be opened without us, with a note of what it is at its head.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Read, Seek, Write},
    path::Path,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tolov_domain::time::{Timestamp, from_unix_ms, unix_ms};
use tolov_embedded::backup::StoreFile;

use super::{LEDGER, folder_of};

/// The note's name in the archive.
const NOTE: &str = "tolov-backup.json";
/// The most that a note may be; ours has some hundred bytes.
const NOTE_MAX_BYTES: u64 = 64 * 1024;
/// Raised when an older program could not restore what a newer one wrote.
const FORMAT: u64 = 1;

/// What the note says.
#[derive(Debug)]
pub(super) struct Note {
    pub(super) made_at: Timestamp,
    pub(super) names: Vec<String>,
}

/// Packs files of a folder into a new file, readable for its owner alone. It appears under its name only when all of it
/// is on the disk and was read back, and it replaces nothing.
pub(super) fn write(file: &Path, made_at: Timestamp, folder: &Path, names: &[&str]) -> Result<()> {
    let target = folder_of(file);
    let mut packed = NamedTempFile::new_in(target)
        .with_context(|| format!("cannot write in the folder {}", target.display()))?;
    pack(packed.as_file_mut(), made_at, folder, names).context("the backup could not be written")?;
    compare(packed.as_file_mut(), folder, names)?;
    packed.persist_noclobber(file).with_context(|| format!("cannot put the backup at {}", file.display()))?;
    File::open(target)?.sync_all().context("the folder of the backup could not be written to the disk")
}

fn pack(file: &mut File, made_at: Timestamp, folder: &Path, names: &[&str]) -> Result<()> {
    let mut archive = tar::Builder::new(BufWriter::new(file));
    let note = json!({
        "format": FORMAT,
        "made_at_ms": unix_ms(made_at),
        "made_by": concat!("tolov ", env!("CARGO_PKG_VERSION")),
        "files": names,
    });
    let note = serde_json::to_vec_pretty(&note)?;
    archive.append_data(&mut header(made_at, u64::try_from(note.len())?), NOTE, note.as_slice())?;
    for name in names {
        let copy = File::open(folder.join(name))?;
        archive.append_data(&mut header(made_at, copy.metadata()?.len()), name, BufReader::new(copy))?;
    }
    let mut writer = archive.into_inner()?;
    writer.flush()?;
    writer.get_ref().sync_all()?;
    Ok(())
}

fn header(made_at: Timestamp, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_mode(0o600);
    header.set_mtime(u64::try_from(made_at.unix_timestamp()).unwrap_or(0));
    header.set_size(size);
    header
}

/// The archive holds what was examined, byte for byte.
fn compare(file: &mut File, folder: &Path, names: &[&str]) -> Result<()> {
    file.rewind()?;
    let mut archive = tar::Archive::new(BufReader::new(file));
    let mut entries = archive.entries()?.skip(1);
    for name in names {
        let entry = entries.next().context("the backup ends too soon")??;
        ensure!(entry.path()?.to_str() == Some(name), "the backup is not as it was written");
        let same = is_same(BufReader::new(entry), BufReader::new(File::open(folder.join(name))?))?;
        ensure!(same, "{name} is not in the backup as it was written; check the disk");
    }
    Ok(())
}

fn is_same(one: impl BufRead, other: impl BufRead) -> io::Result<bool> {
    let (mut one, mut other) = (one.bytes(), other.bytes());
    loop {
        match (one.next().transpose()?, other.next().transpose()?) {
            (None, None) => return Ok(true),
            (left, right) if left != right => return Ok(false),
            _ => {}
        }
    }
}

/// Unpacks a backup into a folder. Only files that a backup of ours can have are taken, each under its plain name.
pub(super) fn unpack(file: &Path, folder: &Path) -> Result<Note> {
    let opened = File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    let mut archive = tar::Archive::new(BufReader::new(opened));
    let not_ours = || format!("{} is not a backup of tolov", file.display());
    let mut entries = archive.entries().with_context(not_ours)?;
    let first = entries.next().with_context(not_ours)?.with_context(not_ours)?;
    let note = read_note(first).with_context(not_ours)?;
    for name in &note.names {
        let mut entry = entries.next().context("the backup ends too soon")??;
        ensure!(entry.path()?.to_str() == Some(name), "the backup is not in the order that its note tells");
        let mut copy = File::options().write(true).create_new(true).open(folder.join(name))?;
        io::copy(&mut entry, &mut copy).with_context(|| format!("{name} could not be unpacked"))?;
        copy.sync_all()?;
    }
    Ok(note)
}

fn read_note(entry: impl Read) -> Result<Note> {
    let mut text = Vec::new();
    entry.take(NOTE_MAX_BYTES).read_to_end(&mut text)?;
    let note: Value = serde_json::from_slice(&text)?;
    let format = note["format"].as_u64().context("no format")?;
    ensure!(format <= FORMAT, "it was made by a newer tolov, {}; use that one", note["made_by"]);
    let made_at = from_unix_ms(note["made_at_ms"].as_i64().context("no time")?);
    let names: Option<Vec<String>> = note["files"]
        .as_array()
        .and_then(|names| names.iter().map(|name| Some(name.as_str()?.to_owned())).collect());
    let names = names.context("no list of files")?;
    for name in &names {
        if name != LEDGER && !StoreFile::ALL.iter().any(|store| store.name() == name) {
            bail!("it holds {name:?}, which this tolov does not know");
        }
    }
    Ok(Note { made_at, names })
}
