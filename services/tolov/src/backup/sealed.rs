//! Encryption of a backup for a public key, in the format of `age` (age-encryption.org): any `age` program opens it.

use std::{
    fmt,
    io::{self, Read, Write},
    iter,
    path::Path,
    str::FromStr,
};

use age::{
    Decryptor, Encryptor,
    stream::{StreamReader, StreamWriter},
    x25519,
};
use anyhow::{Context, Result, bail};

use crate::commands::text_file;

/// How every file of this format begins.
pub(super) const MAGIC: &[u8] = b"age-encryption.org/";

/// Whose private key opens the backups. A public key: it may be printed.
#[derive(Clone)]
pub(super) struct Recipient(x25519::Recipient);

impl FromStr for Recipient {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = text.parse().map(Self);
        read.map_err(|error| format!("{error}; write the public key of `age-keygen`, which begins with age1"))
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A writer that encrypts where there is somebody to encrypt for.
pub(super) enum Sealed<W: Write> {
    Plain(W),
    Encrypted(StreamWriter<W>),
}

impl<W: Write> Sealed<W> {
    pub(super) fn new(output: W, recipient: Option<&Recipient>) -> Result<Self> {
        let Some(Recipient(recipient)) = recipient else { return Ok(Self::Plain(output)) };
        let encryptor = Encryptor::with_recipients(iter::once::<&dyn age::Recipient>(recipient))
            .context("the backup cannot be encrypted for BACKUP_RECIPIENT")?;
        Ok(Self::Encrypted(encryptor.wrap_output(output)?))
    }

    /// Writes the end, without which the file cannot be decrypted.
    pub(super) fn finish(self) -> io::Result<W> {
        match self {
            Self::Plain(output) => Ok(output),
            Self::Encrypted(output) => output.finish(),
        }
    }
}

impl<W: Write> Write for Sealed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(output) => output.write(bytes),
            Self::Encrypted(output) => output.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(output) => output.flush(),
            Self::Encrypted(output) => output.flush(),
        }
    }
}

/// The content of an encrypted file.
pub(super) fn open<R: Read>(file: R, identity: Option<&Path>) -> Result<StreamReader<R>> {
    let Some(path) = identity else {
        bail!("the backup is encrypted: name the file with its private key, --identity FILE");
    };
    let identity = read_identity(path)?;
    let decryptor = Decryptor::new(file).context("the encrypted backup is damaged")?;
    let content = decryptor.decrypt(iter::once::<&dyn age::Identity>(&identity));
    content.with_context(|| format!("the key in {} does not open this backup", path.display()))
}

/// From a file as `age-keygen` writes it: comments, and the key on a line of its own.
fn read_identity(path: &Path) -> Result<x25519::Identity> {
    let text = text_file::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let key = text.lines().map(str::trim).find(|line| line.starts_with("AGE-SECRET-KEY-1"));
    let read = key.and_then(|key| key.parse().ok());
    read.with_context(|| format!("{} has no line AGE-SECRET-KEY-1...", path.display()))
}
