//! The file of settings: .env.example with the answers, and with passwords that nobody knows.

use std::{
    fs::File,
    io::{ErrorKind, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use url::Url;

use super::answers::Answers;

const EXAMPLE: &str = include_str!("../../../../.env.example");
/// Where the part of docker compose begins; a service under systemd has no use for it.
const OF_COMPOSE: &str = "# --- docker compose alone";
/// Password bytes, written as hexadecimal digits: they become parts of addresses.
const PASSWORD_BYTES: usize = 24;

/// What the file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// docker compose, which reads .env beside its own file.
    Compose,
    /// `tolov all` on files, perhaps under systemd.
    OneServer,
}

impl Purpose {
    fn of(path: &Path) -> Self {
        if path.file_name().is_some_and(|name| name == ".env") { Self::Compose } else { Self::OneServer }
    }
}

/// What starts a shop with this file. Caddy answers CLICK where the shop has a public address.
pub(super) fn start_command(path: &Path, answers: &Answers) -> String {
    match Purpose::of(path) {
        Purpose::Compose if domain(answers).is_some() => "docker compose --profile https up -d".to_owned(),
        Purpose::Compose => "docker compose up -d".to_owned(),
        Purpose::OneServer => format!("tolov --env-file {} all", path.display()),
    }
}

/// The name that gets the certificate.
fn domain(answers: &Answers) -> Option<String> {
    let given = answers.get("DOMAIN").map(str::to_owned);
    given.or_else(|| Url::parse(answers.get("PUBLIC_URL")?).ok()?.host_str().map(str::to_owned))
}

pub(super) struct Target {
    path: PathBuf,
    purpose: Purpose,
}

impl Target {
    /// `.env` beside docker-compose.yml, else tolov.env; a name that is given decides. One that is there is never replaced.
    pub(super) fn choose(named: Option<PathBuf>) -> Result<Self> {
        let path = named.unwrap_or_else(|| {
            PathBuf::from(if Path::new("docker-compose.yml").exists() { ".env" } else { "tolov.env" })
        });
        if path.exists() {
            bail!("{} is there already and is not replaced: edit it, or name another file", path.display());
        }
        let purpose = Purpose::of(&path);
        Ok(Self { path, purpose })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file will have this setting.
    pub(super) fn has(&self, name: &str) -> bool {
        example(self.purpose).lines().any(|line| line.split_once('=').is_some_and(|(known, _)| known == name))
    }

    /// Readable by its owner alone.
    pub(super) fn write(self, answers: &Answers) -> Result<PathBuf> {
        let text = text(answers, self.purpose, &mut password)?;
        let mut file = match File::options().write(true).create_new(true).mode(0o600).open(&self.path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                bail!("{} has been written meanwhile and is not replaced", self.path.display())
            }
            opened => opened.with_context(|| format!("cannot write {}", self.path.display()))?,
        };
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        Ok(self.path)
    }
}

fn example(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Compose => EXAMPLE,
        Purpose::OneServer => EXAMPLE.split(OF_COMPOSE).next().unwrap_or(EXAMPLE).trim_end(),
    }
}

/// The example, with each answer in the place of its value and a new password in the place of each that is left empty.
fn text(
    answers: &Answers,
    purpose: Purpose,
    password: &mut impl FnMut() -> Result<String>,
) -> Result<String> {
    let example = example(purpose);
    let mut text = String::with_capacity(example.len());
    for line in example.lines() {
        let written = match line.split_once('=').filter(|_| !line.starts_with('#')) {
            None => line.to_owned(),
            Some((name, value)) => {
                let is_password = name == "API_TOKEN" || name.ends_with("_PASSWORD");
                let domain = if name == "DOMAIN" { domain(answers) } else { None };
                match answers.get(name).or(domain.as_deref()) {
                    None if is_password => format!("{name}={}", password()?),
                    answer => {
                        let value = answer.or_else(|| of_purpose(name, purpose)).unwrap_or(value);
                        format!("{name}={value}")
                    }
                }
            }
        };
        text.push_str(&written);
        text.push('\n');
    }
    Ok(text)
}

/// What a set-up wants otherwise than the example says. docker-compose.yml gives each service its addresses of RabbitMQ and
/// MongoDB. On one server none is named: messages and shop are in files, and a proxy on the same machine has the certificate.
fn of_purpose(name: &str, purpose: Purpose) -> Option<&'static str> {
    match (purpose, name) {
        (_, "PRODUCTION") => Some("true"),
        (_, "AMQP_URL" | "MONGO_URL") | (Purpose::OneServer, "SANDBOX_URL" | "SANDBOX_ADDR") => Some(""),
        (Purpose::OneServer, "TRUSTED_PROXIES") => Some("127.0.0.1,::1"),
        (Purpose::OneServer, "METRICS_ADDR") => Some("127.0.0.1:9000"),
        _ => None,
    }
}

fn password() -> Result<String> {
    let mut bytes = [0; PASSWORD_BYTES];
    let mut random = File::open("/dev/urandom").context("this machine gives no random numbers")?;
    random.read_exact(&mut bytes)?;
    let digit = |value: u8| char::from_digit(value.into(), 16);
    Ok(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers() -> Answers {
        let mut answers = Answers::default();
        answers.set("BOT_TOKEN", "7:abc");
        answers.set("PICKUP_ADDRESS", "Chilonzor 5");
        answers
    }

    fn written(purpose: Purpose) -> String {
        let mut count = 0;
        let mut password = || {
            count += 1;
            Ok(format!("password{count}"))
        };
        text(&answers(), purpose, &mut password).unwrap()
    }

    #[test]
    fn answers_and_passwords_stand_in_the_example_s_places() {
        let compose = written(Purpose::Compose);
        let has = |line: &str| compose.lines().any(|written| written == line);
        assert!(has("BOT_TOKEN=7:abc") && has("PICKUP_ADDRESS=Chilonzor 5") && has("PRODUCTION=true"));
        assert!(has("API_TOKEN=password1") && has("RABBITMQ_ADMIN_PASSWORD=password2"));
        assert!(!compose.lines().any(|line| line.ends_with("_PASSWORD=")), "{compose}");
        assert_eq!(compose.lines().count(), EXAMPLE.lines().count());
    }

    #[test]
    fn caddy_gets_the_name_of_the_public_address() {
        let path = Path::new(".env");
        assert_eq!(start_command(path, &answers()), "docker compose up -d");
        let mut answers = answers();
        answers.set("PUBLIC_URL", "https://pay.example.uz");
        let written = text(&answers, Purpose::Compose, &mut || Ok(String::new())).unwrap();
        assert!(written.lines().any(|line| line == "DOMAIN=pay.example.uz"), "{written}");
        assert_eq!(start_command(path, &answers), "docker compose --profile https up -d");
    }

    #[test]
    fn one_server_needs_no_other_server_and_nothing_of_compose() {
        let one = written(Purpose::OneServer);
        let proxied = ["WEBHOOK_ADDR=127.0.0.1:8000", "TRUSTED_PROXIES=127.0.0.1,::1"];
        for line in ["AMQP_URL=", "MONGO_URL=", "API_TOKEN=password1"].into_iter().chain(proxied) {
            assert!(one.lines().any(|written| written == line), "{line}");
        }
        assert!(!one.contains("RABBITMQ_"));
    }

    #[test]
    fn passwords_are_long_and_never_the_same() {
        let (one, other) = (password().unwrap(), password().unwrap());
        assert!(one.len() == 2 * PASSWORD_BYTES && one != other);
    }
}
