//! Fiscal data of paid payments, for the tax committee.

use tolov_click::merchant_api::{FiscalData, FiscalItems, FiscalQrCode, Nothing};
use tolov_domain::Tiyin;
use url::Url;

use super::{
    super::simulator::Click,
    answer::{ApiRefusal, ApiResult, success},
    records::Receipt,
};

impl Click {
    /// The kept receipts, oldest first.
    pub fn receipts(&self) -> Vec<Receipt> {
        self.with(|state| state.receipts.to_vec())
    }

    pub(super) fn submit_items(&self, items: &FiscalItems) -> ApiResult {
        items.check().map_err(ApiRefusal::refused)?;
        let amount = self.paid_amount(items.payment_id)?;
        // CLICK does not document this check: sums in so'm instead of tiyin would declare a hundredth.
        if items.received().and_then(|sum| i64::try_from(sum).ok()) != amount.map(Tiyin::get) {
            return Err(ApiRefusal::refused(
                "received_ecash, received_cash and received_card do not add up to the payment's amount in tiyin",
            ));
        }
        // Strictly: CLICK does not say what becomes of a receipt that is printed already.
        let is_other = |receipt: &Receipt| {
            receipt.payment_id == items.payment_id
                && receipt.items.as_ref().is_some_and(|known| known != items)
        };
        if self.receipts().iter().any(is_other) {
            return Err(ApiRefusal::refused("other items of this payment were taken before"));
        }
        let qr_code_url = format!("https://ofd.soliq.uz/check?t=SANDBOX&r={}", items.payment_id);
        Ok(self.keep_receipt(Receipt {
            payment_id: items.payment_id,
            items: Some(items.clone()),
            qr_code_url,
        }))
    }

    pub(super) fn submit_qr_code(&self, qr_code: FiscalQrCode) -> ApiResult {
        let is_address =
            Url::parse(&qr_code.qrcode).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if !is_address {
            return Err(ApiRefusal::refused("qrcode is not the address of a receipt"));
        }
        self.paid_amount(qr_code.payment_id)?;
        Ok(self.keep_receipt(Receipt {
            payment_id: qr_code.payment_id,
            items: None,
            qr_code_url: qr_code.qrcode,
        }))
    }

    pub(super) fn fiscal_data(&self, payment_id: i64) -> ApiResult {
        let found =
            self.with(|state| state.receipts.find(|receipt| receipt.payment_id == payment_id).cloned());
        let receipt = found.ok_or_else(|| ApiRefusal::not_found("fiscal data of that payment"))?;
        Ok(success(FiscalData { payment_id, qr_code_url: receipt.qr_code_url }))
    }

    /// Replaces an earlier receipt of the payment.
    fn keep_receipt(&self, receipt: Receipt) -> serde_json::Value {
        self.with(|state| match state.receipts.find_mut(|known| known.payment_id == receipt.payment_id) {
            Some(known) => *known = receipt,
            None => state.receipts.push(receipt),
        });
        success(Nothing {})
    }

    fn paid_amount(&self, payment_id: i64) -> Result<Option<Tiyin>, ApiRefusal> {
        let found =
            self.with(|state| state.payments.find(|payment| payment.click_paydoc_id == payment_id).cloned());
        let payment = found.ok_or_else(|| ApiRefusal::not_found("payment"))?;
        if !payment.is_paid() {
            return Err(ApiRefusal::refused("the payment is not finished"));
        }
        Ok(Tiyin::parse_soum(&payment.amount).ok())
    }
}
