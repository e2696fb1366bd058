//! Why a control call did nothing.

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    #[error("there is no shopper {0}: create one first")]
    NoShopper(i64),
    #[error("there is no chat {0}: create the shopper or the channel first")]
    NoChat(i64),
    #[error("chat {0} exists already")]
    ChatExists(i64),
    #[error("{0} cannot be the id of a {1}")]
    WrongId(i64, &'static str),
    #[error("message {message_id} does not exist in chat {chat_id}, or was deleted")]
    NoMessage { chat_id: i64, message_id: i64 },
    #[error("no button {wanted} is shown in chat {chat_id}; shown are: {shown}")]
    NoButton { chat_id: i64, wanted: String, shown: String },
    #[error("shopper {0} has blocked the bot: unblock it first")]
    Blocked(i64),
    #[error("shopper {0} has no phone number")]
    NoPhoneNumber(i64),
    #[error("{0} is too long")]
    TooLong(&'static str),
    #[error(
        "no message with {wanted:?} came to chat {chat_id} within {timeout_ms} ms; the last message is: {last:?}"
    )]
    Timeout { chat_id: i64, wanted: String, timeout_ms: u128, last: String },
    #[error("there is no such tap or query, or it was not answered within {timeout_ms} ms")]
    NoAnswer { timeout_ms: u128 },
    #[error("the bot has not confirmed {pending} of the updates within {timeout_ms} ms")]
    NotConfirmed { pending: usize, timeout_ms: u128 },
    #[error("too many {0}: reset the sandbox")]
    Full(&'static str),
    #[error("Telegram does not accept this file as a photo")]
    NotAPhoto,
}
