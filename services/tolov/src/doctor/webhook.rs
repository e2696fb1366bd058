//! The webhook service as the bot reaches it.

use serde_json::Value;
use tolov_kit::secret::Secret;
use url::Url;

use super::{report::Finding, why};
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
            DoctorRole::Bot => Finding::bad("webhook-away"),
            DoctorRole::All | DoctorRole::Webhook | DoctorRole::Projector => {
                Finding::doubtful("webhook-away")
            }
        };
        vec![found.with("url", url).with("detail", detail)]
    };
    let Ok(ready_url) = url.join("/ready") else { return away("?".to_owned()) };
    let ready: Value = match http.get(ready_url).send().await {
        Ok(answer) => match answer.json().await {
            Ok(ready) => ready,
            Err(error) => return away(why(error)),
        },
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
    if let (Some(token), Ok(orders)) = (api_token, url.join("/orders?limit=1")) {
        match http.get(orders).bearer_auth(token.expose()).send().await {
            Ok(answer) if answer.status().is_success() => findings.push(Finding::good("api-token-good")),
            Ok(answer) if answer.status() == reqwest::StatusCode::UNAUTHORIZED => {
                findings.push(Finding::bad("api-token-refused"));
            }
            Ok(answer) => findings.extend(away(answer.status().to_string())),
            Err(error) => findings.extend(away(why(error))),
        }
    }
    findings
}
