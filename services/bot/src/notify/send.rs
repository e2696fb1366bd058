//! One message, sent with patience: its turn, Telegram's "retry after", and what remains when it was not sent.

use std::time::Duration;

use teloxide::types::Recipient;
use tokio::time::Instant;
use tolov_domain::ports::bus::Verdict;
use tolov_kit::lifecycle::{Stop, pause};

use crate::{
    notify::{
        claims::{AWAY_AFTER, Lease, STOP_AFTER},
        notifier::{Ending, Notifier},
    },
    telegram::{client::MessageId, errors::SendError, limits::Turn},
};

/// So many claims may end with an unknown outcome before the retry ladder counts them, and parks the notification in
/// the end. Else a proxy that swallows Telegram's answers would let a shopper be told again and again for ever.
const UNKNOWN_MAX: u32 = 3;
/// When something is wanted again while the token is refused; only the operator can help.
const TOKEN_AFTER: Duration = Duration::from_mins(1);

/// What came of a message.
pub(super) enum Sent {
    As(MessageId),
    /// Not sent, and it would be too long to wait here.
    NotNow(Duration),
    Failed(SendError),
}

impl Notifier {
    /// Sends to a shopper within the overall pace; waits out "retry after" as long as the lease allows.
    pub(super) async fn send_in_turn(&self, chat: Recipient, html: &str, lease: Lease, stop: &Stop) -> Sent {
        loop {
            match self.overall.turn(lease.send_by, stop).await {
                Turn::Yours => {}
                Turn::TooLong(after) => return Sent::NotNow(after),
                Turn::Stopped => return Sent::NotNow(STOP_AFTER),
            }
            let wait = match self.telegram.send(chat.clone(), html.to_owned()).await {
                Ok(message_id) => return Sent::As(message_id),
                Err(SendError::Wait(wait)) => wait,
                Err(error) => return Sent::Failed(error),
            };
            let until = Instant::now() + wait;
            tracing::warn!(wait_ms = wait.as_millis(), "Telegram asks to wait");
            if self.flood.is_of_all_chats(&chat, until) {
                self.overall.hold_until(until);
            }
            if until > lease.send_by {
                return Sent::NotNow(wait);
            }
            if !pause(stop, wait).await {
                return Sent::NotNow(STOP_AFTER);
            }
        }
    }
}

/// What the journal and the bus hear of a failure that does not depend on the recipient.
///
/// Where Telegram or the way to it is at fault, the message does not step down the ladder: an outage of an hour must
/// not end with parked notifications. One failure of Telegram's own while it answers others may be the message's.
pub(super) fn ending_of(error: SendError, attempt: u32, lease: Lease) -> Ending {
    match error {
        SendError::Wait(after) => Ending::Free(Verdict::Later { after }),
        SendError::NotConnected(_) => Ending::Free(Verdict::Later { after: AWAY_AFTER }),
        SendError::ServerFailed { was_away: true, .. } => Ending::Free(Verdict::Later { after: AWAY_AFTER }),
        SendError::ServerFailed { reason, was_away: false } => Ending::Free(Verdict::Retry { reason }),
        SendError::TokenRefused => Ending::Free(Verdict::Later { after: TOKEN_AFTER }),
        SendError::Unknown(reason) if attempt > UNKNOWN_MAX => Ending::Leased(Verdict::Retry {
            reason: format!("sent {attempt} times without learning whether it arrived: {reason}"),
        }),
        SendError::Unknown(_) => {
            let after = lease.until.saturating_duration_since(Instant::now());
            Ending::Leased(Verdict::Later { after })
        }
        SendError::Refused(reason) | SendError::ChatClosed(reason) => Ending::Free(Verdict::Park { reason }),
        SendError::Migrated(chat) => {
            Ending::Free(Verdict::Park { reason: format!("the chat has moved to {chat}") })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease() -> Lease {
        let now = Instant::now();
        Lease { send_by: now, until: now + Duration::from_secs(100) }
    }

    #[tokio::test(start_paused = true)]
    async fn an_unknown_outcome_keeps_the_lease_and_ends_on_the_ladder_when_it_repeats() {
        let unknown = || SendError::Unknown("time ran out".to_owned());
        let Ending::Leased(Verdict::Later { after }) = ending_of(unknown(), 1, lease()) else { panic!() };
        assert_eq!(after, Duration::from_secs(100));
        assert!(matches!(ending_of(unknown(), 4, lease()), Ending::Leased(Verdict::Retry { .. })));
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_of_telegram_does_not_use_up_the_ladder() {
        let failed = |was_away| SendError::ServerFailed { reason: "Bad Gateway".to_owned(), was_away };
        assert!(matches!(ending_of(failed(false), 1, lease()), Ending::Free(Verdict::Retry { .. })));
        assert!(matches!(ending_of(failed(true), 1, lease()), Ending::Free(Verdict::Later { .. })));
        let away = SendError::NotConnected("refused".to_owned());
        assert!(matches!(ending_of(away, 1, lease()), Ending::Free(Verdict::Later { .. })));
    }
}
