//! `tolov doctor`: checks the settings and every dependency one after the other, and says what to do.
//!
//! It writes only what the services write at their start (queues, indexes), sends no message and pays nothing.

mod clock;
mod files;
mod ledger;
mod machine;
mod merchant_api;
mod public;
mod receipts;
mod report;
mod settings;
mod stores;
mod telegram;
pub(crate) mod texts;
mod webhook;

use std::time::Duration;

use anyhow::Result;
use tolov_domain::Language;
use tolov_kit::{env::Env, lifecycle::Ending};

pub(crate) use self::report::Finding;
use self::report::{Level, Report};
use crate::cli::{Doctor, DoctorRole};

/// The longest that one request over the network may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(8);

pub(crate) async fn run(env: &Env, options: &Doctor) -> Result<Ending> {
    let report = Report::new(options.language.unwrap_or_else(texts::language_of_terminal));
    look(env, options.role, report).await
}

/// Looks at settings with which nothing was started yet: that a server does not answer is no fault of theirs.
pub(crate) async fn of_new_settings(env: &Env, language: Language) -> Result<()> {
    look(env, DoctorRole::All, Report::new(language).before_the_start()).await.map(drop)
}

async fn look(env: &Env, role: DoctorRole, mut report: Report) -> Result<Ending> {
    let is_for = |roles: &[DoctorRole]| role == DoctorRole::All || roles.contains(&role);
    let http = reqwest::Client::builder().timeout(REQUEST_TIMEOUT).build()?;
    let (settings, findings) = settings::read(env, role);
    report.tell(findings);
    let mut clocks = Vec::new();
    // Held to the end: a restore would replace the files that are checked.
    let (_lock, findings) = files::lock(&settings.data, role);
    let is_open = findings.is_empty();
    report.tell(findings);
    if is_for(&[DoctorRole::Webhook]) && is_open {
        report.tell(ledger::check(&settings.data).await);
    }
    if let Some(bus) = &settings.bus
        && is_open
    {
        report.tell(stores::check_bus(bus).await);
    }
    if is_for(&[DoctorRole::Projector, DoctorRole::Bot])
        && let Some(shop) = &settings.shop
        && is_open
    {
        report.tell(stores::check_shop(shop).await);
        if let Some(receipts) = settings.bot.as_ref().and_then(|bot| bot.receipts.as_ref()) {
            report.tell(receipts::check(shop, receipts).await);
        }
    }
    if is_for(&[DoctorRole::Bot])
        && let Some(bot) = &settings.bot
    {
        let (findings, date) = telegram::check(&http, bot).await;
        report.tell(settings.worth_saying(findings));
        clocks.extend(date);
    }
    if is_for(&[DoctorRole::Reconciler])
        && let Some(config) = &settings.reconciler
    {
        report.tell(merchant_api::check(config).await);
    }
    if is_for(&[DoctorRole::Bot, DoctorRole::Webhook, DoctorRole::Reconciler])
        && let Some(url) = &settings.webhook_url
    {
        report.tell(webhook::check(&http, url, settings.api_token.as_ref(), role).await);
    }
    if is_for(&[DoctorRole::Webhook]) {
        let (findings, date) = public::check(&http, &settings).await;
        report.tell(findings);
        clocks.extend(date);
    }
    // The others ask nobody who tells the time.
    if is_for(&[DoctorRole::Bot, DoctorRole::Webhook]) {
        report.tell(clock::check(&clocks));
    }
    Ok(if report.conclude() { Ending::Clean } else { Ending::Failed })
}

/// What there is to say about one setting and the dependency that it names, the others being known as far as they are.
pub(crate) async fn of_setting(env: &Env, name: &'static str) -> Result<Vec<Finding>> {
    let (settings, findings) = settings::read(env, DoctorRole::All);
    let mut findings: Vec<Finding> = findings
        .into_iter()
        .filter(|finding| finding.is_about(name) && finding.level != Level::Good)
        .collect();
    if findings.iter().any(|finding| finding.level == Level::Bad) {
        return Ok(findings);
    }
    let http = reqwest::Client::builder().timeout(REQUEST_TIMEOUT).build()?;
    let asked = match name {
        "BOT_TOKEN" | "DB_CHANNEL" | "STORE_CHANNEL" | "ADMIN_IDS" => match &settings.bot {
            Some(bot) => telegram::check(&http, bot).await.0,
            None => Vec::new(),
        },
        "PUBLIC_URL" => public::check(&http, &settings).await.0,
        _ => Vec::new(),
    };
    let asked = settings.worth_saying(asked).into_iter().filter(|finding| finding.is_about(name));
    findings.extend(asked.map(Finding::without_blame_for_silence));
    Ok(findings)
}
