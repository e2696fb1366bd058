//! What the webhook service needs to know, read from the environment.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use tolov_click::{PayLink, SecretKey, link::CLICK_PAY_PAGE};
use tolov_kit::{env::Env, http::TrustedProxies, secret::Secret};
use url::Url;

use crate::ledger::{LedgerPlace, UnverifiedLimits};

#[derive(Debug, Clone)]
pub struct Config {
    /// WEBHOOK_ADDR; this machine alone, unless it says otherwise: a proxy has the certificate.
    pub addr: SocketAddr,
    /// TRUSTED_PROXIES: addresses and networks of proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: TrustedProxies,
    /// LEDGER_URL, or else LEDGER_PATH
    pub ledger: LedgerPlace,
    /// API_TOKEN: what the bot and staff tools show.
    pub api_token: Secret,
    pub click: ClickConfig,
    /// ORDER_TTL: how long an order can be paid. `None`: for ever.
    pub order_ttl: Option<Duration>,
    /// How much is kept of callbacks without a valid signature.
    pub unverified: UnverifiedLimits,
}

#[derive(Debug, Clone)]
pub struct ClickConfig {
    /// CLICK_SECRET_KEY
    pub secret_key: SecretKey,
    /// CLICK_TEST_MODE: payments are tried out, with the sandbox or with CLICK's own tools.
    pub test_mode: bool,
    /// CLICK_SERVICE_ID, CLICK_MERCHANT_ID, CLICK_MERCHANT_USER_ID, and where the payment page is.
    pub pay_link: PayLink,
}

/// The calendar ends some thousand years on.
const ORDER_TTL_MAX: Duration = Duration::from_hours(24 * 3650);

impl Config {
    /// Reads what is there and notes what is missing; the values count only when [`Env::finish`] succeeds.
    pub fn from_env(env: &Env) -> Self {
        Self {
            addr: env.parsed("WEBHOOK_ADDR").unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8000))),
            trusted_proxies: env.parsed("TRUSTED_PROXIES").unwrap_or_default(),
            ledger: ledger_place(env),
            api_token: env
                .secret("API_TOKEN", "the password between the bot and the webhook service; make one up"),
            click: ClickConfig::from_env(env),
            order_ttl: order_ttl(env),
            unverified: UnverifiedLimits::default(),
        }
    }
}

impl ClickConfig {
    /// Whether the Merchant API can be called: it wants CLICK_MERCHANT_USER_ID. The reconciler calls it.
    pub const fn merchant_api(&self) -> bool {
        self.pay_link.merchant_user_id.is_some()
    }

    fn from_env(env: &Env) -> Self {
        let cabinet = "CLICK's cabinet shows it: merchant.click.uz, Services";
        let service_id = env.required_parsed("CLICK_SERVICE_ID", cabinet).unwrap_or(0);
        let merchant_id = env.required_parsed("CLICK_MERCHANT_ID", cabinet).unwrap_or(0);
        let secret_key = env.secret("CLICK_SECRET_KEY", cabinet);
        Self {
            secret_key: SecretKey::new(secret_key.expose()),
            test_mode: env.flag("CLICK_TEST_MODE", false),
            pay_link: PayLink {
                pay_page: pay_page(env),
                service_id,
                merchant_id,
                merchant_user_id: env.parsed("CLICK_MERCHANT_USER_ID"),
                return_url: env.parsed::<Url>("RETURN_URL").map(String::from),
            },
        }
    }
}

/// ORDER_TTL
pub fn order_ttl(env: &Env) -> Option<Duration> {
    let order_ttl = env.duration("ORDER_TTL", Some(Duration::from_mins(45)));
    if order_ttl.is_some_and(|order_ttl| order_ttl > ORDER_TTL_MAX) {
        env.problem("ORDER_TTL", "is longer than 3650 days; write 0 for no limit");
    }
    order_ttl
}

/// LEDGER_URL, the address of a PostgreSQL database, or else the file that LEDGER_PATH names.
pub fn ledger_place(env: &Env) -> LedgerPlace {
    let Some(url) = env.text("LEDGER_URL") else { return LedgerPlace::File(ledger_path(env)) };
    // The text of the error may show what the address holds.
    if Url::parse(&url).is_ok_and(|url| matches!(url.scheme(), "postgres" | "postgresql")) {
        return LedgerPlace::Postgres(Secret::new(url));
    }
    env.problem(
        "LEDGER_URL",
        "write postgres://user:password@host/database, or nothing for a file (LEDGER_PATH)",
    );
    LedgerPlace::File(ledger_path(env))
}

/// LEDGER_PATH
pub fn ledger_path(env: &Env) -> PathBuf {
    env.text("LEDGER_PATH").map_or_else(|| PathBuf::from("payments.db"), PathBuf::from)
}

/// CLICK's own page; the sandbox's while CLICK_TEST_MODE is on.
fn pay_page(env: &Env) -> String {
    if !env.flag("CLICK_TEST_MODE", false) {
        return CLICK_PAY_PAGE.to_owned();
    }
    let sandbox = env.parsed::<Url>("SANDBOX_URL").map(String::from);
    let sandbox = sandbox.unwrap_or_else(|| "http://127.0.0.1:8080".to_owned());
    format!("{}/services/pay", sandbox.trim_end_matches('/'))
}
