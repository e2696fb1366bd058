//! The address that CLICK calls: whether it leads here, and whether the service there has our key. Sends two Prepares
//! without effect: a forged one, and a genuine one for order 0, which cannot exist.

use serde_json::Value;
use time::macros::format_description;
use tolov_click::{ClickCode, SecretKey, sign::sign_prepare};
use tolov_domain::time::TASHKENT;
use tolov_kit::clock::{Clock, SystemClock};
use tolov_webhook::{ClickConfig, http::CLICK_PATH};
use url::Url;

use super::{
    clock::ClockSeen,
    report::{Finding, why},
    settings::Settings,
};

/// No order has this number.
const NO_ORDER: &str = "0";

pub(super) async fn check(http: &reqwest::Client, settings: &Settings) -> (Vec<Finding>, Option<ClockSeen>) {
    let Some(click) = &settings.click else { return (Vec::new(), None) };
    let Some(public) = &settings.public_url else {
        return (vec![Finding::doubtful("public-not-given")], None);
    };
    let mut findings = Vec::new();
    if public.scheme() != "https" {
        findings.push(Finding::doubtful("public-no-tls").with("url", public));
    }
    let Ok(callback) = public.join(CLICK_PATH) else { return (findings, None) };
    let forged = prepare(http, &callback, click, &SecretKey::new("no key of any merchant")).await;
    let clock = forged.as_ref().ok().and_then(|(_, clock)| *clock);
    match forged {
        Err(detail) => {
            findings.push(Finding::bad("public-away").with("url", &callback).with("detail", detail));
        }
        Ok((Some(code), _)) if code == i64::from(ClickCode::SignCheckFailed.code()) => {
            findings.push(check_key(http, &callback, click).await);
            findings.extend(check_inside(http, public).await);
        }
        Ok((code, _)) => {
            let code = code.map_or_else(|| "?".to_owned(), |code| code.to_string());
            findings.push(Finding::bad("public-not-ours").with("url", &callback).with("code", code));
        }
    }
    (findings, clock)
}

/// -5 says that the signature was valid and the order was not found.
async fn check_key(http: &reqwest::Client, callback: &Url, click: &ClickConfig) -> Finding {
    match prepare(http, callback, click, &click.secret_key).await {
        Ok((Some(code), _)) if code == i64::from(ClickCode::UserDoesNotExist.code()) => {
            Finding::good("public-good").with("url", callback)
        }
        Ok((Some(code), _)) if code == i64::from(ClickCode::SignCheckFailed.code()) => {
            Finding::bad("public-other-key")
        }
        Ok((Some(code), _)) if code == i64::from(ClickCode::ErrorInRequest.code()) => {
            Finding::bad("public-other-service").with("service", click.pay_link.service_id)
        }
        Ok((code, _)) => {
            let code = code.map_or_else(|| "?".to_owned(), |code| code.to_string());
            Finding::bad("public-not-ours").with("url", callback).with("code", code)
        }
        Err(detail) => Finding::bad("public-away").with("url", callback).with("detail", detail),
    }
}

/// Only CLICK's path needs to be public.
async fn check_inside(http: &reqwest::Client, public: &Url) -> Option<Finding> {
    let answer = http.get(public.join("/ready").ok()?).send().await.ok()?;
    // It asks for the token: a proxy that passes CLICK's path alone would not let it be found.
    (answer.status() == reqwest::StatusCode::UNAUTHORIZED)
        .then(|| Finding::doubtful("public-inside-open").with("url", public))
}

/// Sends a Prepare; returns the `error` of the answer, and the clock of the other side.
async fn prepare(
    http: &reqwest::Client,
    callback: &Url,
    click: &ClickConfig,
    key: &SecretKey,
) -> Result<(Option<i64>, Option<ClockSeen>), String> {
    let service_id = click.pay_link.service_id.to_string();
    let form = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    let sign_time = SystemClock.now().to_offset(TASHKENT).format(form).map_err(|error| error.to_string())?;
    let sign_string = sign_prepare(key, "1", &service_id, NO_ORDER, "1000", &sign_time);
    let fields = [
        ("click_trans_id", "1"),
        ("service_id", &service_id),
        ("click_paydoc_id", "1"),
        ("merchant_trans_id", NO_ORDER),
        ("amount", "1000"),
        ("action", "0"),
        ("error", "0"),
        ("error_note", "tolov doctor"),
        ("sign_time", &sign_time),
        ("sign_string", &sign_string),
    ];
    let answer = http.post(callback.clone()).form(&fields).send().await.map_err(why)?;
    let clock = ClockSeen::of(&answer);
    let body: Option<Value> = answer.json().await.ok();
    Ok((body.and_then(|body| body["error"].as_i64()), clock))
}
