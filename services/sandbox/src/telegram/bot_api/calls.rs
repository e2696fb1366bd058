//! A call of the Bot API, from its token to its answer.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    methods::{self, GET_UPDATES, Method, MethodKind},
    params::Params,
};
use crate::{
    monitor::TraceEvent,
    telegram::{
        emulator::Telegram,
        refusal::Refusal,
        state::{
            State,
            chat::Chat,
            faults::FaultEffect,
            records::{Call, CallOutcome},
        },
    },
};

#[derive(Debug)]
pub(crate) enum Answer {
    Json {
        status: u16,
        body: Value,
    },
    /// The connection breaks instead.
    Lost,
}

const MAX_DELAY: Duration = Duration::from_mins(2);
/// Of a token `ID:SECRET`.
const MIN_SECRET_LENGTH: usize = 3;

impl From<Result<Value, Refusal>> for Answer {
    fn from(result: Result<Value, Refusal>) -> Self {
        match result {
            Ok(result) => Self::Json { status: 200, body: json!({ "ok": true, "result": result }) },
            Err(refusal) => Self::Json { status: refusal.error_code, body: refusal.to_json() },
        }
    }
}

impl Telegram {
    pub(crate) async fn call(&self, token: &str, method: &str, params: Result<Params, Refusal>) -> Answer {
        let Some(bot_id) = self.bot_id(token) else { return Err(Refusal::unauthorized()).into() };
        let Some(method) = methods::find(method) else { return Err(Refusal::method_not_found()).into() };
        let params = match params {
            Ok(params) => params,
            Err(refusal) => return Err(refusal).into(),
        };
        if !self.inner.switch.is_on() {
            return self.refuse(method, &params, Refusal::server_error());
        }
        let effect = self.change(|state| {
            state.bot_id = bot_id;
            state.faults.take(method.name, chat_id(state, &params))
        });
        let (mut lost, mut late_ms) = (false, 0);
        match effect {
            None => {}
            Some(FaultEffect::Delay { delay_ms }) => self.delay(delay_ms).await,
            Some(FaultEffect::LateAnswer { delay_ms }) => late_ms = delay_ms,
            Some(FaultEffect::LostAnswer) => lost = true,
            Some(FaultEffect::TooManyRequests { retry_after_s }) => {
                return self.refuse(method, &params, Refusal::too_many_requests(retry_after_s));
            }
            Some(FaultEffect::Blocked) => return self.refuse(method, &params, Refusal::blocked()),
            Some(FaultEffect::ServerError) => return self.refuse(method, &params, Refusal::server_error()),
            Some(FaultEffect::Migrated { to_chat_id }) => {
                return self.refuse(method, &params, Refusal::migrated(to_chat_id));
            }
            Some(FaultEffect::Refusal { error_code, description }) => {
                return self.refuse(method, &params, Refusal::new(error_code, description));
            }
        }
        let result = if method.name == GET_UPDATES {
            self.get_updates(&params).await
        } else {
            self.execute(method, &params, lost)
        };
        self.delay(late_ms).await;
        if lost { Answer::Lost } else { result.into() }
    }

    pub(crate) fn download(&self, token: &str, file_path: &str) -> Result<Bytes, Refusal> {
        self.bot_id(token).ok_or_else(Refusal::unauthorized)?;
        self.read(|state| state.files.content(file_path)).ok_or_else(|| Refusal::new(404, "Not Found"))
    }

    /// The bot's id: the number before the token's colon.
    fn bot_id(&self, token: &str) -> Option<i64> {
        let (id, secret) = token.split_once(':')?;
        let expected = self.inner.config.bot_token.as_ref();
        let well_formed = secret.len() >= MIN_SECRET_LENGTH
            && secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        let is_accepted = expected.is_none_or(|expected| expected.expose() == token);
        id.parse().ok().filter(|id| *id > 0 && well_formed && is_accepted)
    }

    fn execute(&self, method: &Method, params: &Params, lost: bool) -> Result<Value, Refusal> {
        let (result, call) = self.change(|state| {
            let result = check_limits(state, method, params).and_then(|()| (method.run)(state, params));
            let call = record_call(state, method, params, &result, lost);
            (result, call)
        });
        self.trace(method, call, &result);
        result
    }

    fn refuse(&self, method: &Method, params: &Params, refusal: Refusal) -> Answer {
        let result = Err(refusal);
        let call = self.change(|state| record_call(state, method, params, &result, false));
        self.trace(method, call, &result);
        result.into()
    }

    /// Adds a sent message to the traces of the orders that it names.
    fn trace(&self, method: &Method, call: Option<Call>, result: &Result<Value, Refusal>) {
        let Some(call) = call.filter(|_| method.kind == MethodKind::Send) else { return };
        let (outcome, answer) = match result {
            Ok(sent) => ("200".to_owned(), json!({ "ok": true, "result": sent })),
            Err(refusal) => (format!("{} {}", refusal.error_code, refusal.description), refusal.to_json()),
        };
        let to = call.chat_id.map_or_else(String::new, |chat_id| format!(" to {chat_id}"));
        let event = TraceEvent::new("telegram", format!("{}{to} → {outcome}", call.method))
            .ok(result.is_ok())
            .facts(json!({ "chat_id": call.chat_id, "message_id": call.message_id }))
            .payload(&json!({ "call": call, "answer": answer }));
        let is_to_shopper = call.chat_id.is_some_and(|chat_id| chat_id > 0);
        self.inner.trace.record_message(event, call.text.as_deref().unwrap_or_default(), is_to_shopper);
    }

    async fn delay(&self, delay_ms: u64) {
        let delay = Duration::from_millis(delay_ms).min(MAX_DELAY);
        if !delay.is_zero() {
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = self.stopping() => {}
            }
        }
    }
}

fn chat_id(state: &State, params: &Params) -> Option<i64> {
    let recipient = params.recipient("chat_id").ok()?;
    state.chat(&recipient).ok().map(Chat::id)
}

fn check_limits(state: &mut State, method: &Method, params: &Params) -> Result<(), Refusal> {
    if method.kind != MethodKind::Send {
        return Ok(());
    }
    let Some(chat_id) = chat_id(state, params) else { return Ok(()) };
    let is_channel = state.chats.get(&chat_id).is_some_and(|chat| chat.shopper().is_none());
    let now_ms = state.now_ms;
    let Some(limits) = &mut state.limits else { return Ok(()) };
    limits.count(chat_id, is_channel, now_ms).map_err(Refusal::too_many_requests)
}

/// Keeps every call but polls, which would displace all others.
fn record_call(
    state: &mut State,
    method: &Method,
    params: &Params,
    result: &Result<Value, Refusal>,
    lost: bool,
) -> Option<Call> {
    if method.name == GET_UPDATES {
        return None;
    }
    let outcome = match result {
        Ok(_) if lost => CallOutcome::AnswerLost,
        Ok(_) => CallOutcome::Done,
        Err(refusal) => {
            CallOutcome::Refused { error_code: refusal.error_code, description: refusal.description.clone() }
        }
    };
    let sent = result.as_ref().ok().and_then(|sent| sent.get("message_id")).and_then(Value::as_i64);
    let call = Call {
        at_ms: state.now_ms,
        method: method.name.to_owned(),
        chat_id: chat_id(state, params),
        message_id: sent.or_else(|| params.message_id().ok()),
        text: params.text("text").or_else(|| params.text("caption")),
        outcome,
    };
    state.calls.push(call.clone());
    Some(call)
}
