//! CLICK's Merchant API (section 3): what a merchant asks CLICK. Calls and answers as both sides know them, without an
//! HTTP client: [`Call`] gives the method, the address and the body, and reads them back.

mod auth;
mod call;
mod fiscal;
mod reading;
mod receipts;

use serde::{Deserialize, Serialize};

pub use auth::{Auth, BadAuth};
pub use call::{BadCall, Call, NewInvoice};
pub use fiscal::{BadItems, CommissionInfo, FiscalItem, FiscalItems, FiscalQrCode};
pub use reading::Reading;

/// CLICK's own server. There is no other one for tests.
pub const CLICK_MERCHANT_API: &str = "https://api.click.uz";
/// What every path begins with.
pub const BASE_PATH: &str = "/v2/merchant/";
/// The header of [`Auth`].
pub const AUTH_HEADER: &str = "Auth";

/// Every answer: a code, 0 for success, its words, and what was asked for.
///
/// CLICK does not publish its other codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiAnswer<T> {
    pub error_code: i64,
    pub error_note: String,
    #[serde(flatten, default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub body: Option<T>,
}

impl<T> ApiAnswer<T> {
    pub fn success(body: T) -> Self {
        Self { error_code: 0, error_note: "Success".to_owned(), body: Some(body) }
    }
}

/// Of `invoice/create`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceCreated {
    pub invoice_id: i64,
}

/// Of `invoice/status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceState {
    /// [`InvoiceState::WAITING`], [`InvoiceState::PAID`] or [`InvoiceState::DELETED`]. Official samples read `status`.
    #[serde(alias = "status")]
    pub invoice_status: i64,
    #[serde(default, alias = "status_note")]
    pub invoice_status_note: String,
}

impl InvoiceState {
    pub const DELETED: i64 = -99;
    pub const WAITING: i64 = 0;
    pub const PAID: i64 = 1;
}

/// Of `payment/status` and `payment/status_by_mti`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentState {
    pub payment_id: i64,
    /// Below 0 failed, 0 created, 1 in work, 2 paid. The documents show it in the table and leave it out of a sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_status: Option<i64>,
    /// Of `status_by_mti`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant_trans_id: Option<String>,
}

impl PaymentState {
    pub const CREATED: i64 = 0;
    pub const IN_WORK: i64 = 1;
    pub const PAID: i64 = 2;
}

/// Of `payment/reversal`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reversed {
    pub payment_id: i64,
}

/// Of a call that answers nothing but its code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nothing {}

/// Of `payment/ofd_data`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FiscalData {
    #[serde(rename = "paymentId")]
    pub payment_id: i64,
    #[serde(rename = "qrCodeURL")]
    pub qr_code_url: String,
}
