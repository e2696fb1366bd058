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

use serde_json::Value;
use sha2::{Digest, Sha256};

pub use self::error::{Content, CopyError};
use self::{side::Side, table::Table};
use super::LedgerPlace;

/// How many rows are in memory at a time.
const PAGE: usize = 500;

/// Copies the whole ledger into a place that has none. No service may run on either. Returns each table with what was
/// written, read back and found to be the same.
pub async fn copy(from: &LedgerPlace, to: &LedgerPlace) -> Result<Vec<(String, Content)>, CopyError> {
    if from == to {
        return Err(CopyError::Same(from.clone()));
    }
    let mut source = Side::open_source(from, to).await?;
    let mut target = match Side::open_target(to).await {
        Ok(target) => target,
        Err(error) => {
            source.close().await?;
            return Err(error);
        }
    };
    let copied = match fill(&mut source, &mut target).await {
        Ok(copied) => hand_over(&mut source, target, to).await.map(|()| copied),
        Err(error) => {
            target.discard().await;
            Err(error)
        }
    };
    // Nothing of it is written any more.
    drop(source.close().await);
    copied
}

/// Closes the one ledger to services before the other one is there: whatever becomes of this process in between, no two of them
/// go on.
async fn hand_over(source: &mut Side, target: Side, to: &LedgerPlace) -> Result<(), CopyError> {
    if let Err(error) = source.leave(to).await {
        target.discard().await;
        return Err(error);
    }
    let kept = target.keep(to).await;
    if !matches!(kept, Ok(()) | Err(CopyError::Unanswered { .. })) {
        source.stay().await;
    }
    kept
}

async fn fill(source: &mut Side, target: &mut Side) -> Result<Vec<(String, Content)>, CopyError> {
    let tables = source.tables().await?;
    let target_tables = target.tables().await?;
    let pairs: Option<Vec<(&Table, &Table)>> = tables
        .iter()
        .map(|table| Some((table, target_tables.iter().find(|other| other.is_like(table))?)))
        .collect();
    let Some(pairs) = pairs else {
        let lacks = |table: &&Table| !target_tables.iter().any(|other| other.is_like(table));
        let table = tables.iter().find(lacks).map(|table| table.name.clone()).unwrap_or_default();
        return Err(CopyError::OtherColumns { table });
    };
    let mut copied = Vec::with_capacity(tables.len());
    for (table, target_table) in &pairs {
        let written = each_page(source, table, Some((&mut *target, target_table))).await?;
        copied.push((table.name.clone(), written));
    }
    target.check().await?;
    for ((_, target_table), (table, written)) in pairs.iter().zip(&copied) {
        let read = each_page(target, target_table, None).await?;
        if read != *written {
            let (table, written) = (table.clone(), written.clone());
            return Err(CopyError::Differs { table, written, read });
        }
    }
    Ok(copied)
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
