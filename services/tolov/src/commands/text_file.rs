//! A short text that a person has saved in a file, such as a key.

use std::{
    io::{self, Read},
    path::Path,
};

const FILE_MAX_BYTES: u64 = 64 * 1024;

/// The text without the byte order mark and the white space around it. Errors show nothing of it, nor the file's name.
pub(crate) fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(FILE_MAX_BYTES).read_to_end(&mut bytes)?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(text.trim_start_matches('\u{feff}').trim().to_owned()),
        Err(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8: save it as plain text")),
    }
}
