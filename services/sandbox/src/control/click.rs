//! `/sandbox/click/…`

use http::StatusCode;
use serde::{Deserialize, Serialize};
use url::Url;

use super::request::{Answer, Refused, Request, done, id, ok, unknown};
use crate::click::{ApiFault, Click, ClickError, Fault, ScenarioRequest};

#[derive(Deserialize)]
struct Merchant {
    prepare_url: String,
    complete_url: String,
}

#[derive(Deserialize)]
struct Reversals {
    #[serde(default)]
    refuse: bool,
    #[serde(default)]
    parts: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Pay {
    Order { order_id: String, amount: String },
    Link { link: String },
}

pub(super) async fn answer(click: &Click, path: &[&str], request: &Request) -> Answer {
    match (request.method.as_str(), path) {
        ("POST", ["merchant"]) => {
            let Merchant { prepare_url, complete_url } = request.json()?;
            let moved = click.move_merchant(address(&prepare_url)?, address(&complete_url)?);
            moved.map(|()| done()).map_err(|error| refused(&error))
        }
        ("POST", ["pay"]) => {
            let (click, pay) = (click.clone(), request.json()?);
            to_the_end(async move {
                match pay {
                    Pay::Order { order_id, amount } => click.pay(&order_id, &amount).await,
                    Pay::Link { link } => click.pay_link(&link).await,
                }
            })
            .await
        }
        ("POST", ["scenarios"]) => {
            let (click, scenario) = (click.clone(), request.json::<ScenarioRequest>()?);
            to_the_end(async move { click.run_scenario(scenario).await }).await
        }
        ("GET", ["faults"]) => Ok(ok(&click.faults())),
        ("POST", ["faults"]) => {
            click.inject(request.json::<Fault>()?).map_err(|error| refused(&error))?;
            Ok(done())
        }
        ("DELETE", ["faults"]) => {
            click.clear_faults();
            Ok(done())
        }
        ("GET", ["payments"]) => {
            let mut payments = click.payments();
            if let Some(order_id) = request.text("order_id") {
                payments.retain(|payment| payment.order_id == order_id);
            }
            Ok(ok(&payments))
        }
        ("GET", ["payments", payment]) => {
            click.payment(id(payment)?).map(|payment| ok(&payment)).ok_or_else(unknown)
        }
        _ => merchant_api(click, path, request).await,
    }
}

/// Records of the Merchant API, and what a payer does with invoices.
async fn merchant_api(click: &Click, path: &[&str], request: &Request) -> Answer {
    match (request.method.as_str(), path) {
        ("GET", ["invoices"]) => Ok(ok(&click.invoices())),
        ("POST", ["invoices", invoice, "pay"]) => {
            let (click, invoice) = (click.clone(), id(invoice)?);
            to_the_end(async move { click.pay_invoice(invoice).await }).await
        }
        ("POST", ["invoices", invoice, "delete"]) => {
            click.delete_invoice(id(invoice)?).map_err(|error| refused(&error))?;
            Ok(done())
        }
        ("GET", ["receipts"]) => Ok(ok(&click.receipts())),
        ("GET", ["api_calls"]) => Ok(ok(&click.api_calls())),
        ("POST", ["reversals"]) => {
            let Reversals { refuse, parts } = request.json()?;
            click.refuse_reversals(refuse);
            click.reverse_parts(parts);
            Ok(done())
        }
        ("GET", ["api_faults"]) => Ok(ok(&click.api_faults())),
        ("POST", ["api_faults"]) => {
            click.inject_api(request.json::<ApiFault>()?).map_err(|error| refused(&error))?;
            Ok(done())
        }
        ("DELETE", ["api_faults"]) => {
            click.clear_api_faults();
            Ok(done())
        }
        _ => Err(unknown()),
    }
}

fn address(text: &str) -> Result<Url, Refused> {
    Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https")).ok_or_else(|| {
        Refused::new(StatusCode::UNPROCESSABLE_ENTITY, format_args!("{text:?} is not an http address"))
    })
}

/// Finishes a payment even if the caller hangs up.
async fn to_the_end<T: Serialize + Send + 'static>(
    work: impl Future<Output = Result<T, ClickError>> + Send + 'static,
) -> Answer {
    match tokio::spawn(work).await {
        Ok(Ok(outcome)) => Ok(ok(&outcome)),
        Ok(Err(error)) => Err(refused(&error)),
        Err(_) => Err(Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "the payment panicked")),
    }
}

fn refused(error: &ClickError) -> Refused {
    let status = match error {
        ClickError::NoMerchant | ClickError::InvoiceNotWaiting(_) => StatusCode::CONFLICT,
        ClickError::OtherMerchant => StatusCode::FORBIDDEN,
        ClickError::NoSuchInvoice(_) => StatusCode::NOT_FOUND,
        ClickError::BadLink(_) | ClickError::NoSuchField(_) | ClickError::TooMany(..) => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        ClickError::Busy => StatusCode::SERVICE_UNAVAILABLE,
    };
    Refused::new(status, error)
}
