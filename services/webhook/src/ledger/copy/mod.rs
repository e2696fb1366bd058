//! A ledger moved from one place to another, of either engine: every row of every table as JSON, in pages by key.
//!
//! The new ledger is written in one transaction and read back before it is kept: a copy that was cut off, or that differs,
//! leaves nothing behind and may be repeated. Keys, CHECKs and foreign keys hold for its rows as for any others. Triggers rest
//! meanwhile: they say what may follow upon what, and write rows of their own, which are copied too.

mod error;
pub(super) mod postgres;
mod side;
mod sqlite;
mod table;

use std::io;

use serde_json::Value;
use sha2::{Digest, Sha256};

pub use self::error::{Content, CopyError};
use self::{side::Side, table::Table};
use super::LedgerPlace;

/// How many rows are in memory at a time.
const PAGE: usize = 500;

/// The note beside the file of a copy, which closes the file to services, and a place where there is none yet. It belongs to the
/// installation and not to the ledger.
pub trait Notes {
    /// Whether a copy between the same two places was cut off after it had begun the note.
    fn was_begun(&self) -> bool;
    /// Before the ledger can be in the other place: no service starts on the file, whatever becomes of this process.
    fn begin(&self) -> io::Result<()>;
    /// The ledger is in the other place, and services start there alone.
    fn end(&self) -> io::Result<()>;
    /// It is not.
    fn take_back(&self) -> io::Result<()>;
}

/// Places that no installation has a note of.
impl Notes for () {
    fn was_begun(&self) -> bool {
        false
    }

    fn begin(&self) -> io::Result<()> {
        Ok(())
    }

    fn end(&self) -> io::Result<()> {
        Ok(())
    }

    fn take_back(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Copies the whole ledger into a place that has none. No service may run on either. Returns each table with what was
/// written, read back and found to be the same. A copy that was cut off is ended by the same call.
pub async fn copy(
    from: &LedgerPlace,
    to: &LedgerPlace,
    notes: &impl Notes,
) -> Result<Vec<(String, Content)>, CopyError> {
    if from == to {
        return Err(CopyError::Same(from.clone()));
    }
    let mut source = Side::open_source(from, to).await?;
    let copied = match Side::open_target(to).await {
        Ok(target) => fill_and_hand_over(&mut source, target, to, notes).await,
        Err(used @ (CopyError::NotEmpty { .. } | CopyError::FileExists(_)))
            if source.was_left() || notes.was_begun() =>
        {
            end_cut_off(&mut source, to, used, notes).await
        }
        Err(error) => Err(error),
    };
    // Nothing of it is written any more.
    drop(source.close().await);
    copied
}

async fn fill_and_hand_over(
    source: &mut Side,
    mut target: Side,
    to: &LedgerPlace,
    notes: &impl Notes,
) -> Result<Vec<(String, Content)>, CopyError> {
    match fill(source, &mut target).await {
        Ok(copied) => hand_over(source, target, to, notes).await.map(|()| copied),
        Err(error) => {
            target.discard().await;
            Err(error)
        }
    }
}

/// Closes the one ledger to services before the other one is there: whatever becomes of this process in between, no two of them
/// go on, and none is begun.
async fn hand_over(
    source: &mut Side,
    target: Side,
    to: &LedgerPlace,
    notes: &impl Notes,
) -> Result<(), CopyError> {
    let left = match notes.begin() {
        Ok(()) => source.leave(to).await,
        Err(error) => Err(error.into()),
    };
    if let Err(error) = left {
        target.discard().await;
        return Err(error);
    }
    let kept = target.keep(to).await;
    match kept {
        Ok(()) => end(to, notes),
        Err(unknown @ CopyError::Unanswered { .. }) => Err(unknown),
        Err(error) => {
            source.stay().await;
            notes.take_back()?;
            Err(error)
        }
    }
}

fn end(to: &LedgerPlace, notes: &impl Notes) -> Result<(), CopyError> {
    notes.end().map_err(|source| CopyError::NotNoted { place: to.clone(), source })
}

/// The ledger came whole or not at all. What is there is that copy if nobody has changed it since; otherwise it is in use, or is
/// another one.
async fn end_cut_off(
    source: &mut Side,
    to: &LedgerPlace,
    used: CopyError,
    notes: &impl Notes,
) -> Result<Vec<(String, Content)>, CopyError> {
    let mut target = Side::open_source(to, to).await?;
    let compared = compare(source, &mut target).await;
    drop(target.close().await);
    match compared {
        Err(CopyError::Differs { .. }) => Err(used),
        compared => {
            let copied = compared?;
            end(to, notes)?;
            Ok(copied)
        }
    }
}

async fn compare(source: &mut Side, target: &mut Side) -> Result<Vec<(String, Content)>, CopyError> {
    let mut same = Vec::new();
    for (table, target_table) in pairs(source, target).await? {
        let written = each_page(source, &table, None).await?;
        let read = each_page(target, &target_table, None).await?;
        same.push(agreed(table.name, written, read)?);
    }
    Ok(same)
}

async fn fill(source: &mut Side, target: &mut Side) -> Result<Vec<(String, Content)>, CopyError> {
    let pairs = pairs(source, target).await?;
    let mut written = Vec::with_capacity(pairs.len());
    for (table, target_table) in &pairs {
        written.push(each_page(source, table, Some((&mut *target, target_table))).await?);
    }
    target.check().await?;
    let mut copied = Vec::with_capacity(pairs.len());
    for ((table, target_table), written) in pairs.into_iter().zip(written) {
        let read = each_page(target, &target_table, None).await?;
        copied.push(agreed(table.name, written, read)?);
    }
    Ok(copied)
}

/// Each table of the one with that of the other.
async fn pairs(source: &mut Side, target: &mut Side) -> Result<Vec<(Table, Table)>, CopyError> {
    let (tables, mut others) = (source.tables().await?, target.tables().await?);
    let mut pairs = Vec::with_capacity(tables.len());
    for table in tables {
        let Some(place) = others.iter().position(|other| other.is_like(&table)) else {
            return Err(CopyError::OtherColumns { table: table.name });
        };
        pairs.push((table, others.swap_remove(place)));
    }
    Ok(pairs)
}

fn agreed(table: String, written: Content, read: Content) -> Result<(String, Content), CopyError> {
    if read == written { Ok((table, written)) } else { Err(CopyError::Differs { table, written, read }) }
}

/// Reads a table from its first row to its last, and writes it to another one.
async fn each_page(
    side: &mut Side,
    table: &Table,
    mut to: Option<(&mut Side, &Table)>,
) -> Result<Content, CopyError> {
    let (mut rows, mut hash) = (0, Sha256::new());
    let mut after = None;
    loop {
        let text = side.page(table, after.as_ref(), PAGE).await?;
        let page: Vec<Value> = serde_json::from_str(&text)?;
        let Some(last) = page.last() else { break };
        for row in &page {
            hash.update(table.canonical(row)?);
        }
        if let Some((target, target_table)) = &mut to {
            target.insert(target_table, &text).await?;
        }
        rows += u64::try_from(page.len()).unwrap_or(u64::MAX);
        after = Some(last.clone());
    }
    let sha256 = hash.finalize().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    Ok(Content { rows, sha256 })
}
