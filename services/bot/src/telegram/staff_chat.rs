//! The staff channel, as both sides use it: the notifier posts there, and what staff do changes posts.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use teloxide::types::{ChatId, InlineKeyboardMarkup, Recipient};

use crate::{
    config::BotConfig,
    telegram::{
        client::{MessageId, Telegram},
        errors::SendError,
        limits::Pace,
    },
};

const MINUTE: Duration = Duration::from_mins(1);
/// The most posts that may follow each other at once.
const BURST_MAX: u32 = 3;

#[derive(Debug)]
pub(crate) struct StaffChat {
    /// Of posts; edits do not take a place.
    pub(crate) pace: Pace,
    /// Changes when the group becomes a supergroup.
    chat: Mutex<Recipient>,
}

impl StaffChat {
    pub(crate) fn new(config: &BotConfig) -> Self {
        let posts = config.channel_posts_per_min;
        Self {
            pace: Pace::new(posts, MINUTE, (posts / 6).clamp(1, BURST_MAX)),
            chat: Mutex::new(config.db_channel.0.clone()),
        }
    }

    pub(crate) fn recipient(&self) -> Recipient {
        self.chat.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends one post whose turn it is, and once more where the group has got another number.
    pub(crate) async fn post(
        &self,
        telegram: &Telegram,
        html: &str,
        buttons: &InlineKeyboardMarkup,
    ) -> Result<MessageId, SendError> {
        let send = |chat| telegram.send_with(chat, html.to_owned(), buttons.clone());
        match send(self.recipient()).await {
            Err(SendError::Migrated(chat)) => {
                self.moved_to(chat);
                send(self.recipient()).await
            }
            sent => sent,
        }
    }

    pub(crate) fn moved_to(&self, chat: ChatId) {
        let old = self.recipient();
        tracing::warn!(%old, new = %chat, "the staff group has become a supergroup: set DB_CHANNEL={chat}");
        *self.chat.lock().unwrap_or_else(PoisonError::into_inner) = Recipient::Id(chat);
    }
}
