//! `tolov receipts`: orders without their fiscal receipt and why, and what a person decides about one, through the API of
//! the running webhook service.
#![expect(clippy::print_stdout, reason = "what is found and done is this command's answer")]

use anyhow::{Result, bail, ensure};
use clap::Args;
use reqwest::Method;
use serde_json::json;
use tolov_domain::{
    OrderId,
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
use crate::{audit::replayer::ServiceAddress, data_folder::DataFolder};

/// How a receipt that a person has made leaves the list.
const CLOSING: &str = "; what was made by hand is closed with --by-hand \"DOCUMENT\"";
const RETURN: &str = "\n  money went back, and the return needs its receipt: look in CLICK's cabinet whether it was printed, else print it \
                      at your cash register; then --by-hand \"DOCUMENT\"";

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
}

pub(crate) async fn run(env: &Env, options: &Options) -> Result<()> {
    let data = DataFolder::from_env(env);
    let service = ServiceAddress::from_env(env);
    env.finish()?;
    let service = Service::new(service)?;
    let Some(order) = options.order else { return list(&service).await };
    let receipt = if options.retry || options.by_hand.is_some() {
        decide(&service, &Journal::beside(data.ledger_path()), order, options).await?
    } else {
        let (status, body) = service.call(Method::GET, &format!("/receipts/{order}"), String::new()).await?;
        ensure!(status != 404, "the ledger has no receipt of order {order}, or the order is not paid");
        ensure!(status == 200, "the webhook service answers {status}: {body}");
        serde_json::from_str(&body)?
    };
    println!("{}", in_words(&receipt));
    Ok(())
}

async fn list(service: &Service) -> Result<()> {
    let (status, body) = service.call(Method::GET, "/receipts/missing", String::new()).await?;
    ensure!(status == 200, "the webhook service answers {status}: {body}");
    let missing: MissingReceipts = serde_json::from_str(&body)?;
    for MissingReceipt { receipt, return_of_refund } in &missing.receipts {
        let why = if *return_of_refund { RETURN } else { "" };
        println!("{}{why}", in_words(receipt));
    }
    println!("{} receipts are missing", missing.count);
    Ok(())
}

async fn decide(service: &Service, journal: &Journal, order: OrderId, options: &Options) -> Result<Receipt> {
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
        404 => bail!("the ledger has no receipt of order {order}, or the order is not paid"),
        409 => {
            let conflict: Conflict = serde_json::from_str(&body)?;
            bail!("refused, {}: {}", conflict.reason, conflict.error)
        }
        _ => bail!("the webhook service answers {status}: {body}"),
    }
    Ok(serde_json::from_str(&body)?)
}

fn in_words(receipt: &Receipt) -> String {
    let state = match &receipt.state {
        ReceiptState::Needed { click_code: Some(code), click_note } => {
            let note = click_note.as_deref().unwrap_or_default();
            format!("CLICK refused the items ({code} {note}); they are sent again")
        }
        ReceiptState::Needed { click_code: None, .. } => "to be sent".to_owned(),
        ReceiptState::Submitting { .. } => "being sent".to_owned(),
        ReceiptState::Unknown { .. } => "sent, CLICK is asked for the outcome".to_owned(),
        ReceiptState::Submitted { .. } => "taken by CLICK, its address is not known yet".to_owned(),
        ReceiptState::Known { url, .. } => url.clone(),
        ReceiptState::Missing { why, click_code, click_note } => {
            let code =
                click_code.map(|code| format!(" ({code} {})", click_note.as_deref().unwrap_or_default()));
            let (reason, to_do) = reason(*why);
            format!("missing: {reason}{}\n  {to_do}{CLOSING}", code.unwrap_or_default())
        }
        ReceiptState::ByHand { decided_by, document } => format!("by hand ({decided_by}): {document}"),
    };
    let (order, sum) = (receipt.order_id, receipt.amount_tiyin.grouped());
    format!("order {order}, {sum} so'm: {state}")
}

/// Why there is none, and what to do about it.
const fn reason(why: MissingReason) -> (&'static str, &'static str) {
    match why {
        MissingReason::NoCodes => (
            "a product or the delivery had no MXIK, package code or VAT rate when it was ordered",
            "give the product its codes for later orders; print this receipt in CLICK's cabinet or at your cash register",
        ),
        MissingReason::PaidInTelegram => (
            "it was paid by Telegram's invoice, of which CLICK's Merchant API knows nothing",
            "look in CLICK's cabinet whether it was printed there, else print it at your cash register",
        ),
        MissingReason::PaymentNotFound => (
            "CLICK does not find the payment",
            "look the payment up in CLICK's cabinet; where it is there, --retry, else ask CLICK's support",
        ),
        MissingReason::Refused => (
            "CLICK refused the items until the deadline",
            "read CLICK's words, mend what they name with CLICK's support (codes in the register, the seller), then --retry",
        ),
        MissingReason::NoAnswer => (
            "CLICK gave no answer that can be believed until the deadline",
            "when CLICK answers again (`tolov doctor`), --retry: it is asked for the receipt first",
        ),
        MissingReason::NoAddress => (
            "CLICK took the items and has had no address of the receipt for a week",
            "look in CLICK's cabinet whether it was printed; ask CLICK's support for it, and do not print a second one before",
        ),
        MissingReason::Refunded => (
            "the money went back before the items were sent",
            "nothing was sold: close it with the refund's number as the document, unless your tax adviser wants both receipts",
        ),
        MissingReason::ContentLost => (
            "a restore took the order back, and nobody knows what it sold",
            "CLICK has no receipt of it: ask the shopper what was bought and print it at your cash register",
        ),
        MissingReason::ContentDiffers => (
            "RECEIPT_SELLER or CLICK_SERVICE_ID differs from what was sent before",
            "look in CLICK's cabinet whether it was printed; if not, put the old setting back and --retry",
        ),
    }
}
