//! Times on the command line, and what happened since a backup.

use std::time::Duration;

use clap::Args;
use time::{UtcOffset, format_description::well_known::Rfc3339};
use tolov_domain::time::Timestamp;

/// A moment, or how long ago one was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    At(Timestamp),
    Ago(Duration),
}

impl Moment {
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if let Ok(at) = Timestamp::parse(text, &Rfc3339) {
            return Ok(Self::At(at.to_offset(UtcOffset::UTC)));
        }
        let ago = duration(text).map_err(|_| "write 2026-11-23T07:05:00Z, or so long ago: 30m, 24h, 7d")?;
        Ok(Self::Ago(ago))
    }

    /// One before the calendar's first year is the beginning of 1970: nothing that is kept here is older.
    pub(crate) fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(ago) => {
                let ago = time::Duration::try_from(ago).unwrap_or(time::Duration::MAX);
                now.checked_sub(ago).unwrap_or(Timestamp::UNIX_EPOCH)
            }
        }
    }
}

/// Minutes, hours or days.
pub(super) fn duration(text: &str) -> Result<Duration, &'static str> {
    const FORM: &str = "write 30m, 24h or 7d";
    let (digits, seconds) = match text.split_at_checked(text.len().saturating_sub(1)) {
        Some((digits, "m")) => (digits, 60),
        Some((digits, "h")) => (digits, 3_600),
        Some((digits, "d")) => (digits, 86_400),
        _ => return Err(FORM),
    };
    let count = digits.parse::<u32>().map_err(|_| FORM)?;
    Ok(Duration::from_secs(u64::from(count) * seconds))
}

/// How a ledger that was put back is told of what happened since its backup.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct SinceBackup {
    /// Do not ask the shop store and the bus which orders were paid since the backup: both are lost as well
    #[arg(long)]
    pub(crate) stores_lost: bool,
    /// Go on though events of payments wait on the bus for another try: whether they are newer than the backup is not
    /// known
    #[arg(long)]
    pub(crate) despite_unread_events: bool,
    /// Let merchant_prepare_id go on above 2147483647, the largest that CLICK's documents allow; ask CLICK first
    #[arg(long)]
    pub(crate) beyond_click_int: bool,
}
