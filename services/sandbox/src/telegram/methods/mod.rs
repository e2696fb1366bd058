//! The methods of the Bot API, one file a group.

mod account;
mod answers;
mod chats;
mod copies;
mod deletes;
mod edits;
mod sends;

use serde_json::Value;

use super::{params::Params, refusal::Refusal, state::State};

/// A method as it is called: its name, what it counts as, and what it does.
#[derive(Debug)]
pub(crate) struct Method {
    pub(crate) name: &'static str,
    pub(crate) kind: MethodKind,
    pub(crate) run: fn(&mut State, &Params) -> Result<Value, Refusal>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MethodKind {
    /// Makes a message: Telegram's limits count it.
    Send,
    /// Changes or removes one.
    Change,
    /// Everything else.
    Plain,
}

impl Method {
    const fn new(
        name: &'static str,
        kind: MethodKind,
        run: fn(&mut State, &Params) -> Result<Value, Refusal>,
    ) -> Self {
        Self { name, kind, run }
    }
}

/// The one method that waits; it is run elsewhere.
pub(crate) const GET_UPDATES: &str = "getUpdates";

/// The method of this name, whatever its case, as Telegram does.
pub(crate) fn find(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.name.eq_ignore_ascii_case(name))
}

use MethodKind::{Change, Plain, Send};

static METHODS: [Method; 33] = [
    Method::new("getMe", Plain, |state, _| Ok(account::get_me(state))),
    // Only meaningful for a bot that moves between servers; there is no other one here.
    Method::new("logOut", Plain, |_, _| Ok(Value::Bool(true))),
    Method::new("close", Plain, |_, _| Ok(Value::Bool(true))),
    Method::new("setMyCommands", Plain, account::set_my_commands),
    Method::new("getMyCommands", Plain, account::get_my_commands),
    Method::new("deleteMyCommands", Plain, account::delete_my_commands),
    // Listed so that its name is known; never run from here.
    Method::new(GET_UPDATES, Plain, |_, _| Ok(Value::Array(Vec::new()))),
    Method::new("setWebhook", Plain, |state, params| state.updates.set_webhook(params)),
    Method::new("deleteWebhook", Plain, |state, params| Ok(state.updates.delete_webhook(params))),
    Method::new("getWebhookInfo", Plain, |state, _| Ok(state.updates.webhook_info())),
    Method::new("sendMessage", Send, sends::message),
    Method::new("sendPhoto", Send, sends::photo),
    Method::new("sendDocument", Send, sends::document),
    Method::new("sendLocation", Send, sends::location),
    Method::new("sendContact", Send, sends::contact),
    Method::new("sendChatAction", Plain, sends::chat_action),
    Method::new("copyMessage", Send, copies::copy_message),
    Method::new("forwardMessage", Send, copies::forward_message),
    Method::new("editMessageText", Change, edits::text),
    Method::new("editMessageCaption", Change, edits::caption),
    Method::new("editMessageMedia", Change, edits::media),
    Method::new("editMessageReplyMarkup", Change, edits::reply_markup),
    Method::new("deleteMessage", Change, deletes::delete_message),
    Method::new("deleteMessages", Change, deletes::delete_messages),
    Method::new("answerCallbackQuery", Plain, answers::callback_query),
    Method::new("answerInlineQuery", Plain, answers::inline_query),
    Method::new("getChat", Plain, chats::get_chat),
    Method::new("getChatMember", Plain, chats::get_chat_member),
    Method::new("getChatMemberCount", Plain, chats::get_chat_member_count),
    Method::new("getFile", Plain, chats::get_file),
    Method::new("pinChatMessage", Change, chats::pin),
    Method::new("unpinChatMessage", Change, chats::unpin),
    Method::new("unpinAllChatMessages", Change, chats::unpin_all),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_as_teloxide_writes_them() {
        for name in ["SendMessage", "sendmessage", "sendMessage"] {
            assert_eq!(find(name).map(|method| method.name), Some("sendMessage"));
        }
        assert!(find("sendNothing").is_none());
    }
}
