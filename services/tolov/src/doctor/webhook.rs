//! The webhook service as the bot reaches it.

use serde_json::Value;
use tolov_kit::secret::Secret;
use url::Url;

use super::report::{Finding, why};
use crate::cli::DoctorRole;

/// Events that wait longer are reported.
const OUTBOX_OLD_MS: i64 = 60_000;

/// For a bot on its own, a webhook service that is away means that nobody can pay; a whole installation may be checked
/// before its start.
pub(super) async fn check(
    http: &reqwest::Client,
    url: &Url,
    api_token: Option<&Secret>,
    asked_for: DoctorRole,
) -> Vec<Finding> {
    let away = |detail: String| {
        let found = match asked_for {
            DoctorRole::Bot | DoctorRole::Reconciler => Finding::bad("webhook-away"),
            DoctorRole::All | DoctorRole::Webhook | DoctorRole::Projector => {
                Finding::doubtful("webhook-away")
            }
        };
        vec![found.with("url", url).with("detail", detail)]
    };
    let Ok(ready_url) = url.join("/ready") else { return away("?".to_owned()) };
    let token = api_token.map_or("", Secret::expose);
    let answer = match http.get(ready_url).bearer_auth(token).send().await {
        Ok(answer) => answer,
        Err(error) => return away(why(error)),
    };
    if answer.status() == reqwest::StatusCode::UNAUTHORIZED {
        return vec![match api_token {
            Some(_) => Finding::bad("api-token-refused"),
            // It answers; more it tells to nobody without the token.
            None => Finding::good("webhook-good").with("url", url),
        }];
    }
    let ready: Value = match answer.json().await {
        Ok(ready) => ready,
        Err(error) => return away(why(error)),
    };
    let status = ready["status"].as_str().unwrap_or("?").to_owned();
    let mut findings = Vec::new();
    if status == "ready" {
        findings.push(Finding::good("webhook-good").with("url", url));
    } else {
        findings.push(Finding::bad("webhook-not-ready").with("status", status));
    }
    let oldest_ms = ready["outbox"]["oldest_age_ms"].as_i64().unwrap_or(0);
    if oldest_ms > OUTBOX_OLD_MS {
        let old = Finding::bad("outbox-old").with("seconds", oldest_ms / 1000);
        findings.push(old.with("depth", ready["outbox"]["depth"].as_i64().unwrap_or(0)));
    }
    if api_token.is_some() {
        findings.push(Finding::good("api-token-good"));
    }
    findings
}
