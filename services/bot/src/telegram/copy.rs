//! Other people's messages, as copies or forwarded: broadcasts, and talks with support.

use teloxide::{
    requests::Requester,
    types::{ChatId, MessageId as Number},
};

use crate::{
    metrics,
    telegram::{
        client::{MessageId, Telegram, sent_all_the_same},
        errors::SendError,
    },
};

/// A message where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MessageRef {
    pub(crate) chat: ChatId,
    pub(crate) message_id: i32,
}

impl Telegram {
    /// Sends a copy that looks as if the bot had written it.
    pub(crate) async fn copy(&self, to: ChatId, source: MessageRef) -> Result<MessageId, SendError> {
        let copied = self.notifying.copy_message(to, source.chat, Number(source.message_id)).await;
        let sent = copied
            .map(|copy| i64::from(copy.0))
            .or_else(|error| sent_all_the_same(&error).ok_or_else(|| self.sort(&error)));
        self.heard(&sent);
        metrics::record_send("copyMessage", &sent);
        sent
    }

    /// Forwards it, with the name of who wrote it.
    pub(crate) async fn forward(&self, to: ChatId, source: MessageRef) -> Result<MessageId, SendError> {
        let forwarded = self.notifying.forward_message(to, source.chat, Number(source.message_id)).await;
        let sent = forwarded
            .map(|message| i64::from(message.id.0))
            .or_else(|error| sent_all_the_same(&error).ok_or_else(|| self.sort(&error)));
        self.heard(&sent);
        metrics::record_send("forwardMessage", &sent);
        sent
    }
}
