//! The methods of the Bot API.

mod account;
mod answers;
mod chats;
mod copies;
mod deletes;
mod edits;
mod payments;
mod sends;
mod webhook;

use serde_json::Value;

use super::params::Params;
use crate::telegram::{refusal::Refusal, state::State};
pub(super) use webhook::set_allowed;

#[derive(Debug)]
pub(crate) struct Method {
    pub(crate) name: &'static str,
    pub(crate) kind: MethodKind,
    pub(crate) run: fn(&mut State, &Params) -> Result<Value, Refusal>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MethodKind {
    /// Makes a message, which Telegram's limits count.
    Send,
    /// Changes or removes one.
    Change,
    Other,
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

/// The only method that waits; it is not run from the table.
pub(crate) const GET_UPDATES: &str = "getUpdates";

/// Names are case-insensitive, as with Telegram.
pub(crate) fn find(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.name.eq_ignore_ascii_case(name))
}

/// Whether calls of this method make a message.
pub(in crate::telegram) fn makes_message(name: &str) -> bool {
    find(name).is_some_and(|method| method.kind == MethodKind::Send)
}

use MethodKind::{Change, Other, Send};

static METHODS: [Method; 37] = [
    Method::new("getMe", Other, |state, _| Ok(account::get_me(state))),
    // These move a bot between servers; there is only one here.
    Method::new("logOut", Other, |_, _| Ok(Value::Bool(true))),
    Method::new("close", Other, |_, _| Ok(Value::Bool(true))),
    Method::new("setMyCommands", Other, account::set_my_commands),
    Method::new("getMyCommands", Other, account::get_my_commands),
    Method::new("deleteMyCommands", Other, account::delete_my_commands),
    // Listed for its name.
    Method::new(GET_UPDATES, Other, |_, _| Ok(Value::Array(Vec::new()))),
    Method::new("setWebhook", Other, webhook::set),
    Method::new("deleteWebhook", Other, webhook::delete),
    Method::new("getWebhookInfo", Other, |state, _| Ok(state.updates.webhook_info())),
    Method::new("sendMessage", Send, sends::message),
    Method::new("sendPhoto", Send, sends::photo),
    Method::new("sendDocument", Send, sends::document),
    Method::new("sendLocation", Send, sends::location),
    Method::new("sendContact", Send, sends::contact),
    Method::new("sendInvoice", Send, payments::invoice),
    Method::new("sendChatAction", Other, sends::chat_action),
    Method::new("copyMessage", Send, copies::copy_message),
    Method::new("copyMessages", Send, copies::copy_messages),
    Method::new("forwardMessage", Send, copies::forward_message),
    Method::new("forwardMessages", Send, copies::forward_messages),
    Method::new("editMessageText", Change, edits::text),
    Method::new("editMessageCaption", Change, edits::caption),
    Method::new("editMessageMedia", Change, edits::media),
    Method::new("editMessageReplyMarkup", Change, edits::reply_markup),
    Method::new("deleteMessage", Change, deletes::delete_message),
    Method::new("deleteMessages", Change, deletes::delete_messages),
    Method::new("answerCallbackQuery", Other, answers::callback_query),
    Method::new("answerInlineQuery", Other, answers::inline_query),
    Method::new("answerPreCheckoutQuery", Other, payments::pre_checkout_query),
    Method::new("getChat", Other, chats::get_chat),
    Method::new("getChatMember", Other, chats::get_chat_member),
    Method::new("getChatMemberCount", Other, chats::get_chat_member_count),
    Method::new("getFile", Other, chats::get_file),
    Method::new("pinChatMessage", Change, chats::pin),
    Method::new("unpinChatMessage", Change, chats::unpin),
    Method::new("unpinAllChatMessages", Change, chats::unpin_all),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case() {
        for name in ["SendMessage", "sendmessage", "sendMessage"] {
            assert_eq!(find(name).map(|method| method.name), Some("sendMessage"));
        }
        assert!(find("sendNothing").is_none());
    }
}
