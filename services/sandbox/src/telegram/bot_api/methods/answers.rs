//! Answers to callback and inline queries.

use serde_json::{Value, json};

use crate::telegram::{
    bot_api::params::Params,
    refusal::Refusal,
    state::{State, formatting::utf16_len, records::CallbackAnswer},
};

const MAX_ANSWER_UTF16: usize = 200;
const MAX_INLINE_RESULTS: usize = 50;

pub(super) fn callback_query(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    let answer = CallbackAnswer {
        text: params.text("text").filter(|text| !text.is_empty()),
        show_alert: params.flag("show_alert"),
        url: params.text("url"),
    };
    if answer.text.as_deref().is_some_and(|text| utf16_len(text) > MAX_ANSWER_UTF16) {
        return Err(Refusal::bad_request("MESSAGE_TOO_LONG"));
    }
    let id = params.text("callback_query_id").unwrap_or_default();
    let query = state.callbacks.find_mut(|query| query.id == id).ok_or_else(too_old)?;
    // Telegram shows the first answer only.
    query.answer.get_or_insert(answer);
    Ok(true.into())
}

pub(super) fn inline_query(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    let id = params.text("inline_query_id").unwrap_or_default();
    let results = params.json("results")?.unwrap_or_else(|| json!([]));
    if results.as_array().is_some_and(|results| results.len() > MAX_INLINE_RESULTS) {
        return Err(Refusal::bad_request("RESULTS_TOO_MUCH"));
    }
    let (_, answer) = state.inline_answers.find_mut(|(known, _)| *known == id).ok_or_else(too_old)?;
    *answer = results;
    Ok(true.into())
}

fn too_old() -> Refusal {
    Refusal::bad_request("query is too old and response timeout expired or query ID is invalid")
}
