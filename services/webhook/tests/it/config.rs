//! The environment of the service.

use std::time::Duration;

use tolov_kit::{env::Env, http::TrustedProxies};
use tolov_webhook::{Config, ledger::LedgerPlace};

const WHOLE: [(&str, &str); 5] = [
    ("API_TOKEN", "a-token"),
    ("CLICK_SERVICE_ID", "12345"),
    ("CLICK_MERCHANT_ID", "678"),
    ("CLICK_SECRET_KEY", "a-key"),
    ("WEBHOOK_ADDR", "127.0.0.1:8001"),
];

fn env(variables: &[(&str, &str)]) -> Env {
    Env::new(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

/// The configuration of a whole environment with one variable more.
fn with(name: &str, value: &str) -> Config {
    let env = env(&[&WHOLE[..], &[(name, value)]].concat());
    let config = Config::from_env(&env);
    env.finish().unwrap();
    config
}

#[test]
fn everything_that_is_missing_is_named_at_once() {
    let env = env(&[("CLICK_MERCHANT_ID", "many"), ("WEBHOOK_ADDR", "nowhere"), ("ORDER_TTL", "soon")]);
    let _ = Config::from_env(&env);
    let problems = env.finish().unwrap_err().to_string();
    for name in [
        "API_TOKEN",
        "CLICK_SERVICE_ID",
        "CLICK_MERCHANT_ID",
        "CLICK_SECRET_KEY",
        "WEBHOOK_ADDR",
        "ORDER_TTL",
    ] {
        assert!(problems.contains(name), "{name} is not named in {problems}");
    }
}

#[test]
fn a_time_limit_beyond_the_calendar_is_refused_at_start() {
    let env = env(&[&WHOLE[..], &[("ORDER_TTL", "500000000d")]].concat());
    let _ = Config::from_env(&env);
    assert!(env.finish().unwrap_err().to_string().contains("ORDER_TTL is longer than ten years"));
    assert_eq!(with("ORDER_TTL", "3650d").order_ttl, Some(Duration::from_hours(24 * 3650)));
}

#[test]
fn trusted_proxies_are_addresses_and_networks_and_none_by_default() {
    assert_eq!(with("LEDGER_PATH", "").trusted_proxies, TrustedProxies::default());
    let config = with("TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/28");
    assert!(config.trusted_proxies.contains("10.0.0.9".parse().unwrap()));
    let env = env(&[&WHOLE[..], &[("TRUSTED_PROXIES", "caddy")]].concat());
    let _ = Config::from_env(&env);
    assert!(env.finish().unwrap_err().to_string().contains("TRUSTED_PROXIES"));
}

#[test]
fn what_is_not_said_has_the_usual_value() {
    let config = with("LEDGER_PATH", "");
    assert_eq!(config.ledger, LedgerPlace::File("payments.db".into()));
    assert_eq!(config.order_ttl, Some(Duration::from_mins(45)));
    assert_eq!(config.click.pay_link.pay_page, "https://my.click.uz/services/pay");
    assert_eq!(with("ORDER_TTL", "0").order_ttl, None);
}

#[test]
fn in_test_mode_the_pay_link_leads_to_the_sandbox() {
    assert_eq!(with("CLICK_TEST_MODE", "true").click.pay_link.pay_page, "http://127.0.0.1:8080/services/pay");
    let env = env(&[&WHOLE[..], &[("CLICK_TEST_MODE", "1"), ("SANDBOX_URL", "https://pay.test/")]].concat());
    assert_eq!(Config::from_env(&env).click.pay_link.pay_page, "https://pay.test/services/pay");
}

#[test]
fn a_configuration_that_is_printed_shows_no_secret() {
    let printed = format!("{:?}", with("LEDGER_PATH", "x.db"));
    assert!(!printed.contains("a-token") && !printed.contains("a-key"), "{printed}");
}

#[test]
fn the_ledger_is_a_file_unless_an_address_of_postgresql_is_given() {
    let place = with("LEDGER_URL", "postgres://tolov:hidden@db.example/ledger").ledger;
    assert!(matches!(&place, LedgerPlace::Postgres(url) if url.expose().contains("hidden")));
    assert!(!format!("{place} {place:?}").contains("hidden"), "{place}");
    assert!(place.to_string().contains("db.example/ledger"));
    let env = env(&[&WHOLE[..], &[("LEDGER_URL", "mysql://tolov:hidden@db.example/ledger")]].concat());
    let _ = Config::from_env(&env);
    let problem = env.finish().unwrap_err().to_string();
    assert!(problem.contains("LEDGER_URL") && !problem.contains("hidden"), "{problem}");
}
