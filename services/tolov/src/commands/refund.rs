//! `tolov refund`: gives the money of a paid order back, or decides about a refund that waits for a person, through the API
//! of the running webhook service.

use std::{fmt::Display, io::BufRead, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use reqwest::Method;
use serde_json::json;
use time::macros::format_description;
use tolov_domain::{
    Language, OrderId, OrderedProduct, ProductId, Tiyin,
    refund::{
        AllowedReason, ManualReason, Refund, RefundState,
        api::{Conflict, DecidedBy, GivenByHand, OrderRefunds, RefundRequest},
    },
    time::Timestamp,
};
use tolov_kit::{env::Env, secret::Secret};
use url::Url;

use super::journal::Journal;
use crate::{
    audit::replayer::ServiceAddress,
    cli::language,
    data_folder::DataFolder,
    doctor::texts::{language_of_terminal, text},
};

const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// Who asks, as the ledger keeps it. The operators' journal has the name.
pub(super) const OPERATOR: &str = "operator";

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(crate) struct Options {
    /// The number of the order, CLICK's merchant_trans_id
    #[arg(value_parser = order_id)]
    order: OrderId,
    /// So many so'm; without it all that is left. CLICK reverses whole payments only: a part goes by hand
    #[arg(long, value_name = "SOUM", value_parser = amount, conflicts_with_all = ["withdraw", "by_hand", "retry", "show"])]
    amount: Option<Tiyin>,
    /// What goes back into stock with it: 7=2,21=1
    #[arg(long, value_name = "PRODUCT=COUNT", value_parser = line, value_delimiter = ',', conflicts_with_all = ["withdraw", "by_hand", "retry", "show"])]
    lines: Vec<OrderedProduct>,
    /// Why, for the ledger
    #[arg(long, default_value = "")]
    reason: String,
    /// Nothing is given back: end the open refund
    #[arg(long, conflicts_with_all = ["by_hand", "retry"])]
    withdraw: bool,
    /// The money was given back in CLICK's cabinet or by a transfer; the document that proves it
    #[arg(long, value_name = "DOCUMENT", conflicts_with = "retry")]
    by_hand: Option<String>,
    /// The cabinet shows that the money did not go back: send once more
    #[arg(long)]
    retry: bool,
    /// Only show what was given back and what can be
    #[arg(long, conflicts_with_all = ["withdraw", "by_hand", "retry"])]
    show: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// uz, ru or en; without it the language of LANG
    #[arg(long, value_parser = language)]
    language: Option<Language>,
}

pub(super) fn order_id(text: &str) -> Result<OrderId, String> {
    OrderId::parse(text).map_err(|error| error.to_string())
}

fn amount(text: &str) -> Result<Tiyin, String> {
    Tiyin::parse_soum(text).map_err(|error| error.to_string())
}

fn line(text: &str) -> Result<OrderedProduct, String> {
    const FORM: &str = "write the product's number and how many of it: 7=2";
    let (product, count) = text.split_once('=').ok_or(FORM)?;
    let product_id = ProductId::parse(product).map_err(|error| error.to_string())?;
    Ok(OrderedProduct { product_id, count: count.parse().map_err(|_| FORM)? })
}

pub(crate) async fn run(env: &Env, options: &Options) -> Result<()> {
    let data = DataFolder::from_env(env);
    let service = ServiceAddress::from_env(env);
    env.finish()?;
    let service = Service::new(service)?;
    let language = options.language.unwrap_or_else(language_of_terminal);
    let known = service.refunds(options.order, language).await?;
    print(&known, language);
    if options.show {
        return Ok(());
    }
    let journal = Journal::beside(data.ledger_path());
    let refund = if options.withdraw || options.retry || options.by_hand.is_some() {
        decide(&service, &journal, &known, (options, language)).await?
    } else {
        request(&service, &journal, &known, (options, language)).await?
    };
    if let Some(refund) = refund {
        println!("{}", in_words(&refund, language));
    }
    Ok(())
}

async fn request(
    service: &Service,
    journal: &Journal,
    known: &OrderRefunds,
    (options, language): (&Options, Language),
) -> Result<Option<Refund>> {
    ensure!(known.open.is_none(), "{}", text(language, "refund-decide-first", &[]));
    if let reason @ (AllowedReason::NotPaid | AllowedReason::NothingLeft) = known.allowed.reason {
        bail!("{}", text(language, allowed(reason), &[]));
    }
    let left = known.paid_tiyin.checked_sub(known.refunded_tiyin).unwrap_or(Tiyin::ZERO);
    let sum = options.amount.unwrap_or(left);
    let is_within = sum > Tiyin::ZERO && sum <= left;
    ensure!(is_within, "{}", text(language, "refund-not-within", &[("left", &left.grouped())]));
    let question = if known.allowed.by_click && sum == known.paid_tiyin {
        "refund-ask-through-click"
    } else {
        "refund-ask-in-cabinet"
    };
    let order = options.order;
    let question = text(language, question, &[("sum", &sum.grouped()), ("order", &order)]);
    if !is_sure(options, language, &question)? {
        return Ok(None);
    }
    let body = RefundRequest {
        // A repetition of this command for the same state is the same refund.
        request_id: format!("{OPERATOR}:{order}:{}", known.refunds.len()),
        amount_tiyin: Some(sum),
        returned: options.lines.clone(),
        requested_by: OPERATOR.to_owned(),
        reason: options.reason.clone(),
        by_hand: None,
    };
    journal.record("refund", json!({ "order": order, "amount_tiyin": sum, "lines": body.returned }))?;
    service
        .change(&format!("/orders/{order}/refunds"), serde_json::to_string(&body)?, language)
        .await
        .map(Some)
}

async fn decide(
    service: &Service,
    journal: &Journal,
    known: &OrderRefunds,
    (options, language): (&Options, Language),
) -> Result<Option<Refund>> {
    let open = known.open.as_ref().with_context(|| text(language, "refund-none-open", &[]))?;
    let id = open.refund_id;
    let by = OPERATOR.to_owned();
    let (verb, question) = match &options.by_hand {
        Some(_) => ("by-hand", "refund-ask-by-hand"),
        None if options.retry => ("retry", "refund-ask-retry"),
        None => ("withdraw", "refund-ask-withdraw"),
    };
    let question = text(language, question, &[("sum", &open.amount_tiyin.grouped())]);
    if !is_sure(options, language, &question)? {
        return Ok(None);
    }
    let details = json!({ "order": options.order, "refund": id, verb: options.by_hand });
    journal.record("refund", details)?;
    let path = format!("/refunds/{id}/{verb}");
    let body = match &options.by_hand {
        Some(document) => serde_json::to_string(&GivenByHand { by, document: document.clone() })?,
        None => serde_json::to_string(&DecidedBy { by })?,
    };
    service.change(&path, body, language).await.map(Some)
}

/// Asks at the terminal. Only `yes` counts.
fn is_sure(options: &Options, language: Language, question: &str) -> Result<bool> {
    if options.yes {
        return Ok(true);
    }
    print!("{question} {} ", text(language, "refund-write-yes", &[]));
    crate::output::check()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    let is_yes = answer.trim() == "yes";
    if !is_yes {
        println!("{}", text(language, "refund-nothing-done", &[]));
    }
    Ok(is_yes)
}

fn print(known: &OrderRefunds, language: Language) {
    let (paid, returned) = (known.paid_tiyin.grouped(), known.refunded_tiyin.grouped());
    println!("{}", text(language, "refund-sums", &[("paid", &paid), ("returned", &returned)]));
    for refund in &known.refunds {
        println!("{}", in_words(refund, language));
    }
    println!(
        "{}",
        match (known.allowed.reason, known.allowed.until) {
            (AllowedReason::Ok, Some(until)) =>
                text(language, "refund-by-click-until", &[("until", &in_utc(until))]),
            (reason, _) => text(language, allowed(reason), &[]),
        }
    );
}

const fn allowed(reason: AllowedReason) -> &'static str {
    match reason {
        AllowedReason::Ok => "refund-by-click",
        AllowedReason::NotPaid => "refund-not-paid",
        AllowedReason::NothingLeft => "refund-nothing-left",
        AllowedReason::RefundOpen => "refund-is-open",
        AllowedReason::OutsideMonth => "refund-outside-month",
        AllowedReason::PartialByHand => "refund-part-before",
        AllowedReason::PaidInTelegram => "refund-paid-in-telegram",
        AllowedReason::MerchantApiOff => "refund-api-off",
    }
}

fn in_words(refund: &Refund, language: Language) -> String {
    let state = match &refund.state {
        RefundState::Requested | RefundState::Checked { .. } => text(language, "refund-requested", &[]),
        RefundState::Sending { .. } => text(language, "refund-sending", &[]),
        RefundState::Unknown { .. } if refund.next_step_at.is_some() => text(language, "refund-asking", &[]),
        RefundState::Unknown { .. } => text(language, "refund-unknown", &[]),
        RefundState::Refused { click_code, click_note, .. } => {
            text(language, "refund-refused-by-click", &[("code", click_code), ("note", click_note)])
        }
        RefundState::Manual { why, .. } => {
            text(language, "refund-manual", &[("why", &text(language, why_by_hand(*why), &[]))])
        }
        RefundState::Done { .. } => text(language, "refund-done", &[]),
        RefundState::DoneByHand { document, .. } => {
            text(language, "refund-done-by-hand", &[("document", document)])
        }
        RefundState::Withdrawn { .. } => text(language, "refund-withdrawn", &[]),
    };
    let Refund { refund_id, requested_by, requested_at, .. } = refund;
    let (sum, at) = (refund.amount_tiyin.grouped(), in_utc(*requested_at));
    let args: [(_, &dyn Display); 5] =
        [("refund", refund_id), ("sum", &sum), ("by", requested_by), ("at", &at), ("state", &state)];
    text(language, "refund-line", &args)
}

const fn why_by_hand(reason: ManualReason) -> &'static str {
    match reason {
        ManualReason::OutsideMonth => "refund-why-outside-month",
        ManualReason::PartialByHand => "refund-why-part",
        ManualReason::MerchantApiOff => "refund-why-api-off",
        ManualReason::PaidInTelegram => "refund-why-in-telegram",
        ManualReason::PaymentNotFound => "refund-why-not-found",
        ManualReason::LooksReversed => "refund-why-looks-reversed",
        ManualReason::LedgerRestored => "refund-why-ledger-restored",
    }
}

fn why_refused(conflict: &Conflict, language: Language) -> String {
    let key = match conflict.reason.as_str() {
        "not_paid" => "refund-not-paid",
        "nothing_left" => "refund-nothing-left",
        "refund_open" => "refund-is-open",
        "other_request" => "refund-other-request",
        "not_allowed" => "refund-not-allowed",
        "stale" => "refund-stale",
        // Of a newer webhook service.
        _ => return conflict.error.clone(),
    };
    text(language, key, &[])
}

/// Whether a service refuses this field of a request.
fn is_about(body: &str, field: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(body).is_ok_and(|answer| answer["field"] == field)
}

fn in_utc(at: Timestamp) -> String {
    at.format(format_description!("[year]-[month]-[day] [hour]:[minute]:[second]Z")).unwrap_or_default()
}

/// The webhook service, which alone writes the ledger.
pub(super) struct Service {
    http: reqwest::Client,
    url: Url,
    token: Secret,
}

impl Service {
    pub(super) fn new(address: ServiceAddress) -> Result<Self> {
        let (url, token) = address
            .known()
            .context("set WEBHOOK_URL and API_TOKEN: the webhook service keeps refunds and receipts")?;
        let http = reqwest::Client::builder().no_proxy().timeout(CALL_TIMEOUT).build()?;
        Ok(Self { http, url, token })
    }

    async fn refunds(&self, order: OrderId, language: Language) -> Result<OrderRefunds> {
        let (status, body) =
            self.call(Method::GET, &format!("/orders/{order}/refunds"), String::new()).await?;
        ensure!(status != 404, "{}", text(language, "refund-order-unknown", &[("order", &order)]));
        ensure!(status == 200, "the webhook service answers {status}: {body}");
        Ok(serde_json::from_str(&body)?)
    }

    async fn change(&self, path: &str, body: String, language: Language) -> Result<Refund> {
        let (status, body) = self.call(Method::POST, path, body).await?;
        match status {
            200 | 201 => Ok(serde_json::from_str(&body)?),
            409 => {
                let conflict: Conflict = serde_json::from_str(&body)?;
                let reason = why_refused(&conflict, language);
                bail!(
                    "{}",
                    text(language, "refund-refused", &[("code", &conflict.reason), ("reason", &reason)])
                )
            }
            422 if is_about(&body, "returned") => bail!("{}", text(language, "refund-lines-not-left", &[])),
            _ => bail!("the webhook service answers {status}: {body}"),
        }
    }

    pub(super) async fn call(&self, method: Method, path: &str, body: String) -> Result<(u16, String)> {
        let request = self.http.request(method, self.url.join(path)?).bearer_auth(self.token.expose());
        let request = request.header("content-type", "application/json").body(body);
        let answer = request.send().await.map_err(reqwest::Error::without_url);
        let answer = answer.context("the webhook service does not answer at WEBHOOK_URL")?;
        let status = answer.status().as_u16();
        Ok((status, answer.text().await.map_err(reqwest::Error::without_url)?))
    }
}
