//! The file of a backup: a compressed tar archive, perhaps encrypted, which opens without this program. Its first entry
//! says what it is; the digests there make sure that what is restored is what was examined.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    path::Path,
};

use anyhow::{Context, Result, ensure};
use flate2::{Compression, read::MultiGzDecoder, write::GzEncoder};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use tolov_domain::time::{Timestamp, from_unix_ms, unix_ms};

use super::sealed::{self, Recipient, Sealed};
use crate::data_folder::{Part, ensure_free, folder_of, sync_folder};

/// The name of the note in the archive.
const NOTE: &str = "tolov-backup.json";
/// Larger than any note; ours have some hundred bytes.
const NOTE_MAX_BYTES: u64 = 64 * 1024;
/// Raised when an older program could not restore what a newer one wrote. 2: digests, compression, encryption.
const FORMAT: u64 = 2;
const GZIP_MAGIC: &[u8] = b"\x1f\x8b";

/// What the note says.
#[derive(Debug)]
pub(super) struct Note {
    pub(super) made_at: Timestamp,
    pub(super) parts: Vec<Part>,
    /// Hexadecimal SHA-256 of each file; backups of format 1 have none.
    digests: Map<String, Value>,
}

/// Packs files of a folder into a new file, readable for its owner alone. It appears under its name only when all of it is
/// on the disk and was read back, and it replaces nothing.
pub(super) fn write(
    file: &Path,
    made_at: Timestamp,
    folder: &Path,
    parts: &[Part],
    recipient: Option<&Recipient>,
) -> Result<()> {
    let target = folder_of(file);
    let packed = NamedTempFile::new_in(target)
        .with_context(|| format!("cannot write in the folder {}", target.display()))?;
    let written = pack(packed.as_file(), made_at, folder, parts, recipient)
        .context("the backup could not be written")?;
    let read_back = digest(packed.reopen()?).context("the backup could not be read back")?;
    ensure!(read_back == written, "the backup is not on the disk as it was written; check the disk");
    packed.persist_noclobber(file).with_context(|| format!("cannot put the backup at {}", file.display()))?;
    sync_folder(target)
}

/// Returns the digest of what was written.
fn pack(
    file: &File,
    made_at: Timestamp,
    folder: &Path,
    parts: &[Part],
    recipient: Option<&Recipient>,
) -> Result<String> {
    let output = Hashing { output: BufWriter::new(file), hash: Sha256::new() };
    let mut archive =
        tar::Builder::new(GzEncoder::new(Sealed::new(output, recipient)?, Compression::default()));
    let mut digests = Map::new();
    for part in parts {
        let digest = digest(File::open(folder.join(part.file_name()))?)?;
        digests.insert(part.file_name().to_owned(), digest.into());
    }
    let note = json!({
        "format": FORMAT,
        "made_at_ms": unix_ms(made_at),
        "made_by": concat!("tolov ", env!("CARGO_PKG_VERSION")),
        "files": parts.iter().map(|part| part.file_name()).collect::<Vec<_>>(),
        "sha256": digests,
    });
    let note = serde_json::to_vec_pretty(&note)?;
    archive.append_data(&mut header(made_at, u64::try_from(note.len())?), NOTE, note.as_slice())?;
    for part in parts {
        let copy = File::open(folder.join(part.file_name()))?;
        let mut header = header(made_at, copy.metadata()?.len());
        archive.append_data(&mut header, part.file_name(), BufReader::new(copy))?;
    }
    let mut output = archive.into_inner()?.finish()?.finish()?;
    output.flush()?;
    file.sync_all()?;
    Ok(hex(output.hash))
}

fn header(made_at: Timestamp, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_mode(0o600);
    header.set_mtime(u64::try_from(made_at.unix_timestamp()).unwrap_or(0));
    header.set_size(size);
    header
}

/// A writer that knows the digest of what went through it.
struct Hashing<W> {
    output: W,
    hash: Sha256,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.output.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

fn digest(mut content: impl Read) -> io::Result<String> {
    let mut hashing = Hashing { output: io::sink(), hash: Sha256::new() };
    io::copy(&mut content, &mut hashing)?;
    Ok(hex(hashing.hash))
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Unpacks a backup into a folder, on the disk where it goes. Only the files that a backup of ours can have are taken, each
/// under its plain name.
pub(super) fn unpack(file: &Path, folder: &Path, identity: Option<&Path>) -> Result<Note> {
    let opened = File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    let mut archive = tar::Archive::new(content(opened, identity)?);
    let not_ours = || format!("{} is not a backup of tolov", file.display());
    let mut entries = archive.entries().with_context(not_ours)?;
    let first = entries.next().with_context(not_ours)?.with_context(not_ours)?;
    let note = read_note(first).with_context(not_ours)?;
    for part in &note.parts {
        let name = part.file_name();
        let mut entry = entries.next().context("the backup ends too soon")??;
        ensure!(
            entry.path()?.to_str() == Some(name),
            "the files of the backup are not in the order of its note"
        );
        // It has to be put in its place as well.
        ensure_free(folder, entry.header().size()?.saturating_mul(2))?;
        let copy = File::options().write(true).create_new(true).open(folder.join(name))?;
        let mut copy = Hashing { output: copy, hash: Sha256::new() };
        io::copy(&mut entry, &mut copy).with_context(|| format!("{name} could not be unpacked"))?;
        copy.output.sync_all()?;
        let read = Value::from(hex(copy.hash));
        let is_same = note.digests.get(name).is_none_or(|written| *written == read);
        ensure!(is_same, "{name} is not in the backup as it was written; use an older backup");
    }
    // The checksum of the compressed stream, which covers the note, is at its end.
    io::copy(&mut archive.into_inner(), &mut io::sink())
        .context("the backup is damaged; use an older one")?;
    Ok(note)
}

/// Takes off encryption and compression, each only where it is there: backups of format 1 have neither.
fn content(file: File, identity: Option<&Path>) -> Result<Box<dyn Read>> {
    let mut opened: Box<dyn BufRead> = Box::new(BufReader::new(file));
    if opened.fill_buf()?.starts_with(sealed::MAGIC) {
        opened = Box::new(BufReader::new(sealed::open(opened, identity)?));
    }
    if opened.fill_buf().context("the backup cannot be decrypted")?.starts_with(GZIP_MAGIC) {
        return Ok(Box::new(MultiGzDecoder::new(opened)));
    }
    Ok(Box::new(opened))
}

fn read_note(entry: impl Read) -> Result<Note> {
    let mut text = Vec::new();
    entry.take(NOTE_MAX_BYTES).read_to_end(&mut text)?;
    let note: Value = serde_json::from_slice(&text)?;
    let format = note["format"].as_u64().context("no format")?;
    ensure!(format <= FORMAT, "it was made by a newer tolov, {}; use that one", note["made_by"]);
    let made_at = from_unix_ms(note["made_at_ms"].as_i64().context("no time")?);
    let parts = note["files"].as_array().context("no list of files")?.iter().map(|name| {
        let part = name.as_str().and_then(Part::from_file_name);
        part.with_context(|| format!("it holds {name}, which this tolov does not know"))
    });
    Ok(Note {
        made_at,
        parts: parts.collect::<Result<_>>()?,
        digests: note["sha256"].as_object().cloned().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use age::{secrecy::ExposeSecret, x25519};
    use tempfile::TempDir;
    use time::macros::datetime;

    use super::*;

    const MADE_AT: Timestamp = datetime!(2026-11-28 09:00 UTC);
    const CONTENT: &str = "what Dilnoza has bought";

    fn packed(recipient: Option<&Recipient>) -> (TempDir, TempDir) {
        let (source, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(source.path().join("payments.db"), CONTENT.repeat(100)).unwrap();
        std::fs::write(source.path().join("bus.db"), "").unwrap();
        let file = target.path().join("backup");
        write(&file, MADE_AT, source.path(), &[Part::Ledger, Part::Bus], recipient).unwrap();
        (source, target)
    }

    fn unpacked(target: &TempDir, identity: Option<&Path>) -> Result<String> {
        let folder = tempfile::tempdir().unwrap();
        let note = unpack(&target.path().join("backup"), folder.path(), identity)?;
        assert_eq!((note.made_at, &note.parts[..]), (MADE_AT, &[Part::Ledger, Part::Bus][..]));
        Ok(std::fs::read_to_string(folder.path().join("payments.db")).unwrap())
    }

    #[test]
    fn what_was_packed_comes_out_and_takes_less_room() {
        let (_source, target) = packed(None);
        assert_eq!(unpacked(&target, None).unwrap(), CONTENT.repeat(100));
        assert!(std::fs::metadata(target.path().join("backup")).unwrap().len() < 1_000);
    }

    #[test]
    fn an_encrypted_backup_opens_with_its_private_key_alone() {
        let owner = x25519::Identity::generate();
        let recipient: Recipient = owner.to_public().to_string().parse().unwrap();
        let (_source, target) = packed(Some(&recipient));
        let bytes = std::fs::read(target.path().join("backup")).unwrap();
        assert!(bytes.starts_with(sealed::MAGIC));
        let key_file = |identity: &x25519::Identity, name: &str| {
            let path = target.path().join(name);
            // As an editor on Windows saves it.
            let text = format!("\u{feff}# created: today\r\n{}\r\n", identity.to_string().expose_secret());
            std::fs::write(&path, text).unwrap();
            path
        };
        let owners = key_file(&owner, "key");
        assert_eq!(unpacked(&target, Some(&owners)).unwrap(), CONTENT.repeat(100));
        let strangers = key_file(&x25519::Identity::generate(), "another");
        let refused = unpacked(&target, Some(&strangers)).unwrap_err().to_string();
        assert!(refused.contains("does not open this backup"), "{refused}");
        let refused = unpacked(&target, None).unwrap_err().to_string();
        assert!(refused.contains("--identity"), "{refused}");
    }

    #[test]
    fn a_backup_with_one_changed_byte_is_refused() {
        let (_source, target) = packed(None);
        let file = target.path().join("backup");
        let bytes = std::fs::read(&file).unwrap();
        for position in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[position] ^= 0x10;
            std::fs::write(&file, &changed).unwrap();
            if let Ok(content) = unpacked(&target, None) {
                // A header's name or time, padding: nothing that is restored.
                assert_eq!(content, CONTENT.repeat(100), "byte {position}");
            }
        }
    }

    #[test]
    fn a_backup_that_does_not_fit_is_refused_before_anything_is_written() {
        let target = tempfile::tempdir().unwrap();
        let mut archive = File::create(target.path().join("backup")).unwrap();
        let note = r#"{"format": 1, "made_at_ms": 1795856400000, "files": ["payments.db"]}"#;
        let mut packed = tar::Builder::new(Vec::new());
        let mut beginning = header(MADE_AT, u64::try_from(note.len()).unwrap());
        packed.append_data(&mut beginning, NOTE, note.as_bytes()).unwrap();
        archive.write_all(packed.get_ref()).unwrap();
        let mut of_ledger = header(MADE_AT, 1 << 50);
        of_ledger.set_path("payments.db").unwrap();
        of_ledger.set_cksum();
        archive.write_all(of_ledger.as_bytes()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let refused = unpack(&target.path().join("backup"), folder.path(), None).unwrap_err().to_string();
        assert!(refused.contains("MB are needed"), "{refused}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_plain_archive_of_an_earlier_release_is_read() {
        let target = tempfile::tempdir().unwrap();
        let mut archive = tar::Builder::new(File::create(target.path().join("backup")).unwrap());
        let note = r#"{"format": 1, "made_at_ms": 1795856400000, "files": ["payments.db", "bus.db"]}"#;
        for (name, content) in [(NOTE, note), ("payments.db", CONTENT), ("bus.db", "")] {
            let mut header = header(MADE_AT, u64::try_from(content.len()).unwrap());
            archive.append_data(&mut header, name, content.as_bytes()).unwrap();
        }
        archive.finish().unwrap();
        assert_eq!(unpacked(&target, None).unwrap(), CONTENT);
    }
}
