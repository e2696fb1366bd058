//! CLICK's Merchant API: whether it accepts our keys and our service. Asks for a payment that cannot exist.

use std::sync::Arc;

use tolov_click::Call;
use tolov_domain::refund::api::CallOutcome;
use tolov_kit::clock::SystemClock;
use tolov_reconciler::{ClickClient, Config, MerchantApi};

use super::report::{Finding, why};

/// No payment has this number.
const NO_PAYMENT: i64 = 0;

pub(super) async fn check(config: &Config) -> Vec<Finding> {
    let client = match ClickClient::new(config, Arc::new(SystemClock)) {
        Ok(client) => client,
        Err(error) => return vec![Finding::bad("merchant-api-away").with("detail", why(error))],
    };
    let call = Call::PaymentStatus { service_id: config.service_id, payment_id: NO_PAYMENT };
    let reading = client.call(&call).await;
    let code = reading.code.map_or_else(|| "-".to_owned(), |code| code.to_string());
    vec![match reading.outcome {
        // Any other code says that the keys were accepted.
        CallOutcome::Done | CallOutcome::NotFound | CallOutcome::Refused => {
            Finding::good("merchant-api-good").with("url", &config.merchant_api_url)
        }
        CallOutcome::Setup => Finding::bad("merchant-api-keys").with("code", code).with("note", reading.note),
        CallOutcome::Unknown => Finding::doubtful("merchant-api-away").with("detail", reading.note),
    }]
}
