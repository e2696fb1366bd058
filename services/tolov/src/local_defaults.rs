//! The secrets that docker-compose.yml has for trying things out: everybody knows them, so they are for the sandbox
//! alone. Each carries [`MARK`], by which it is known wherever it turns up.

use tolov_kit::env::Env;

use crate::people;

/// What every local default has in it, and nothing else may.
pub(crate) const MARK: &str = tolov_sandbox::KEY_MARK;

/// Where a secret can be. Two of them are addresses with a password.
const SECRETS: [&str; 5] = ["BOT_TOKEN", "CLICK_SECRET_KEY", "API_TOKEN", "AMQP_URL", "MONGO_URL"];

/// Settings that follow from a local default: its Telegram and its CLICK are the sandbox's.
///
/// CLICK_TEST_MODE is on while CLICK_SECRET_KEY is one. While BOT_TOKEN is one, BOT_API_URL is SANDBOX_URL, and the owner
/// that a sandbox has is the shop's.
pub(crate) fn complete(env: &mut Env) {
    if is_local(env, "CLICK_SECRET_KEY") {
        env.default_to("CLICK_TEST_MODE", "true");
    }
    if is_local(env, "BOT_TOKEN")
        && let Some(sandbox) = env.text("SANDBOX_URL")
    {
        env.default_to("BOT_API_URL", &sandbox);
        // Only there: a real Telegram has a person with this number too.
        env.default_to("ADMIN_IDS", &people::OWNER_ID.to_string());
        env.default_to("PICKUP_ADDRESS", people::PICKUP_ADDRESS);
    }
}

/// Whether real people or real money may be on the other side.
pub(crate) fn is_production(env: &Env) -> bool {
    has_real_token(env) || !env.flag("CLICK_TEST_MODE", false)
}

/// Whether nothing of the sandbox is used.
pub(crate) fn is_without_sandbox(env: &Env) -> bool {
    has_real_token(env) && !env.flag("CLICK_TEST_MODE", false)
}

fn has_real_token(env: &Env) -> bool {
    env.text("BOT_TOKEN").is_some_and(|token| !token.contains(MARK))
}

/// The secrets that must be changed before this installation may meet real people or real money.
pub(crate) fn held_in_production(env: &Env) -> Vec<&'static str> {
    if !is_production(env) {
        return Vec::new();
    }
    SECRETS.into_iter().filter(|name| is_local(env, name)).collect()
}

/// What says that this is more than a trial: secrets of one's own, and real money. Nothing is put into such a shop unasked.
pub(crate) fn not_of_the_sandbox(env: &Env) -> Vec<&'static str> {
    let mut own: Vec<&str> =
        SECRETS.into_iter().filter(|name| env.text(name).is_some() && !is_local(env, name)).collect();
    if !env.flag("CLICK_TEST_MODE", false) {
        own.push("CLICK_TEST_MODE");
    }
    own
}

/// Makes [`Env::finish`] fail where a secret that everybody knows would guard something real.
pub(crate) fn refuse(env: &Env) {
    for name in held_in_production(env) {
        env.problem(
            name,
            "is a local default that everybody knows, for the sandbox alone: with a real BOT_TOKEN, or with \
             CLICK_TEST_MODE off, give it a value of your own (.env.example says how)",
        );
    }
}

fn is_local(env: &Env, name: &str) -> bool {
    env.text(name).is_some_and(|value| value.contains(MARK))
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
        assert_eq!(env.text("ADMIN_IDS"), Some(people::OWNER_ID.to_string()));
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
        assert_eq!(not_of_the_sandbox(&env(&[LOCAL_TOKEN, LOCAL_KEY, LOCAL_AMQP])), [""; 0]);
        assert_eq!(not_of_the_sandbox(&env(&[REAL_TOKEN, LOCAL_KEY])), ["BOT_TOKEN"]);
        let own_store = ("MONGO_URL", "mongodb://tolov:own@mongo/tolov");
        assert_eq!(not_of_the_sandbox(&env(&[LOCAL_TOKEN, LOCAL_KEY, own_store])), ["MONGO_URL"]);
        let with_money = env(&[LOCAL_TOKEN, LOCAL_KEY, ("CLICK_TEST_MODE", "false")]);
        assert_eq!(not_of_the_sandbox(&with_money), ["CLICK_TEST_MODE"]);
    }

    #[test]
    fn the_sandbox_is_not_needed_when_everything_is_real() {
        assert!(is_without_sandbox(&env(&[REAL_TOKEN, ("CLICK_SECRET_KEY", "key")])));
        assert!(!is_without_sandbox(&env(&[REAL_TOKEN, LOCAL_KEY])));
        assert!(!is_without_sandbox(&env(&[LOCAL_TOKEN, ("CLICK_SECRET_KEY", "key")])));
    }

    #[test]
    fn every_secret_of_the_compose_file_is_known_as_a_local_default() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
        let compose = std::fs::read_to_string(root.join("docker-compose.yml")).unwrap();
        let defaults: Vec<(&str, &str)> = compose
            .split("${")
            .skip(1)
            .filter_map(|rest| rest.split('}').next()?.split_once(":-"))
            .filter(|(name, _)| ["TOKEN", "KEY", "PASSWORD"].iter().any(|word| name.ends_with(word)))
            .collect();
        assert!(defaults.len() >= 5, "{defaults:?}");
        for (name, value) in defaults {
            assert!(value.contains(MARK), "{name} has a default without the words {MARK}");
        }
    }
}
