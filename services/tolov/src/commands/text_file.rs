//! A short text that a person has saved in a file, such as a key.

use std::{io::Read, path::Path};

use anyhow::{Context, Result, bail};

const FILE_MAX_BYTES: u64 = 64 * 1024;

/// The text without the byte order mark and the white space around it. Errors name the file and show nothing of it.
pub(crate) fn read(path: &Path) -> Result<String> {
    let cannot_read = || format!("cannot read {}", path.display());
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).with_context(cannot_read)?;
    file.take(FILE_MAX_BYTES).read_to_end(&mut bytes).with_context(cannot_read)?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(text.trim_start_matches('\u{feff}').trim().to_owned()),
        Err(_) => bail!("{} is not UTF-8: save it as plain text", path.display()),
    }
}
