//! Messages of other people, copied or forwarded: for broadcasts and for support.

use teloxide::{
    RequestError,
    requests::Requester,
    types::{ChatId, MessageId},
};

use crate::telegram::{
    client::{MessageRef, Telegram, message_id_in},
    errors::SendError,
};

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

    fn sent(&self, method: &'static str, answer: Result<i32, RequestError>) -> Result<i32, SendError> {
        let sent = answer.or_else(|error| message_id_in(&error).ok_or_else(|| self.failed(&error)));
        self.record(method, &sent);
        sent
    }
}
