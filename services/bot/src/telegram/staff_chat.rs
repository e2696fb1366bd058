//! The staff channel. The notifier posts there, and posts are edited when staff change an order.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use teloxide::types::{ChatId, InlineKeyboardMarkup, Recipient};

use crate::{
    config::Config,
    telegram::{
        client::{MessageRef, Telegram},
        errors::SendError,
        limits::RateLimiter,
    },
};

const MINUTE: Duration = Duration::from_mins(1);
/// The most posts that may follow each other at once.
const BURST_MAX: u32 = 3;

#[derive(Debug)]
pub(crate) struct StaffChat {
    /// Of posts; edits are not limited.
    pub(crate) rate_limiter: RateLimiter,
    /// Changes when the group becomes a supergroup.
    chat: Mutex<Recipient>,
}

impl StaffChat {
    pub(crate) fn new(config: &Config) -> Self {
        let posts = config.channel_posts_per_min;
        Self {
            rate_limiter: RateLimiter::new(posts, MINUTE, (posts / 6).clamp(1, BURST_MAX)),
            chat: Mutex::new(config.db_channel.0.clone()),
        }
    }

    pub(crate) fn recipient(&self) -> Recipient {
        self.chat.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends one post, whose turn has come; once more where the group has become a supergroup.
    pub(crate) async fn post(
        &self,
        telegram: &Telegram,
        html: &str,
        buttons: &InlineKeyboardMarkup,
    ) -> Result<MessageRef, SendError> {
        let send = |chat| telegram.send(chat, html.to_owned(), buttons.clone());
        match send(self.recipient()).await {
            Err(SendError::Migrated(chat)) => {
                self.migrate_to(chat);
                send(self.recipient()).await
            }
            sent => sent,
        }
    }

    pub(crate) fn migrate_to(&self, chat: ChatId) {
        let old = self.recipient();
        tracing::warn!(%old, new = %chat, "the staff group has become a supergroup: set DB_CHANNEL={chat}");
        *self.chat.lock().unwrap_or_else(PoisonError::into_inner) = Recipient::Id(chat);
    }
}
