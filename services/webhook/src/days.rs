//! The daily comparison of a shop that does not use CLICK's Merchant API: of the ledger and the shop store alone. With the
//! Merchant API the reconciler compares, and records the day when it is done.

use std::time::Duration;

use tolov_kit::lifecycle::{Stop, pause};

use crate::{
    believed_time::BelievedTime,
    ledger::{Ledger, LedgerError},
};

const ROUND: Duration = Duration::from_mins(1);

/// Runs until `stop`.
pub(crate) async fn run(ledger: Ledger, time: BelievedTime, stop: Stop) {
    while pause(&stop, ROUND).await {
        if let Err(error) = record_due(&ledger, &time).await {
            tracing::warn!(error = error.chain(), "the day is not compared yet; the next round tries again");
        }
    }
}

/// Records every day that is due. Returns how many.
pub async fn record_due(ledger: &Ledger, time: &BelievedTime) -> Result<usize, LedgerError> {
    let (mut recorded, now) = (0, time.now().await?);
    while let Some(day) = ledger.next_day(now).await? {
        ledger.record_day(day, None, now).await?;
        recorded += 1;
    }
    Ok(recorded)
}
