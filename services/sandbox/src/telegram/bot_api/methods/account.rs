//! The bot itself: getMe and its commands.

use serde_json::{Value, json};

use crate::telegram::{
    bot_api::params::Params,
    refusal::Refusal,
    state::{State, chat::bot_user},
};

pub(super) fn get_me(state: &State) -> Value {
    let mut me = bot_user(state.bot_id, &state.bot);
    me["can_join_groups"] = true.into();
    me["supports_inline_queries"] = true.into();
    for name in ["can_read_all_group_messages", "can_connect_to_business", "has_main_web_app"] {
        me[name] = false.into();
    }
    me
}

/// The key of a list of commands: the scope's JSON text and the language.
fn scope(params: &Params) -> Result<(String, String), Refusal> {
    let scope = params.json("scope")?.unwrap_or_else(|| json!({ "type": "default" }));
    Ok((scope.to_string(), params.text("language_code").unwrap_or_default()))
}

const MAX_COMMANDS: usize = 100;
const MAX_SCOPES: usize = 1_000;

pub(super) fn set_my_commands(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    let commands = params.json("commands")?.unwrap_or_else(|| json!([]));
    let list = commands.as_array().ok_or_else(|| Refusal::bad_request("expected an Array of BotCommand"))?;
    if list.len() > MAX_COMMANDS {
        return Err(Refusal::bad_request("BOT_COMMANDS_TOO_MUCH"));
    }
    for command in list {
        let field = |name: &str| command.get(name).and_then(Value::as_str).unwrap_or_default();
        let name = field("command").trim_start_matches('/');
        let known =
            name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !known || !(1..=32).contains(&name.len()) {
            return Err(Refusal::bad_request("BOT_COMMAND_INVALID"));
        }
        if !(1..=256).contains(&field("description").chars().count()) {
            return Err(Refusal::bad_request("BOT_COMMAND_DESCRIPTION_INVALID"));
        }
    }
    let scope = scope(params)?;
    if state.commands.len() >= MAX_SCOPES && !state.commands.contains_key(&scope) {
        return Err(Refusal::bad_request("too many command scopes for the sandbox"));
    }
    state.commands.insert(scope, commands);
    Ok(true.into())
}

pub(super) fn get_my_commands(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    Ok(state.commands.get(&scope(params)?).cloned().unwrap_or_else(|| json!([])))
}

pub(super) fn delete_my_commands(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    state.commands.remove(&scope(params)?);
    Ok(true.into())
}
