//! The CLICK simulator: the payment page, the calls to a merchant, and the Merchant API.

mod callbacks;
mod config;
mod error;
mod link;
pub(crate) mod merchant_api;
pub(crate) mod page;
mod pay;
mod payment;
mod scenario;
mod simulator;

pub use callbacks::{
    exchange::{Exchange, MerchantAnswer, Step},
    faults::{Fault, FaultEffect},
};
pub use config::{ClickConfig, TEST_CARD, TEST_CARD_EXPIRY, TEST_SMS_CODE};
pub use error::{BadLink, ClickError};
pub use link::OpenedLink;
pub use merchant_api::{
    faults::{ApiCallKind, ApiFault, ApiFaultEffect},
    records::{ApiCall, Invoice, InvoiceStatus, Receipt},
};
pub use payment::{Payment, PaymentStatus};
pub use scenario::definition::{Scenario, ScenarioRequest};
pub use simulator::Click;
