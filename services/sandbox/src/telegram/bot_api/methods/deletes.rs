//! deleteMessage and deleteMessages. Deleted messages stay in the log.

use serde_json::Value;

use crate::telegram::{bot_api::params::Params, refusal::Refusal, state::State};

const MAX_AT_ONCE: usize = 100;

pub(super) fn delete_message(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    let chat_id = state.reachable(&params.recipient("chat_id")?)?;
    let message_id = params.message_id()?;
    if delete(state, chat_id, message_id) {
        Ok(true.into())
    } else {
        Err(Refusal::bad_request("message to delete not found"))
    }
}

/// Unknown ids are skipped, as with Telegram.
pub(super) fn delete_messages(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    let chat_id = state.reachable(&params.recipient("chat_id")?)?;
    let ids = params
        .json("message_ids")?
        .and_then(|ids| serde_json::from_value::<Vec<i64>>(ids).ok())
        .filter(|ids| !ids.is_empty())
        .ok_or_else(|| Refusal::bad_request("message identifiers are not specified"))?;
    if ids.len() > MAX_AT_ONCE {
        return Err(Refusal::bad_request("too many message identifiers specified"));
    }
    for message_id in ids {
        delete(state, chat_id, message_id);
    }
    Ok(true.into())
}

fn delete(state: &mut State, chat_id: i64, message_id: i64) -> bool {
    let now_ms = state.now_ms;
    state.update_message(chat_id, message_id, |message| message.deleted_at_ms = Some(now_ms)).is_some()
}
