//! Every variable: whether it is set, whether it can be read, and whether it has the right form.

use std::{os::unix::fs::PermissionsExt, path::Path};

use tolov_bot::Config as BotConfig;
use tolov_kit::{
    env::{Env, EnvError, NO_WHOLE_NUMBER},
    secret::Secret,
};
use tolov_webhook::ClickConfig;
use url::Url;

use super::report::Finding;
use crate::{
    adapters::{BusAddress, Embedded, ShopAddress},
    cli::DoctorRole,
    data_folder::DataFolder,
    environment::{VARIABLES, local_defaults},
    roles::status_page,
};

const API_TOKEN_MIN_CHARS: usize = 16;

/// What could be read; the other checks go on with it.
pub(super) struct Settings {
    pub(super) data: DataFolder,
    pub(super) bus: Option<BusAddress>,
    pub(super) shop: Option<ShopAddress>,
    pub(super) bot: Option<BotConfig>,
    pub(super) click: Option<ClickConfig>,
    /// `None`: CLICK's Merchant API is not used.
    pub(super) reconciler: Option<tolov_reconciler::Config>,
    pub(super) webhook_url: Option<Url>,
    pub(super) public_url: Option<Url>,
    pub(super) api_token: Option<Secret>,
    /// Variables that are missing or cannot be read: nothing else about them is worth saying.
    wrong: Vec<String>,
}

impl Settings {
    /// What is not about the stand-in of a wrong value. An owner who could be read is none.
    pub(super) fn worth_saying(&self, findings: Vec<Finding>) -> Vec<Finding> {
        let about_a_stand_in = |finding: &Finding| {
            !finding.key.starts_with("owner-") && self.wrong.iter().any(|name| finding.is_about(name))
        };
        findings.into_iter().filter(|finding| !about_a_stand_in(finding)).collect()
    }
}

pub(super) fn read(env: &Env, role: DoctorRole) -> (Settings, Vec<Finding>) {
    let is_for = |roles: &[DoctorRole]| role == DoctorRole::All || roles.contains(&role);
    let embedded = if role == DoctorRole::All { Embedded::Allowed } else { Embedded::Refused };
    let webhook = is_for(&[DoctorRole::Webhook]).then(|| tolov_webhook::Config::from_env(env));
    let bot = is_for(&[DoctorRole::Bot]).then(|| BotConfig::from_env(env));
    let reconciler =
        is_for(&[DoctorRole::Reconciler]).then(|| tolov_reconciler::Config::from_env(env)).flatten();
    let bus = (role != DoctorRole::Reconciler).then(|| BusAddress::from_env(env, embedded));
    let shop =
        is_for(&[DoctorRole::Projector, DoctorRole::Bot]).then(|| ShopAddress::from_env(env, embedded));
    // The bot's default.
    let webhook_url = env
        .parsed::<Url>("WEBHOOK_URL")
        .or_else(|| bot.as_ref().map(|bot| bot.webhook_url.clone()))
        .or_else(|| reconciler.as_ref().map(|reconciler| reconciler.webhook_url.clone()));
    let public_url = env.parsed::<Url>("PUBLIC_URL");
    status_page::address(env);
    let problems = env.finish().err().map_or_else(Vec::new, |EnvError(problems)| problems);
    let names_wrong: Vec<String> =
        problems.iter().filter_map(|problem| Some(problem.split_once(' ')?.0.to_owned())).collect();
    let wrong = |name: &str| names_wrong.iter().any(|wrong| wrong == name);
    let mut findings = given(env);
    findings.extend(problems.iter().filter_map(|problem| variable_problem(problem)));
    let odd = env.warnings().into_iter().filter(|warning| !problems.contains(warning));
    findings.extend(odd.filter_map(|warning| odd_variable(&warning)));
    findings.extend(forms(env, role));
    let of_the_shop = bot.as_ref().map_or_else(Vec::new, of_the_shop);
    findings.extend(secret_files(env));
    if webhook.as_ref().is_some_and(|webhook| has_unknown_proxy(webhook, public_url.as_ref())) {
        findings.push(Finding::doubtful("proxy-unknown"));
    }
    let click_is_known =
        !["CLICK_SERVICE_ID", "CLICK_MERCHANT_ID", "CLICK_SECRET_KEY"].into_iter().any(wrong);
    let settings = Settings {
        data: DataFolder::from_env(env),
        bus: bus.filter(|_| !wrong("AMQP_URL")),
        shop: shop.filter(|_| !wrong("MONGO_URL")),
        bot: bot.filter(|_| !wrong("BOT_TOKEN")),
        click: webhook.filter(|_| click_is_known).map(|webhook| webhook.click),
        reconciler: reconciler.filter(|_| !["CLICK_SERVICE_ID", "CLICK_SECRET_KEY"].into_iter().any(wrong)),
        webhook_url,
        public_url,
        api_token: env.text("API_TOKEN").map(Secret::new),
        wrong: names_wrong,
    };
    findings.extend(settings.worth_saying(of_the_shop));
    if let Some(click) = &settings.click {
        let link = &click.pay_link;
        findings.push(
            Finding::good("click-settings")
                .with("service", link.service_id)
                .with("merchant", link.merchant_id),
        );
    }
    (settings, findings)
}

/// Whether all that arrives comes through a proxy on this machine that is not believed: then CLICK and strangers count as
/// one caller, within one budget.
fn has_unknown_proxy(webhook: &tolov_webhook::Config, public_url: Option<&Url>) -> bool {
    let address = webhook.addr.ip();
    let is_public = public_url.is_some_and(|url| url.scheme() == "https");
    is_public && address.is_loopback() && !webhook.trusted_proxies.contains(address)
}

fn given(env: &Env) -> Vec<Finding> {
    let (given, left): (Vec<&str>, Vec<&str>) =
        VARIABLES.into_iter().partition(|name| env.text(name).is_some());
    if given.is_empty() {
        return vec![Finding::doubtful("variables-none")];
    }
    vec![
        Finding::good("variables-given").with("names", given.join(", ")),
        Finding::good("variables-left").with("names", left.join(", ")),
    ]
}

/// A line of [`EnvError`]: the name, and what is wrong with it.
fn variable_problem(problem: &str) -> Option<Finding> {
    let (name, what) = problem.split_once(' ')?;
    let variable = VARIABLES.into_iter().find(|variable| *variable == name)?;
    Some(match what.strip_prefix("cannot be read: ") {
        Some(NO_WHOLE_NUMBER) => Finding::bad("variable-no-number").about(variable),
        Some(detail) => Finding::bad("variable-unreadable").about(variable).with("detail", detail),
        None if what.starts_with("is missing") => Finding::bad("variable-missing").about(variable),
        None => Finding::bad("variable-odd").about(variable).with("detail", what),
    })
}

/// A line of [`Env::warnings`], in the same form.
fn odd_variable(warning: &str) -> Option<Finding> {
    let (name, what) = warning.split_once(' ')?;
    let variable = VARIABLES.into_iter().find(|variable| *variable == name)?;
    Some(Finding::doubtful("variable-odd").about(variable).with("detail", what))
}

/// What the values alone show.
fn forms(env: &Env, role: DoctorRole) -> Vec<Finding> {
    let mut findings: Vec<Finding> = local_defaults::held_in_production(env)
        .into_iter()
        .map(|name| Finding::bad("local-default").about(name))
        .collect();
    let is_local = |text: &str| text.contains(local_defaults::MARK);
    if env.text("API_TOKEN").is_some_and(|token| token.chars().count() < API_TOKEN_MIN_CHARS) {
        findings.push(Finding::doubtful("api-token-short"));
    }
    if env.text("BOT_TOKEN").is_some_and(|token| !is_local(&token) && !is_bot_token(&token)) {
        findings.push(Finding::doubtful("bot-token-form"));
    }
    if env.text("CLICK_SECRET_KEY").is_some_and(|key| !is_secret_key(&key)) {
        findings.push(Finding::bad("click-key-form"));
    }
    if let Some(token) = env.text("CLICK_PROVIDER_TOKEN").map(Secret::new) {
        findings.push(
            match (tolov_bot::is_test_provider_token(&token), local_defaults::is_production(env)) {
                (true, true) => Finding::bad("provider-token-test"),
                (true, false) => Finding::doubtful("provider-token-test"),
                (false, _) => Finding::good("provider-token-given"),
            },
        );
    }
    if matches!(role, DoctorRole::All | DoctorRole::Webhook | DoctorRole::Reconciler) {
        if env.text("CLICK_MERCHANT_USER_ID").is_none() {
            findings.push(Finding::doubtful("click-user-missing"));
        }
        if env.flag("CLICK_TEST_MODE", false) {
            findings.push(Finding::doubtful("click-test-mode"));
            if env.text("SANDBOX_URL").is_some_and(|url| !is_taken_by_telegram(&url)) {
                findings.push(Finding::doubtful("sandbox-url-host"));
            }
        }
    }
    findings
}

/// Owners, delivery and pickup.
fn of_the_shop(bot: &BotConfig) -> Vec<Finding> {
    let mut findings = Vec::new();
    if bot.owners.is_empty() {
        findings.push(Finding::doubtful("owners-none"));
    }
    findings.push(Finding::good("delivery-price").with("price", bot.delivery_price.grouped()));
    findings.push(match &bot.pickup_address {
        Some(address) => Finding::good("pickup-given").with("address", address),
        None => Finding::good("pickup-none"),
    });
    findings
}

/// Telegram refuses a button whose address has a host without a dot, and the whole message with it. The sandbox's own
/// addresses have one.
fn is_taken_by_telegram(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| url.host_str().is_some_and(|host| host.contains(['.', ':'])))
}

/// `123456789:` and 35 letters, digits, dashes or underlines.
fn is_bot_token(token: &str) -> bool {
    token.split_once(':').is_some_and(|(number, key)| {
        !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && key.len() >= 30
            && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    })
}

/// CLICK's keys are letters and digits; quotes and spaces come from copying.
fn is_secret_key(key: &str) -> bool {
    key.chars().count() >= 6 && !key.chars().any(|letter| letter.is_whitespace() || "\"'`".contains(letter))
}

/// Files of NAME_FILE that every user of the machine can read. Docker's own are within the container.
fn secret_files(env: &Env) -> Vec<Finding> {
    VARIABLES
        .into_iter()
        .filter_map(|name| Some((name, env.text(&format!("{name}_FILE"))?)))
        .filter(|(_, path)| !path.starts_with("/run/secrets/") && is_open_to_all(Path::new(path.trim())))
        .map(|(name, path)| Finding::doubtful("secret-file-open").with("name", name).with("path", path))
        .collect()
}

/// Whether every user of the machine may read a file.
pub(super) fn is_open_to_all(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o004 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::report::Level;

    #[test]
    fn a_proxy_on_this_machine_has_to_be_trusted() {
        let is_unknown = |addr: &str, trusted: &str, public: &str| {
            let variables = [("WEBHOOK_ADDR", addr), ("TRUSTED_PROXIES", trusted)];
            let env = Env::new(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
            has_unknown_proxy(&tolov_webhook::Config::from_env(&env), Some(&public.parse().unwrap()))
        };
        assert!(is_unknown("127.0.0.1:8000", "", "https://pay.example.uz"));
        assert!(is_unknown("127.0.0.1:8000", "10.0.0.1", "https://pay.example.uz"));
        assert!(!is_unknown("127.0.0.1:8000", "127.0.0.1,::1", "https://pay.example.uz"));
        assert!(
            !is_unknown("0.0.0.0:8000", "", "https://pay.example.uz"),
            "compose, behind a network's address"
        );
        assert!(!is_unknown("127.0.0.1:8000", "", "http://127.0.0.1:8000"), "no proxy is needed");
    }

    #[test]
    fn without_any_setting_the_first_word_is_that_no_file_was_read() {
        let env = Env::new([]);
        let findings = given(&env);
        assert!(findings.len() == 1 && findings[0].level == Level::Doubtful, "{findings:?}");
        let env = Env::new([("LOG_FORMAT".to_owned(), "json".to_owned())]);
        assert_eq!(given(&env).len(), 2);
    }

    #[test]
    fn the_form_of_tokens_and_keys_is_checked() {
        assert!(is_bot_token("7000000001:AAErealrealrealrealrealrealrealreal"));
        for wrong in ["", "7000000001", "x:AAErealrealrealrealrealrealrealreal", "7000000001:short", "1:a b"]
        {
            assert!(!is_bot_token(wrong), "{wrong}");
        }
        assert!(
            is_taken_by_telegram("http://127.0.0.1:8080") && is_taken_by_telegram("https://pay.example.uz")
        );
        assert!(
            !is_taken_by_telegram("http://localhost:8080") && !is_taken_by_telegram("http://sandbox:8080")
        );
        assert!(is_secret_key("Ab3kd93kd0"));
        for wrong in ["", "short", "\"Ab3kd93kd0\"", "Ab3kd 93kd0"] {
            assert!(!is_secret_key(wrong), "{wrong}");
        }
    }
}
