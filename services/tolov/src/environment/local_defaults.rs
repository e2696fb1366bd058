//! The secrets that docker-compose.yml has for trying things out. They are in the repository, so they are for the sandbox
//! alone; each contains [`MARK`].
//!
//! Each service holds only its own secrets, so one that holds a local default may not see that another one has a real
//! token. PRODUCTION tells all of them.

use tolov_kit::env::Env;

use crate::roles::seed_users;

/// What every local default contains, and nothing else may.
pub(crate) const MARK: &str = "sandbox-only";

/// What docker-compose.yml has for CLICK_SECRET_KEY.
const CLICK_SECRET_KEY: &str = "sandbox-only-click-key";

/// Where a secret can be. Three of them are addresses with a password.
const SECRETS: [&str; 6] =
    ["BOT_TOKEN", "CLICK_SECRET_KEY", "API_TOKEN", "AMQP_URL", "MONGO_URL", "LEDGER_URL"];

/// Sets what follows from a local default: its Telegram and its CLICK are the sandbox's.
///
/// CLICK_TEST_MODE is on while CLICK_SECRET_KEY is a local default, unless PRODUCTION is on. While BOT_TOKEN is one,
/// BOT_API_URL is SANDBOX_URL, and the shop has the sandbox's owner.
pub(crate) fn complete(env: &mut Env) {
    if has_mark(env, "CLICK_SECRET_KEY") && !env.flag("PRODUCTION", false) {
        env.default_to("CLICK_TEST_MODE", "true");
    }
    if has_mark(env, "BOT_TOKEN")
        && let Some(sandbox) = env.text("SANDBOX_URL")
    {
        env.default_to("BOT_API_URL", &sandbox);
        // Only for the sandbox: at Telegram's own servers a stranger has this id.
        env.default_to("ADMIN_IDS", &seed_users::OWNER_ID.to_string());
        env.default_to("PICKUP_ADDRESS", seed_users::PICKUP_ADDRESS);
    }
}

/// Whether real people or real money may be on the other side, as far as this process can know.
pub(crate) fn is_production(env: &Env) -> bool {
    env.flag("PRODUCTION", false) || has_real_token(env) || may_take_real_money(env)
}

/// Whether nothing of the sandbox is used.
pub(crate) fn is_without_sandbox(env: &Env) -> bool {
    (env.flag("PRODUCTION", false) || has_real_token(env)) && !env.flag("CLICK_TEST_MODE", false)
}

fn has_real_token(env: &Env) -> bool {
    env.text("BOT_TOKEN").is_some_and(|token| !token.contains(MARK))
}

/// CLICK_TEST_MODE off. A process that has no key of CLICK and is told PRODUCTION leaves that to the others.
fn may_take_real_money(env: &Env) -> bool {
    let can_know = ["CLICK_SECRET_KEY", "CLICK_TEST_MODE"].iter().any(|name| env.text(name).is_some());
    (can_know || env.text("PRODUCTION").is_none()) && !env.flag("CLICK_TEST_MODE", false)
}

/// The secrets that must be changed before this installation may meet real people or real money.
pub(crate) fn held_in_production(env: &Env) -> Vec<&'static str> {
    if !is_production(env) {
        return Vec::new();
    }
    SECRETS.into_iter().filter(|name| is_local_default(env, name)).collect()
}

/// What shows that this is more than a trial: secrets of one's own, and real money. Such a shop gets no example data.
pub(crate) fn signs_of_production(env: &Env) -> Vec<&'static str> {
    let mut signs: Vec<&str> =
        SECRETS.into_iter().filter(|name| env.text(name).is_some() && !has_mark(env, name)).collect();
    if env.flag("PRODUCTION", false) {
        signs.push("PRODUCTION");
    }
    if may_take_real_money(env) {
        signs.push("CLICK_TEST_MODE");
    }
    signs
}

/// Makes [`Env::finish`] fail where a secret that is in the repository would guard something real.
pub(crate) fn refuse(env: &Env) {
    for name in held_in_production(env) {
        env.problem(
            name,
            "is a local default that everybody knows, for the sandbox alone: with PRODUCTION on, with a real \
             BOT_TOKEN, or with CLICK_TEST_MODE off, give it a value of your own (.env.example says how)",
        );
    }
    let says_trial = env.text("PRODUCTION").is_some() && !env.flag("PRODUCTION", false);
    if says_trial && (has_real_token(env) || may_take_real_money(env)) {
        env.problem(
            "PRODUCTION",
            "is off beside a real BOT_TOKEN or a CLICK service without CLICK_TEST_MODE: set PRODUCTION=true in .env, \
             so that the services which hold neither refuse local defaults too",
        );
    }
}

fn has_mark(env: &Env, name: &str) -> bool {
    env.text(name).is_some_and(|value| value.contains(MARK))
}

/// In test mode a key of one's own carries the mark too: the sandbox signs with no other.
fn is_local_default(env: &Env, name: &str) -> bool {
    if name == "CLICK_SECRET_KEY" && env.flag("CLICK_TEST_MODE", false) {
        return env.text(name).as_deref() == Some(CLICK_SECRET_KEY);
    }
    has_mark(env, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Env {
        let mut env = Env::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        complete(&mut env);
        env
    }

    const LOCAL_TOKEN: (&str, &str) = ("BOT_TOKEN", "1000000001:sandbox-only-bot-token");
    const LOCAL_KEY: (&str, &str) = ("CLICK_SECRET_KEY", "sandbox-only-click-key");
    const LOCAL_AMQP: (&str, &str) = ("AMQP_URL", "amqp://tolov:sandbox-only-password@mq:5672/%2f");
    const REAL_TOKEN: (&str, &str) = ("BOT_TOKEN", "7000000001:AAErealrealrealrealrealrealrealreal");

    #[test]
    fn local_defaults_are_good_enough_for_the_sandbox_and_bring_it_with_them() {
        let env = env(&[LOCAL_TOKEN, LOCAL_KEY, LOCAL_AMQP, ("SANDBOX_URL", "http://sandbox:8080")]);
        assert!(env.flag("CLICK_TEST_MODE", false));
        assert_eq!(env.text("BOT_API_URL").as_deref(), Some("http://sandbox:8080"));
        assert_eq!(env.text("ADMIN_IDS"), Some(seed_users::OWNER_ID.to_string()));
        assert_eq!(held_in_production(&env), [""; 0]);
    }

    #[test]
    fn a_real_token_or_real_money_refuses_every_one_of_them_by_name() {
        let with_token = env(&[REAL_TOKEN, LOCAL_KEY, LOCAL_AMQP]);
        assert_eq!(held_in_production(&with_token), ["CLICK_SECRET_KEY", "AMQP_URL"]);
        assert_eq!(with_token.text("BOT_API_URL"), None);
        assert_eq!(with_token.text("ADMIN_IDS"), None, "nobody owns a real shop by default");
        let with_money = env(&[LOCAL_TOKEN, LOCAL_KEY, ("CLICK_TEST_MODE", "false")]);
        assert_eq!(held_in_production(&with_money), ["BOT_TOKEN", "CLICK_SECRET_KEY"]);
        let projector_alone = env(&[LOCAL_AMQP, ("MONGO_URL", "mongodb://mongo/tolov")]);
        assert_eq!(held_in_production(&projector_alone), ["AMQP_URL"], "nothing says that it is a trial");
        refuse(&with_money);
        let told = with_money.finish().unwrap_err().to_string();
        assert!(told.contains("BOT_TOKEN is a local default") && !told.contains("1000000001"), "{told}");
    }

    #[test]
    fn one_secret_of_its_own_makes_a_shop_more_than_a_trial() {
        assert_eq!(signs_of_production(&env(&[LOCAL_TOKEN, LOCAL_KEY, LOCAL_AMQP])), [""; 0]);
        assert_eq!(signs_of_production(&env(&[REAL_TOKEN, LOCAL_KEY])), ["BOT_TOKEN"]);
        let own_store = ("MONGO_URL", "mongodb://tolov:own@mongo/tolov");
        assert_eq!(signs_of_production(&env(&[LOCAL_TOKEN, LOCAL_KEY, own_store])), ["MONGO_URL"]);
        let with_money = env(&[LOCAL_TOKEN, LOCAL_KEY, ("CLICK_TEST_MODE", "false")]);
        assert_eq!(signs_of_production(&with_money), ["CLICK_TEST_MODE"]);
    }

    #[test]
    fn the_sandbox_is_not_needed_when_everything_is_real() {
        assert!(is_without_sandbox(&env(&[REAL_TOKEN, ("CLICK_SECRET_KEY", "key")])));
        assert!(!is_without_sandbox(&env(&[REAL_TOKEN, LOCAL_KEY])));
        assert!(!is_without_sandbox(&env(&[LOCAL_TOKEN, ("CLICK_SECRET_KEY", "key")])));
        // In compose the sandbox holds no secret but its own key.
        assert!(is_without_sandbox(&env(&[LOCAL_KEY, ("PRODUCTION", "true")])));
        assert!(!is_without_sandbox(&env(&[LOCAL_KEY, ("PRODUCTION", "false")])));
        let with_test_money = [LOCAL_KEY, ("PRODUCTION", "true"), ("CLICK_TEST_MODE", "true")];
        assert!(!is_without_sandbox(&env(&with_test_money)));
    }

    #[test]
    fn a_service_without_a_token_learns_from_the_flag_that_local_defaults_are_over() {
        let with_flag = |flag| env(&[LOCAL_AMQP, ("PRODUCTION", flag)]);
        assert_eq!(held_in_production(&with_flag("false")), [""; 0]);
        assert_eq!(held_in_production(&with_flag("true")), ["AMQP_URL"]);
        assert_eq!(signs_of_production(&with_flag("false")), [""; 0]);
        assert_eq!(signs_of_production(&with_flag("true")), ["PRODUCTION"]);
    }

    #[test]
    fn a_flag_that_says_trial_beside_something_real_is_refused() {
        let told = |pairs: &[(&str, &str)]| {
            let env = env(pairs);
            refuse(&env);
            env.finish().err().map(|error| error.to_string()).unwrap_or_default()
        };
        let trial = ("PRODUCTION", "false");
        assert!(told(&[REAL_TOKEN, trial]).contains("PRODUCTION is off"));
        assert!(told(&[("CLICK_SECRET_KEY", "key"), trial]).contains("PRODUCTION is off"));
        assert_eq!(told(&[LOCAL_TOKEN, LOCAL_AMQP, trial]), "");
        assert_eq!(told(&[LOCAL_KEY, LOCAL_AMQP, trial]), "");
        assert_eq!(told(&[REAL_TOKEN, ("PRODUCTION", "true")]), "");
    }

    #[test]
    fn a_key_of_ones_own_for_the_sandbox_is_no_local_default_in_test_mode() {
        let own_key = ("CLICK_SECRET_KEY", "sandbox-only-3f9a");
        assert_eq!(held_in_production(&env(&[REAL_TOKEN, own_key])), [""; 0]);
        let with_money = env(&[REAL_TOKEN, own_key, ("CLICK_TEST_MODE", "false")]);
        assert_eq!(held_in_production(&with_money), ["CLICK_SECRET_KEY"]);
    }

    #[test]
    fn every_secret_of_the_compose_file_is_known_as_a_local_default() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
        let compose = std::fs::read_to_string(root.join("docker-compose.yml")).unwrap();
        let defaults: Vec<(&str, &str)> = compose
            .split("${")
            .skip(1)
            .filter_map(|rest| rest.split('}').next()?.split_once(":-"))
            .filter(|(name, value)| {
                // An empty one switches something off.
                let is_secret = ["TOKEN", "KEY", "PASSWORD"].iter().any(|word| name.ends_with(word));
                is_secret && !value.is_empty()
            })
            .collect();
        assert!(defaults.len() >= 5, "{defaults:?}");
        for (name, value) in defaults {
            assert!(value.contains(MARK), "{name} has a default without the words {MARK}");
        }
    }
}
