//! Messages of other people, copied or forwarded: for broadcasts and for support.

use teloxide::{
    RequestError,
    requests::Requester,
    types::{ChatId, MessageId},
};

use crate::telegram::{
    client::{MessageRef, Telegram, message_id_in, message_ids_in},
    errors::SendError,
};

/// Messages of one chat that go together: one, or the parts of an album.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MessageGroup {
    pub(crate) chat: ChatId,
    /// 1 to 100, strictly increasing: Telegram takes no others.
    pub(crate) ids: Vec<MessageId>,
}

impl MessageGroup {
    /// How many messages Telegram counts.
    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.ids.len()).unwrap_or(u32::MAX)
    }

    fn single(&self) -> Option<MessageRef> {
        let [id] = self.ids.as_slice() else { return None };
        Some(MessageRef { chat: self.chat, message_id: id.0 })
    }
}

impl Telegram {
    /// Sends a copy that looks as if the bot had written it. Returns its id in the chat.
    pub(crate) async fn copy(&self, to: ChatId, source: MessageRef) -> Result<i32, SendError> {
        let copied = self.notifying.copy_message(to, source.chat, MessageId(source.message_id)).await;
        self.sent("copyMessage", copied.map(|copy| copy.0))
    }

    /// Forwards a message with the name of its author. Returns its id in the chat.
    pub(crate) async fn forward(&self, to: ChatId, source: MessageRef) -> Result<i32, SendError> {
        let forwarded = self.notifying.forward_message(to, source.chat, MessageId(source.message_id)).await;
        self.sent("forwardMessage", forwarded.map(|message| message.id.0))
    }

    /// Copies messages in one call, an album as an album. Returns the ids in the chat; Telegram leaves out what was deleted, so
    /// there may be fewer, or none.
    pub(crate) async fn copy_group(&self, to: ChatId, source: &MessageGroup) -> Result<Vec<i32>, SendError> {
        if let Some(single) = source.single() {
            return self.copy(to, single).await.map(|id| vec![id]);
        }
        let copied = self.notifying.copy_messages(to, source.chat, source.ids.iter().copied()).await;
        self.sent_group("copyMessages", copied)
    }

    /// The same as forwards, with the name of the author.
    pub(crate) async fn forward_group(
        &self,
        to: ChatId,
        source: &MessageGroup,
    ) -> Result<Vec<i32>, SendError> {
        if let Some(single) = source.single() {
            return self.forward(to, single).await.map(|id| vec![id]);
        }
        let forwarded = self.notifying.forward_messages(to, source.chat, source.ids.iter().copied()).await;
        self.sent_group("forwardMessages", forwarded)
    }

    fn sent_group(
        &self,
        method: &'static str,
        answer: Result<Vec<MessageId>, RequestError>,
    ) -> Result<Vec<i32>, SendError> {
        let sent = answer
            .map(|ids| ids.into_iter().map(|id| id.0).collect())
            .or_else(|error| message_ids_in(&error).ok_or_else(|| self.failed(&error)));
        self.record(method, &sent);
        sent
    }

    fn sent(&self, method: &'static str, answer: Result<i32, RequestError>) -> Result<i32, SendError> {
        let sent = answer.or_else(|error| message_id_in(&error).ok_or_else(|| self.failed(&error)));
        self.record(method, &sent);
        sent
    }
}
