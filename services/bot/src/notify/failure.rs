//! What a failed send means for the claim of a notification and for its delivery.

use std::time::Duration;

use tokio::time::Instant;
use tolov_domain::ports::bus::Verdict;

use crate::{
    notify::claims::{AWAY_AFTER, Claimed},
    telegram::errors::{SendError, description},
};

/// After this many claims without a known outcome the retry ladder counts them, and parks the notification in the end. Else
/// a proxy that swallows Telegram's answers would let a shopper be told again and again.
const UNKNOWN_MAX: u32 = 3;
/// When something is wanted again while the token is refused; only the operator can correct it.
const TOKEN_AFTER: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub(super) enum Failure {
    /// Not sent: any process may try again.
    NotSent(Verdict),
    /// Perhaps sent: nobody may try again before the lease ends.
    Unknown(Verdict),
}

/// Sorts a failure that does not depend on the recipient.
///
/// Where Telegram or the connection is at fault the message takes no step on the ladder: an outage of an hour must not end
/// with parked notifications. A single failure of Telegram while it answers others may be the message's own.
pub(super) fn failure_of(error: SendError, claimed: Claimed) -> Failure {
    Failure::NotSent(match error {
        SendError::Wait(after) => Verdict::Later { after },
        SendError::NotConnected(_) | SendError::ServerFailed { was_down: true, .. } => {
            Verdict::Later { after: AWAY_AFTER }
        }
        SendError::ServerFailed { error, was_down: false } => Verdict::Retry { reason: description(&error) },
        SendError::TokenRefused => Verdict::Later { after: TOKEN_AFTER },
        SendError::Refused(error) | SendError::ChatClosed(error) => {
            Verdict::Park { reason: description(&error) }
        }
        SendError::Migrated(_) => Verdict::Park { reason: error.to_string() },
        SendError::Unknown(_) if claimed.attempt > UNKNOWN_MAX => {
            let attempt = claimed.attempt;
            let reason = format!("sent {attempt} times without learning whether it arrived: {error}");
            return Failure::Unknown(Verdict::Retry { reason });
        }
        SendError::Unknown(_) => {
            let after = claimed.until.saturating_duration_since(Instant::now());
            return Failure::Unknown(Verdict::Later { after });
        }
    })
}

#[cfg(test)]
mod tests {
    use std::{io, sync::Arc};

    use teloxide::ApiError;

    use super::*;

    fn claimed(attempt: u32) -> Claimed {
        Claimed { attempt, until: Instant::now() + Duration::from_secs(100) }
    }

    #[tokio::test(start_paused = true)]
    async fn an_unknown_outcome_keeps_the_lease_and_ends_on_the_ladder_when_it_repeats() {
        let unknown = || SendError::Unknown(Arc::new(io::Error::other("time ran out")));
        let Failure::Unknown(Verdict::Later { after }) = failure_of(unknown(), claimed(1)) else { panic!() };
        assert_eq!(after, Duration::from_secs(100));
        assert!(matches!(failure_of(unknown(), claimed(4)), Failure::Unknown(Verdict::Retry { .. })));
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_of_telegram_does_not_use_up_the_retries_of_posts() {
        let failed = |was_down| SendError::ServerFailed {
            error: ApiError::Unknown("Bad Gateway".to_owned()),
            was_down,
        };
        assert!(matches!(failure_of(failed(false), claimed(1)), Failure::NotSent(Verdict::Retry { .. })));
        assert!(matches!(failure_of(failed(true), claimed(1)), Failure::NotSent(Verdict::Later { .. })));
    }
}
