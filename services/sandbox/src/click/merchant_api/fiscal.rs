//! Fiscal data: what is told to the tax committee about a paid payment, and the receipt that comes of it.

use http::StatusCode;
use serde::Serialize;
use tolov_click::merchant_api::{FiscalData, FiscalItems, FiscalQrCode, Nothing};
use tolov_domain::Tiyin;
use url::Url;

use super::{ApiRefusal, Done, success};
use crate::click::{Click, Payment};

/// A receipt as CLICK knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receipt {
    pub payment_id: i64,
    /// What was sent; `None` where the merchant's own cash register made the receipt.
    pub items: Option<FiscalItems>,
    pub qr_code_url: String,
}

impl Click {
    /// Every receipt that is remembered, oldest first.
    pub fn receipts(&self) -> Vec<Receipt> {
        self.with(|state| state.receipts.iter().cloned().collect())
    }

    pub(super) fn submit_items(&self, items: &FiscalItems) -> Done {
        items.check().map_err(|bad| ApiRefusal::new(StatusCode::BAD_REQUEST, bad))?;
        let amount = self.paid_amount(items.payment_id)?;
        // Ours: sums in so'm instead of tiyin would tell the tax committee a hundredth.
        if items.received().and_then(|sum| i64::try_from(sum).ok()) != amount.map(Tiyin::get) {
            return Err(ApiRefusal::new(
                StatusCode::BAD_REQUEST,
                "received_ecash, received_cash and received_card are not together the payment's amount in tiyin",
            ));
        }
        let qr_code_url = format!("https://ofd.soliq.uz/check?t=SANDBOX&r={}", items.payment_id);
        Ok(self.keep_receipt(Receipt {
            payment_id: items.payment_id,
            items: Some(items.clone()),
            qr_code_url,
        }))
    }

    pub(super) fn submit_qr_code(&self, qr_code: FiscalQrCode) -> Done {
        let is_address =
            Url::parse(&qr_code.qrcode).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if !is_address {
            return Err(ApiRefusal::new(StatusCode::BAD_REQUEST, "qrcode is no address of a receipt"));
        }
        self.paid_amount(qr_code.payment_id)?;
        Ok(self.keep_receipt(Receipt {
            payment_id: qr_code.payment_id,
            items: None,
            qr_code_url: qr_code.qrcode,
        }))
    }

    pub(super) fn fiscal_data(&self, payment_id: i64) -> Done {
        let found = self.with(|state| {
            let mut newest_first = state.receipts.iter().rev();
            newest_first.find(|receipt| receipt.payment_id == payment_id).cloned()
        });
        let receipt = found.ok_or_else(|| ApiRefusal::not_found("fiscal data of that payment"))?;
        Ok(success(FiscalData { payment_id, qr_code_url: receipt.qr_code_url }))
    }

    /// The same data again is fine; other data replaces what was there, as a corrected receipt does.
    fn keep_receipt(&self, receipt: Receipt) -> serde_json::Value {
        self.with(|state| {
            if let Some(known) =
                state.receipts.iter_mut().find(|known| known.payment_id == receipt.payment_id)
            {
                *known = receipt;
                return;
            }
            state.receipts.push(receipt);
        });
        success(Nothing {})
    }

    fn paid_amount(&self, payment_id: i64) -> Result<Option<Tiyin>, ApiRefusal> {
        let found = self.with(|state| {
            let mut newest_first = state.payments.iter().rev();
            newest_first.find(|payment| payment.click_paydoc_id == payment_id).cloned()
        });
        let payment: Payment = found.ok_or_else(|| ApiRefusal::not_found("payment"))?;
        if !payment.is_paid() {
            return Err(ApiRefusal::new(StatusCode::BAD_REQUEST, "the payment is not finished"));
        }
        Ok(Tiyin::parse_soum(&payment.amount).ok())
    }
}
