//! The channels of the shop: the notifier posts to the staff channel, and photos of the catalogue are kept in one.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use teloxide::types::{ChatId, InlineKeyboardMarkup, Recipient};

use crate::{
    config::{Channel, Config},
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
    /// The variable that names it.
    setting: &'static str,
}

impl StaffChat {
    pub(crate) fn new(config: &Config) -> Self {
        Self::of_channel(config, &config.db_channel, "DB_CHANNEL")
    }

    /// The channel for photos, where it is another one.
    pub(crate) fn store(config: &Config) -> Option<Self> {
        let channel = config.store_channel.as_ref().filter(|channel| **channel != config.db_channel)?;
        Some(Self::of_channel(config, channel, "STORE_CHANNEL"))
    }

    fn of_channel(config: &Config, channel: &Channel, setting: &'static str) -> Self {
        let posts = config.channel_posts_per_min;
        Self {
            rate_limiter: RateLimiter::new(posts, MINUTE, (posts / 6).clamp(1, BURST_MAX)),
            chat: Mutex::new(channel.0.clone()),
            setting,
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

    /// Keeps a photo, and returns its `file_id` there; once more where the group has become a supergroup.
    pub(crate) async fn keep_photo(
        &self,
        telegram: &Telegram,
        photo: &str,
        caption: &str,
    ) -> Result<String, SendError> {
        let keep = |chat| telegram.keep_photo(chat, photo, caption.to_owned());
        match keep(self.recipient()).await {
            Err(SendError::Migrated(chat)) => {
                self.migrate_to(chat);
                keep(self.recipient()).await
            }
            kept => kept,
        }
    }

    pub(crate) fn migrate_to(&self, chat: ChatId) {
        let (old, setting) = (self.recipient(), self.setting);
        tracing::warn!(%old, new = %chat, "a group has become a supergroup: set {setting}={chat}");
        *self.chat.lock().unwrap_or_else(PoisonError::into_inner) = Recipient::Id(chat);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;
    use tolov_kit::{lifecycle::Stop, secret::Secret};
    use url::Url;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn after_a_small_burst_posts_leave_at_the_rate_of_the_channel() {
        let webhook_url = Url::parse("http://127.0.0.1:9").unwrap();
        let token = || Secret::new("535362388:AAF7-g0gYncWnm5IyfZlpPRqRRv6kNAGlao");
        let mut config = Config::new(token(), "-1001".parse().unwrap(), webhook_url, token());
        config.channel_posts_per_min = 20;
        let chat = StaffChat::new(&config);
        let (start, stop) = (Instant::now(), Stop::new());
        let mut at_ms = Vec::new();
        for _ in 0..21 {
            chat.rate_limiter.acquire(start + MINUTE * 2, &stop).await;
            at_ms.push(start.elapsed().as_millis());
        }
        assert_eq!(at_ms[..3], [0, 0, 0], "the burst");
        assert!((3_300..3_400).contains(&at_ms[3]), "{at_ms:?}");
        assert!(at_ms[20] >= 60_000, "20 in any minute: {at_ms:?}");
    }
}
