//! `tolov refund`: gives the money of a paid order back, or decides about a refund that waits for a person, through the API
//! of the running webhook service.
#![expect(clippy::print_stdout, reason = "what is found and done is this command's answer")]

use std::{
    io::{BufRead, Write},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use reqwest::Method;
use serde_json::json;
use tolov_domain::{
    OrderId, OrderedProduct, ProductId, Tiyin,
    refund::{
        AllowedReason, Refund, RefundState,
        api::{Conflict, DecidedBy, GivenByHand, OrderRefunds, RefundRequest},
    },
};
use tolov_kit::{env::Env, secret::Secret};
use url::Url;

use super::journal::Journal;
use crate::{audit::replayer::ServiceAddress, data_folder::DataFolder};

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
    let known = service.refunds(options.order).await?;
    print(&known);
    if options.show {
        return Ok(());
    }
    let journal = Journal::beside(data.ledger_path());
    let refund = if options.withdraw || options.retry || options.by_hand.is_some() {
        decide(&service, &journal, &known, options).await?
    } else {
        request(&service, &journal, &known, options).await?
    };
    if let Some(refund) = refund {
        println!("{}", in_words(&refund));
    }
    Ok(())
}

async fn request(
    service: &Service,
    journal: &Journal,
    known: &OrderRefunds,
    options: &Options,
) -> Result<Option<Refund>> {
    ensure!(
        known.open.is_none(),
        "a refund of this order is open: --by-hand, --retry or --withdraw decide it"
    );
    let left = known.paid_tiyin.checked_sub(known.refunded_tiyin).unwrap_or(Tiyin::ZERO);
    let sum = options.amount.unwrap_or(left);
    let how = if known.allowed.by_click && sum == known.paid_tiyin {
        "through CLICK"
    } else {
        "by hand: the money has to be given back in CLICK's cabinet"
    };
    let order = options.order;
    if !is_sure(options, &format!("Give back {} so'm of order {order}, {how}?", sum.grouped()))? {
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
    service.change(&format!("/orders/{order}/refunds"), serde_json::to_string(&body)?).await.map(Some)
}

async fn decide(
    service: &Service,
    journal: &Journal,
    known: &OrderRefunds,
    options: &Options,
) -> Result<Option<Refund>> {
    let open = known.open.as_ref().context("this order has no open refund")?;
    let (id, sum) = (open.refund_id, open.amount_tiyin.grouped());
    let by = OPERATOR.to_owned();
    let (verb, question) = match &options.by_hand {
        Some(_) => ("by-hand", format!("Was {sum} so'm really given back by hand?")),
        None if options.retry => ("retry", format!("Does the cabinet show that {sum} so'm did not go back?")),
        None => ("withdraw", format!("Withdraw the refund of {sum} so'm? Nothing is given back.")),
    };
    if !is_sure(options, &question)? {
        return Ok(None);
    }
    let details = json!({ "order": options.order, "refund": id, verb: options.by_hand });
    journal.record("refund", details)?;
    let path = format!("/refunds/{id}/{verb}");
    let body = match &options.by_hand {
        Some(document) => serde_json::to_string(&GivenByHand { by, document: document.clone() })?,
        None => serde_json::to_string(&DecidedBy { by })?,
    };
    service.change(&path, body).await.map(Some)
}

/// Asks at the terminal. Only `yes` counts.
fn is_sure(options: &Options, question: &str) -> Result<bool> {
    if options.yes {
        return Ok(true);
    }
    print!("{question} Write yes: ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    let is_yes = answer.trim() == "yes";
    if !is_yes {
        println!("nothing was done");
    }
    Ok(is_yes)
}

fn print(known: &OrderRefunds) {
    println!("paid: {} so'm; given back: {}", known.paid_tiyin.grouped(), known.refunded_tiyin.grouped());
    for refund in &known.refunds {
        println!("{}", in_words(refund));
    }
    let until = known.allowed.until.map(|until| format!(" until {until}")).unwrap_or_default();
    println!(
        "{}",
        match known.allowed.reason {
            AllowedReason::Ok =>
                format!("CLICK can give the whole payment back{until}, if it was made with an online card"),
            AllowedReason::NotPaid => "the order is not paid".to_owned(),
            AllowedReason::NothingLeft => "nothing is left to give back".to_owned(),
            AllowedReason::RefundOpen => "a refund is open".to_owned(),
            AllowedReason::OutsideMonth => {
                "CLICK reverses payments of this month, on the 1st also of the last one: by hand only"
                    .to_owned()
            }
            AllowedReason::PartialByHand => "a part was given back before: the rest goes by hand".to_owned(),
            AllowedReason::PaidInTelegram => {
                "it was paid by Telegram's invoice: give it back in CLICK's cabinet".to_owned()
            }
            AllowedReason::MerchantApiOff => "CLICK_MERCHANT_USER_ID is not set: by hand only".to_owned(),
        }
    );
}

fn in_words(refund: &Refund) -> String {
    let state = match &refund.state {
        RefundState::Requested | RefundState::Checked { .. } => "requested".to_owned(),
        RefundState::Sending { .. } => "being sent".to_owned(),
        RefundState::Unknown { .. } if refund.next_step_at.is_some() => {
            "CLICK is asked for its outcome".to_owned()
        }
        RefundState::Unknown { .. } => {
            "its outcome is not known: look into CLICK's cabinet, then --by-hand or --retry".to_owned()
        }
        RefundState::Refused { click_code, click_note, .. } => {
            format!("CLICK refused ({click_code} {click_note}): give it back by hand, then --by-hand")
        }
        RefundState::Manual { why, .. } => format!("by hand ({why:?}): give it back, then --by-hand"),
        RefundState::Done { .. } => "given back through CLICK".to_owned(),
        RefundState::DoneByHand { document, .. } => format!("given back by hand: {document}"),
        RefundState::Withdrawn { .. } => "withdrawn".to_owned(),
    };
    let Refund { refund_id, requested_by, requested_at, .. } = refund;
    let sum = refund.amount_tiyin.grouped();
    format!("refund {refund_id} of {sum} so'm, asked for by {requested_by} at {requested_at}: {state}")
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

    async fn refunds(&self, order: OrderId) -> Result<OrderRefunds> {
        let (status, body) =
            self.call(Method::GET, &format!("/orders/{order}/refunds"), String::new()).await?;
        ensure!(status != 404, "the ledger has no order {order}");
        ensure!(status == 200, "the webhook service answers {status}: {body}");
        Ok(serde_json::from_str(&body)?)
    }

    async fn change(&self, path: &str, body: String) -> Result<Refund> {
        let (status, body) = self.call(Method::POST, path, body).await?;
        match status {
            200 | 201 => Ok(serde_json::from_str(&body)?),
            409 => {
                let conflict: Conflict = serde_json::from_str(&body)?;
                bail!("refused, {}: {}", conflict.reason, conflict.error)
            }
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
