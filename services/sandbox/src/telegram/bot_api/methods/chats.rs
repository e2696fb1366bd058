//! Chats, members, pinned messages and files.

use serde_json::{Value, json};

use crate::telegram::{
    bot_api::params::Params,
    refusal::Refusal,
    state::{State, chat::bot_user},
};

pub(super) fn get_chat(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    let chat = state.chat(&params.recipient("chat_id")?)?;
    let mut full = chat.to_json();
    full["accent_color_id"] = 0.into();
    full["max_reaction_count"] = 11.into();
    full["accepted_gift_types"] = json!({
        "unlimited_gifts": false, "limited_gifts": false, "unique_gifts": false, "premium_subscription": false,
    });
    let pinned = chat.messages.values().rev().find(|message| message.pinned && !message.is_deleted());
    if let Some(pinned) = pinned {
        full["pinned_message"] = state.message_json(pinned);
    }
    Ok(full)
}

/// The bot administers its channels; a shopper is a member of the own private chat only.
pub(super) fn get_chat_member(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    let chat = state.chat(&params.recipient("chat_id")?)?;
    let user_id =
        params.integer("user_id")?.ok_or_else(|| Refusal::bad_request("invalid user_id specified"))?;
    let is_bot = user_id == state.bot_id;
    let shopper = state.chats.get(&user_id).and_then(|chat| chat.shopper());
    let user = match (is_bot, shopper) {
        (true, _) => bot_user(state.bot_id, &state.bot),
        (false, Some(shopper)) => shopper.to_json(),
        (false, None) => return Err(Refusal::bad_request("user not found")),
    };
    Ok(match chat.shopper() {
        None if is_bot => administrator(&user),
        Some(owner) if is_bot || owner.id == user_id => json!({ "status": "member", "user": user }),
        None | Some(_) => json!({ "status": "left", "user": user }),
    })
}

fn administrator(user: &Value) -> Value {
    let mut member = json!({ "status": "administrator", "user": user });
    let yes = [
        "can_manage_chat",
        "can_change_info",
        "can_post_messages",
        "can_edit_messages",
        "can_delete_messages",
        "can_post_stories",
        "can_edit_stories",
        "can_delete_stories",
        "can_manage_video_chats",
        "can_invite_users",
        "can_restrict_members",
    ];
    for right in yes {
        member[right] = true.into();
    }
    for right in ["can_be_edited", "is_anonymous", "can_promote_members"] {
        member[right] = false.into();
    }
    member
}

pub(super) fn get_chat_member_count(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    let chat = state.chat(&params.recipient("chat_id")?)?;
    Ok(if chat.shopper().is_some() { 2.into() } else { 1.into() })
}

pub(super) fn get_file(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    let file_id = params.text("file_id").unwrap_or_default();
    let record = state.files.by_id(&file_id).ok_or_else(|| Refusal::bad_request("invalid file_id"))?;
    let mut file = record.to_json();
    file["file_path"] = record.file_path.clone().into();
    Ok(file)
}

pub(super) fn pin(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    let chat_id = state.reachable(&params.recipient("chat_id")?)?;
    state
        .update_message(chat_id, params.message_id()?, |message| message.pinned = true)
        .map(|()| true.into())
        .ok_or_else(|| Refusal::bad_request("message to pin not found"))
}

/// Without a message id: the newest pinned one.
pub(super) fn unpin(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    let chat_id = state.reachable(&params.recipient("chat_id")?)?;
    let named = params.integer("message_id")?;
    let pinned = state.chats.get(&chat_id).and_then(|chat| {
        let mut newest_first = chat.messages.values().rev();
        newest_first.find(|message| message.pinned && named.is_none_or(|id| id == message.message_id))
    });
    let message_id = pinned
        .map(|message| message.message_id)
        .ok_or_else(|| Refusal::bad_request("message to unpin not found"))?;
    state.update_message(chat_id, message_id, |message| message.pinned = false);
    Ok(true.into())
}

pub(super) fn unpin_all(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    let chat_id = state.reachable(&params.recipient("chat_id")?)?;
    if let Some(chat) = state.chats.get_mut(&chat_id) {
        for message in chat.messages.values_mut() {
            message.pinned = false;
        }
    }
    Ok(true.into())
}
