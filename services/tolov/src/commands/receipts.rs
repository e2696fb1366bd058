//! `tolov receipts`: orders without their fiscal receipt and why, and what a person decides about one, through the API of
//! the running webhook service.

use std::fmt::Display;

use anyhow::{Result, bail, ensure};
use clap::Args;
use reqwest::Method;
use serde_json::json;
use tolov_domain::{
    Language, OrderId,
    receipt::{
        MissingReason, Receipt, ReceiptState,
        api::{Conflict, MissingReceipt, MissingReceipts},
    },
    refund::api::{DecidedBy, GivenByHand},
};
use tolov_kit::env::Env;

use super::{
    journal::Journal,
    refund::{OPERATOR, Service, order_id},
};
use crate::{
    audit::replayer::ServiceAddress,
    cli::language,
    data_folder::DataFolder,
    doctor::texts::{language_of_terminal, text},
};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// One order: the state of its receipt. Without it all that are missing
    #[arg(value_parser = order_id)]
    order: Option<OrderId>,
    /// What was in the way is mended: have the reconciler send the same items once more
    #[arg(long, requires = "order", conflicts_with = "by_hand")]
    retry: bool,
    /// The receipt, or that of a refund, was made another way; what proves it
    #[arg(long, value_name = "DOCUMENT", requires = "order")]
    by_hand: Option<String>,
    /// uz, ru or en; without it the language of LANG
    #[arg(long, value_parser = language)]
    language: Option<Language>,
}

pub(crate) async fn run(env: &Env, options: &Options) -> Result<()> {
    let data = DataFolder::from_env(env);
    let service = ServiceAddress::from_env(env);
    env.finish()?;
    let service = Service::new(service)?;
    let language = options.language.unwrap_or_else(language_of_terminal);
    let Some(order) = options.order else { return list(&service, language).await };
    let receipt = if options.retry || options.by_hand.is_some() {
        decide(&service, &Journal::beside(data.ledger()), order, (options, language)).await?
    } else {
        let (status, body) = service.call(Method::GET, &format!("/receipts/{order}"), String::new()).await?;
        ensure!(status != 404, "{}", text(language, "receipts-not-there", &[("order", &order)]));
        ensure!(status == 200, "the webhook service answers {status}: {body}");
        serde_json::from_str(&body)?
    };
    println!("{}", in_words(&receipt, language));
    Ok(())
}

async fn list(service: &Service, language: Language) -> Result<()> {
    let (status, body) = service.call(Method::GET, "/receipts/missing", String::new()).await?;
    ensure!(status == 200, "the webhook service answers {status}: {body}");
    let missing: MissingReceipts = serde_json::from_str(&body)?;
    for MissingReceipt { receipt, return_of_refund } in &missing.receipts {
        println!("{}", in_words(receipt, language));
        if *return_of_refund {
            println!("  {}", text(language, "receipts-return", &[]));
        }
    }
    println!("{}", text(language, "receipts-missing", &[("count", &missing.count)]));
    Ok(())
}

async fn decide(
    service: &Service,
    journal: &Journal,
    order: OrderId,
    (options, language): (&Options, Language),
) -> Result<Receipt> {
    let by = OPERATOR.to_owned();
    let (path, body) = match &options.by_hand {
        Some(document) => {
            let body = GivenByHand { by, document: document.clone() };
            ("by-hand", serde_json::to_string(&body)?)
        }
        None => ("retry", serde_json::to_string(&DecidedBy { by })?),
    };
    journal.record("receipts", json!({ "order": order, "decision": path }))?;
    let (status, body) = service.call(Method::POST, &format!("/receipts/{order}/{path}"), body).await?;
    match status {
        200 => {}
        404 => bail!("{}", text(language, "receipts-not-there", &[("order", &order)])),
        409 => {
            let conflict: Conflict = serde_json::from_str(&body)?;
            let reason = why_refused(&conflict, language);
            bail!(
                "{}",
                text(language, "receipts-refused", &[("code", &conflict.reason), ("reason", &reason)])
            )
        }
        _ => bail!("the webhook service answers {status}: {body}"),
    }
    Ok(serde_json::from_str(&body)?)
}

fn in_words(receipt: &Receipt, language: Language) -> String {
    let say = |key, args: &[(&'static str, &dyn Display)]| text(language, key, args);
    let state = match &receipt.state {
        ReceiptState::Needed { click_code: Some(code), click_note } => {
            let note = click_note.as_deref().unwrap_or_default();
            say("receipts-sent-again", &[("code", code), ("note", &note)])
        }
        ReceiptState::Needed { click_code: None, .. } => say("receipts-needed", &[]),
        ReceiptState::Submitting { .. } => say("receipts-submitting", &[]),
        ReceiptState::Unknown { .. } => say("receipts-unknown", &[]),
        ReceiptState::Submitted { .. } => say("receipts-submitted", &[]),
        ReceiptState::Known { url, .. } => url.clone(),
        ReceiptState::Missing { why, click_code, click_note } => {
            let (reason, todo) = reason(*why);
            let (why, note) = (say(reason, &[]), click_note.as_deref().unwrap_or_default());
            let missing = match click_code {
                Some(code) => {
                    say("receipts-none-with-code", &[("why", &why), ("code", code), ("note", &note)])
                }
                None => say("receipts-none", &[("why", &why)]),
            };
            format!("{missing}\n  {}", say("receipts-closing", &[("todo", &say(todo, &[]))]))
        }
        ReceiptState::ByHand { decided_by, document } => {
            say("receipts-by-hand", &[("by", decided_by), ("document", document)])
        }
    };
    let sum = receipt.amount_tiyin.grouped();
    say("receipts-line", &[("order", &receipt.order_id), ("sum", &sum), ("state", &state)])
}

/// Why there is none, and what to do about it.
const fn reason(why: MissingReason) -> (&'static str, &'static str) {
    match why {
        MissingReason::NoCodes => ("receipts-no-codes", "receipts-no-codes-do"),
        MissingReason::PaidInTelegram => ("receipts-in-telegram", "receipts-in-telegram-do"),
        MissingReason::PaymentNotFound => ("receipts-not-found", "receipts-not-found-do"),
        MissingReason::Refused => ("receipts-refused-items", "receipts-refused-items-do"),
        MissingReason::NoAnswer => ("receipts-no-answer", "receipts-no-answer-do"),
        MissingReason::NoAddress => ("receipts-no-address", "receipts-no-address-do"),
        MissingReason::Refunded => ("receipts-refunded", "receipts-refunded-do"),
        MissingReason::ContentLost => ("receipts-content-lost", "receipts-content-lost-do"),
        MissingReason::ContentDiffers => ("receipts-content-differs", "receipts-content-differs-do"),
    }
}

fn why_refused(conflict: &Conflict, language: Language) -> String {
    match conflict.reason.as_str() {
        "not_allowed" => text(language, "receipts-not-allowed", &[]),
        "stale" => text(language, "receipts-stale", &[]),
        // Of a newer webhook service.
        _ => conflict.error.clone(),
    }
}
