//! `tolov init`: asks for the few settings that a shop cannot do without, checks each answer as the doctor would, makes the
//! secrets up, and writes a file of settings that explains itself.

mod answers;
mod file;

use std::{
    io::{BufRead, IsTerminal},
    path::Path,
};

use anyhow::{Context, Result, bail, ensure};
use tolov_domain::Language;
use tolov_kit::{env::Env, lifecycle::Ending};

use self::{answers::Answers, file::Target};
use crate::{
    cli::Init,
    doctor::{
        self, Finding,
        texts::{self, text},
    },
    environment::{self, VARIABLES},
};

/// What is asked for, in this order. Everything else has a default or is made up.
const QUESTIONS: [&str; 11] = [
    "BOT_TOKEN",
    "DB_CHANNEL",
    "STAFF_LANGUAGE",
    "ADMIN_IDS",
    "CLICK_SERVICE_ID",
    "CLICK_MERCHANT_ID",
    "CLICK_MERCHANT_USER_ID",
    "CLICK_SECRET_KEY",
    "PUBLIC_URL",
    "DELIVERY_PRICE",
    "PICKUP_ADDRESS",
];
/// A question is put again when the answer is wrong, and then left open.
const TRIES_MAX: usize = 5;

pub(crate) async fn run(env: &Env, options: &Init) -> Result<Ending> {
    let language = options.language.unwrap_or_else(texts::language_of_terminal);
    let target = Target::choose(options.file.clone())?;
    let asks = std::io::stdin().is_terminal() || options.stdin;
    let mut answers = Answers::default();
    for given in &options.set {
        let (name, value) =
            given.split_once('=').with_context(|| format!("--set {given}: write NAME=value"))?;
        ensure!(
            target.has(name),
            "--set {name}: there is no such setting in {}; .env.example explains all that there are",
            target.path().display()
        );
        answers.set(name, value);
    }
    for name in VARIABLES.into_iter().filter(|name| !answers.has(name)).collect::<Vec<_>>() {
        if let Some(value) = env.text(name) {
            answers.set(name, &value);
        }
    }
    if asks {
        println!("{}", text(language, "init-intro", &[]));
    }
    for name in QUESTIONS {
        if answers.has(name) {
            let _ = show(&answers, name, language).await?;
        } else if asks {
            ask(&mut answers, name, language).await?;
        }
    }
    let path = target.write(&answers)?;
    println!("\n{}", text(language, "init-written", &[("path", &path.display())]));
    end_with_the_doctor(&path, language).await?;
    println!("{}", text(language, "init-next", &[("command", &file::start_command(&path, &answers))]));
    // What is still to be done is said; the file is written.
    Ok(Ending::Clean)
}

/// Puts a question until its answer is good, or is left empty.
async fn ask(answers: &mut Answers, name: &'static str, language: Language) -> Result<()> {
    println!("\n{name}\n  {}", texts::about(language, name));
    for _ in 0..TRIES_MAX {
        print!("> ");
        crate::output::check()?;
        let mut line = String::new();
        if std::io::stdin().lock().read_line(&mut line)? == 0 {
            bail!("{}", text(language, "init-ended", &[]));
        }
        let value = line.trim();
        if value.is_empty() {
            return Ok(());
        }
        answers.set(name, value);
        if show(answers, name, language).await? {
            return Ok(());
        }
        answers.unset(name);
    }
    println!("  {}", text(language, "init-left", &[("name", &name)]));
    Ok(())
}

/// Prints what the doctor finds about one answer, and returns whether it can be kept.
async fn show(answers: &Answers, name: &'static str, language: Language) -> Result<bool> {
    let findings = doctor::of_setting(&answers.env(), name).await?;
    for finding in &findings {
        println!("  {}", finding.to_text(language));
    }
    Ok(!findings.iter().any(Finding::rejects))
}

/// Of the whole file, as the services will read it.
async fn end_with_the_doctor(path: &Path, language: Language) -> Result<()> {
    println!("\ntolov doctor --env-file {}\n", path.display());
    let env = environment::load(Some(path))?;
    doctor::of_new_settings(&env, language).await
}
