//! The form of a callback and its signature.

use tolov_click::{SecretKey, sign::SignedFields};
use tolov_domain::time::{TASHKENT, from_unix_ms};

use super::{super::payment::Payment, exchange::Step};

/// The documented fields as text, so that a scenario can change each.
#[derive(Debug, Clone)]
pub(in crate::click) struct Callback {
    pub(in crate::click) step: Step,
    pub(in crate::click) click_trans_id: i64,
    pub(in crate::click) service_id: i64,
    click_paydoc_id: i64,
    pub(in crate::click) merchant_trans_id: String,
    pub(in crate::click) merchant_prepare_id: Option<i64>,
    pub(in crate::click) amount: String,
    pub(in crate::click) action: i64,
    pub(in crate::click) error: i64,
    error_note: String,
    /// Signed with another key.
    pub(in crate::click) forged: bool,
    pub(in crate::click) missing: Option<String>,
    pub(in crate::click) twice: Option<String>,
}

impl Callback {
    pub(in crate::click) fn prepare(payment: &Payment, service_id: i64) -> Self {
        Self {
            step: Step::Prepare,
            click_trans_id: payment.click_trans_id,
            service_id,
            click_paydoc_id: payment.click_paydoc_id,
            merchant_trans_id: payment.order_id.clone(),
            merchant_prepare_id: None,
            amount: payment.amount.clone(),
            action: 0,
            error: 0,
            error_note: "Success".to_owned(),
            forged: false,
            missing: None,
            twice: None,
        }
    }

    pub(in crate::click) fn complete(payment: &Payment, service_id: i64, merchant_prepare_id: i64) -> Self {
        Self::prepare(payment, service_id).into_complete(merchant_prepare_id)
    }

    pub(in crate::click) fn into_complete(self, merchant_prepare_id: i64) -> Self {
        Self { step: Step::Complete, merchant_prepare_id: Some(merchant_prepare_id), action: 1, ..self }
    }

    /// CLICK or the payer cancelled.
    pub(in crate::click) fn failed(self, error: i64) -> Self {
        let error_note = if error == -5017 { "Lack of money" } else { "Payment cancelled" };
        Self { error, error_note: error_note.to_owned(), ..self }
    }

    /// The fields as they are sent at this time, the signature last.
    pub(super) fn fields(&self, secret_key: &SecretKey, now_ms: i64) -> Vec<(String, String)> {
        let prepare_id = self.merchant_prepare_id.map(|id| id.to_string());
        let (trans_id, service_id, action, sign_time) = (
            self.click_trans_id.to_string(),
            self.service_id.to_string(),
            self.action.to_string(),
            sign_time(now_ms),
        );
        let forger = SecretKey::new("not the merchant's key");
        let signature = (if self.forged { &forger } else { secret_key }).sign(&SignedFields {
            click_trans_id: &trans_id,
            service_id: &service_id,
            merchant_trans_id: &self.merchant_trans_id,
            merchant_prepare_id: prepare_id.as_deref(),
            amount: &self.amount,
            action: &action,
            sign_time: &sign_time,
        });
        let mut fields = vec![
            ("click_trans_id", trans_id),
            ("service_id", service_id),
            ("click_paydoc_id", self.click_paydoc_id.to_string()),
            ("merchant_trans_id", self.merchant_trans_id.clone()),
        ];
        fields.extend(prepare_id.map(|id| ("merchant_prepare_id", id)));
        fields.extend([
            ("amount", self.amount.clone()),
            ("action", action),
            ("error", self.error.to_string()),
            ("error_note", self.error_note.clone()),
            ("sign_time", sign_time),
            ("sign_string", signature),
        ]);
        fields.retain(|(name, _)| self.missing.as_deref() != Some(*name));
        let again = fields.iter().find(|(name, _)| self.twice.as_deref() == Some(*name)).cloned();
        fields.extend(again);
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// `YYYY-MM-DD HH:mm:ss` in Tashkent.
fn sign_time(now_ms: i64) -> String {
    let now = from_unix_ms(now_ms).to_offset(TASHKENT);
    let (hour, minute, second) = now.to_hms();
    format!("{} {hour:02}:{minute:02}:{second:02}", now.date())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_tashkents() {
        assert_eq!(sign_time(1_777_467_738_000), "2026-04-29 18:02:18");
    }
}
