//! What the reconciler needs to know, read from the environment.

use std::time::Duration;

use tolov_click::{
    SecretKey,
    merchant_api::{CLICK_MERCHANT_API, CommissionInfo},
};
use tolov_kit::{env::Env, secret::Secret};
use url::Url;

use crate::receipts::ReceiptSettings;

/// For how long receipts are sent where RECEIPT_DEADLINE says nothing else.
const DEADLINE: Duration = Duration::from_hours(24);

#[derive(Debug, Clone)]
pub struct Config {
    /// CLICK_SERVICE_ID
    pub service_id: i64,
    /// CLICK_MERCHANT_USER_ID
    pub merchant_user_id: i64,
    /// CLICK_SECRET_KEY
    pub secret_key: SecretKey,
    /// CLICK_MERCHANT_API_URL: CLICK's own address; the sandbox's while CLICK_TEST_MODE is on.
    pub merchant_api_url: Url,
    /// WEBHOOK_URL
    pub webhook_url: Url,
    /// API_TOKEN
    pub api_token: Secret,
    /// CLICK_RECONCILE_ACCEPT: a payment that CLICK shows as paid makes the order paid (`auto`), or staff are asked (`ask`).
    pub accepts: bool,
    /// CLICK_RECEIPTS: what fiscal receipts need; `None`: CLICK makes none for this shop.
    pub receipts: Option<ReceiptSettings>,
    /// RESTORE_CHECK: after a restore of the ledger Prepares wait until CLICK was asked for what it lost (`before`), or do not
    /// (`parallel`).
    pub restore_in_parallel: bool,
}

impl Config {
    /// `None` without CLICK_MERCHANT_USER_ID: the Merchant API is not used. The values count only when [`Env::finish`]
    /// succeeds.
    pub fn from_env(env: &Env) -> Option<Self> {
        env.text("CLICK_MERCHANT_USER_ID")?;
        let cabinet = "CLICK's cabinet shows it: merchant.click.uz, Services";
        let merchant_user_id = env.parsed("CLICK_MERCHANT_USER_ID").unwrap_or(0);
        let service_id = env.required_parsed("CLICK_SERVICE_ID", cabinet).unwrap_or(0);
        let secret_key = SecretKey::new(env.secret("CLICK_SECRET_KEY", cabinet).expose());
        let api_token = env.secret("API_TOKEN", "the same that the webhook service has");
        let default_webhook = address("http://127.0.0.1:8000/");
        Some(Self {
            service_id,
            merchant_user_id,
            secret_key,
            merchant_api_url: merchant_api_url(env),
            webhook_url: env.parsed("WEBHOOK_URL").unwrap_or(default_webhook),
            api_token,
            accepts: accepts(env),
            receipts: receipts(env),
            restore_in_parallel: is_second(env, "RESTORE_CHECK", ["before", "parallel"]),
        })
    }
}

fn merchant_api_url(env: &Env) -> Url {
    let is_test = env.flag("CLICK_TEST_MODE", false);
    let given: Option<Url> = env.parsed("CLICK_MERCHANT_API_URL");
    if let Some(url) = given {
        let is_safe = url.scheme() == "https" || is_test;
        if !is_safe {
            env.problem("CLICK_MERCHANT_API_URL", "must begin with https:// outside of CLICK_TEST_MODE");
        }
        return url;
    }
    if !is_test {
        return address(CLICK_MERCHANT_API);
    }
    env.parsed("SANDBOX_URL").unwrap_or_else(|| address("http://127.0.0.1:8080/"))
}

/// RECEIPT_SELLER and RECEIPT_DEADLINE, where CLICK_RECEIPTS is on.
fn receipts(env: &Env) -> Option<ReceiptSettings> {
    if !env.flag("CLICK_RECEIPTS", false) {
        return None;
    }
    let seller = env.text("RECEIPT_SELLER").unwrap_or_default();
    let seller = CommissionInfo::parse(&seller).unwrap_or_else(|| {
        env.problem("RECEIPT_SELLER", "must be the seller's TIN, 9 digits, or PINFL, 14 digits");
        CommissionInfo::Tin(String::new())
    });
    let deadline = env.duration("RECEIPT_DEADLINE", Some(DEADLINE)).unwrap_or(DEADLINE);
    let deadline = time::Duration::try_from(deadline).unwrap_or(time::Duration::DAY);
    Some(ReceiptSettings { seller, deadline })
}

/// CLICK_RECONCILE_ACCEPT.
pub fn accepts(env: &Env) -> bool {
    is_second(env, "CLICK_RECONCILE_ACCEPT", ["ask", "auto"])
}

/// Whether a setting has the second of its two values; the first is the default.
fn is_second(env: &Env, name: &'static str, [first, second]: [&str; 2]) -> bool {
    let value = env.text(name).unwrap_or_else(|| first.to_owned());
    if value != first && value != second {
        env.problem(name, format_args!("is neither {first} nor {second}"));
    }
    value == second
}

#[expect(clippy::expect_used, reason = "the addresses are constants")]
fn address(text: &str) -> Url {
    Url::parse(text).expect("a constant address")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Env {
        let known = [
            ("CLICK_SERVICE_ID", "12345"),
            ("CLICK_MERCHANT_USER_ID", "4321"),
            ("CLICK_SECRET_KEY", "a key"),
            ("API_TOKEN", "a token"),
        ];
        let all = known.iter().chain(pairs);
        Env::new(all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn without_a_merchant_user_there_is_nothing_to_run() {
        assert!(Config::from_env(&Env::new([])).is_none());
    }

    #[test]
    fn the_address_is_clicks_own_and_the_sandboxs_in_test_mode() {
        let url =
            |pairs: &[(&str, &str)]| Config::from_env(&env(pairs)).unwrap().merchant_api_url.to_string();
        assert_eq!(url(&[]), "https://api.click.uz/");
        let test = [("CLICK_TEST_MODE", "true"), ("SANDBOX_URL", "http://sandbox:8080")];
        assert_eq!(url(&test), "http://sandbox:8080/");
    }

    #[test]
    fn receipts_are_off_unless_they_are_switched_on_with_a_seller() {
        let receipts = |pairs: &[(&str, &str)]| Config::from_env(&env(pairs)).unwrap().receipts;
        assert!(receipts(&[("RECEIPT_SELLER", "123456789")]).is_none());
        let on = receipts(&[("CLICK_RECEIPTS", "on"), ("RECEIPT_SELLER", "123456789")]).unwrap();
        assert_eq!(on.deadline, time::Duration::DAY);
        let env = env(&[("CLICK_RECEIPTS", "on")]);
        Config::from_env(&env).unwrap();
        assert!(env.finish().unwrap_err().to_string().contains("RECEIPT_SELLER"));
    }

    #[test]
    fn settings_that_cannot_be_meant_are_named() {
        let env = env(&[
            ("CLICK_MERCHANT_API_URL", "http://api.click.uz"),
            ("CLICK_RECONCILE_ACCEPT", "maybe"),
            ("RESTORE_CHECK", "no"),
        ]);
        let config = Config::from_env(&env).unwrap();
        assert!(!config.accepts);
        let problems = env.finish().unwrap_err().to_string();
        for name in ["CLICK_MERCHANT_API_URL", "CLICK_RECONCILE_ACCEPT", "RESTORE_CHECK"] {
            assert!(problems.contains(name), "{problems}");
        }
    }
}
