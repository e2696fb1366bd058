//! `/sandbox/click/…`

use http::StatusCode;
use serde::Deserialize;
use url::Url;

use super::{Answer, Refused, Request, done, id, ok, unknown};
use crate::click::{Click, ClickError, Play};

#[derive(Deserialize)]
struct Merchant {
    prepare_url: String,
    complete_url: String,
}

/// What to pay: an order, or a link.
#[derive(Deserialize)]
#[serde(untagged)]
enum Pay {
    Order { order_id: String, amount: String },
    Link { link: String },
}

pub(super) async fn answer(click: &Click, knob: &[&str], request: &Request) -> Answer {
    match (request.method.as_str(), knob) {
        ("POST", ["merchant"]) => {
            let Merchant { prepare_url, complete_url } = request.json()?;
            click.point_at(address(&prepare_url)?, address(&complete_url)?);
            Ok(done())
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
        ("POST", ["play"]) => {
            let (click, play) = (click.clone(), request.json::<Play>()?);
            to_the_end(async move { click.play(play).await }).await
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
        _ => Err(unknown()),
    }
}

fn address(text: &str) -> Result<Url, Refused> {
    Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https")).ok_or_else(|| {
        Refused::new(StatusCode::UNPROCESSABLE_ENTITY, format_args!("{text:?} is no http address"))
    })
}

/// A payment that began goes on when the caller hangs up: half a payment is nobody's wish.
async fn to_the_end<T: serde::Serialize + Send + 'static>(
    work: impl Future<Output = Result<T, ClickError>> + Send + 'static,
) -> Answer {
    match tokio::spawn(work).await {
        Ok(Ok(outcome)) => Ok(ok(&outcome)),
        Ok(Err(error)) => Err(refused(&error)),
        Err(_) => Err(Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "the payment broke off")),
    }
}

fn refused(error: &ClickError) -> Refused {
    let status = match error {
        ClickError::NoMerchant => StatusCode::CONFLICT,
        ClickError::BadLink(_) | ClickError::NoSuchField(_) | ClickError::TooMany(..) => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        ClickError::Busy => StatusCode::SERVICE_UNAVAILABLE,
    };
    Refused::new(status, error)
}
