//! What CLICK keeps of the Merchant API.

use serde::Serialize;
use tolov_click::merchant_api::FiscalItems;

pub(in crate::click) const MAX_API_CALLS: usize = 1_000;
pub(in crate::click) const MAX_INVOICES: usize = 10_000;
pub(in crate::click) const MAX_RECEIPTS: usize = 1_000;

/// A call without its header and body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApiCall {
    pub at_ms: i64,
    pub method: String,
    pub path: String,
    pub http_status: u16,
    pub error_code: i64,
    pub error_note: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Invoice {
    pub invoice_id: i64,
    pub order_id: String,
    /// So'm, as the callbacks will have it.
    pub amount: String,
    pub phone_number: String,
    pub status: InvoiceStatus,
    pub created_at_ms: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum InvoiceStatus {
    Waiting,
    /// The payer has confirmed; the payment is under way.
    InProgress,
    Paid {
        click_trans_id: i64,
    },
    Deleted,
}

/// Fiscal data of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receipt {
    pub payment_id: i64,
    /// `None` where the merchant's own cash register made the receipt.
    pub items: Option<FiscalItems>,
    pub qr_code_url: String,
}
