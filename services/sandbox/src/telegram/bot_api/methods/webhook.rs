//! setWebhook and deleteWebhook.

use serde_json::Value;
use tolov_kit::secret::Secret;

use crate::telegram::{
    bot_api::params::Params,
    refusal::Refusal,
    state::{State, updates::Webhook},
};

pub(super) fn set(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    let url = params.text("url").unwrap_or_default();
    if url.is_empty() {
        return delete(state, params);
    }
    // Telegram wants HTTPS; a bot beside the sandbox needs none.
    if !url::Url::parse(&url).is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
        return Err(Refusal::bad_request("bad webhook: invalid webhook URL specified"));
    }
    set_allowed(state, params)?;
    Ok(set_or_delete(
        state,
        params,
        Some(Webhook {
            url,
            secret_token: params.text("secret_token").map(Secret::new),
            max_connections: params.integer("max_connections")?.unwrap_or(40),
            last_error: None,
        }),
    ))
}

#[expect(clippy::unnecessary_wraps, reason = "every method of the table has this form")]
pub(super) fn delete(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    Ok(set_or_delete(state, params, None))
}

fn set_or_delete(state: &mut State, params: &Params, webhook: Option<Webhook>) -> Value {
    if params.flag("drop_pending_updates") {
        state.updates.pending.clear();
    }
    state.updates.webhook = webhook;
    true.into()
}

/// `allowed_updates`, if it was sent.
pub(in crate::telegram::bot_api) fn set_allowed(state: &mut State, params: &Params) -> Result<(), Refusal> {
    if let Some(allowed) = params.json("allowed_updates")? {
        state.updates.allowed = serde_json::from_value(allowed)
            .map_err(|_| Refusal::bad_request("can't parse allowed_updates JSON array"))?;
    }
    Ok(())
}
