//! Files and folders that only their owner may read: messages and documents hold names, phones and addresses.

use std::{
    fs::{DirBuilder, File, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

const OWNER_READS_AND_WRITES: u32 = 0o600;
const OWNER_ENTERS: u32 = 0o700;

/// Creates the folder where it is missing. An existing one keeps its mode, which somebody has chosen.
pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(OWNER_ENTERS).create(path)
}

/// Creates the file where it is missing and takes an existing one away from others. SQLite gives its log the same mode.
pub(crate) fn create_file(path: &Path) -> io::Result<()> {
    let file = File::options().create(true).append(true).mode(OWNER_READS_AND_WRITES).open(path)?;
    file.set_permissions(Permissions::from_mode(OWNER_READS_AND_WRITES))
}
