//! What an answer of the Merchant API means (docs/click.md, section 3). CLICK refuses wrong keys with HTTP 200 and a code,
//! does not publish its codes, and now and then answers with an empty body: whatever cannot be believed is
//! [`CallOutcome::Unknown`].

use serde_json::{Map, Value};
use tolov_domain::{
    ClickPaymentId,
    refund::api::{CallOutcome, SeenPayment},
};

use super::{Call, receipts::is_receipt_address};

/// CLICK does not know our keys or our service, or the service is off.
const SETUP_CODES: [i64; 4] = [-11, -12, -15, -125];
const NOT_FOUND_CODE: i64 = -16;
/// Of the older invoice API; what it did with the call is not said.
const UNCLEAR_CODES: std::ops::RangeInclusive<i64> = -9..=-1;
/// More of CLICK's words is kept nowhere.
const NOTE_MAX: usize = 200;

/// An answer, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    pub outcome: CallOutcome,
    /// `error_code`, where there is one.
    pub code: Option<i64>,
    /// CLICK's words, shortened, or why there is no answer. For people only.
    pub note: String,
    /// The payment that the answer names: with a status from `payment/status`, perhaps without one from `status_by_mti`.
    pub payment_id: Option<ClickPaymentId>,
    pub status: Option<i64>,
    /// Of `invoice/create`.
    pub invoice_id: Option<i64>,
    /// The address of a receipt, from `payment/ofd_data`.
    pub receipt_url: Option<String>,
}

impl Reading {
    /// No answer came, or one that cannot be read.
    pub fn unknown(note: impl Into<String>) -> Self {
        let note = note.into();
        Self {
            outcome: CallOutcome::Unknown,
            code: None,
            note,
            payment_id: None,
            status: None,
            invoice_id: None,
            receipt_url: None,
        }
    }

    /// Reads the answer to a call about payments.
    pub fn of(call: &Call, http_status: u16, body: &[u8]) -> Self {
        let Ok(Value::Object(fields)) = serde_json::from_slice::<Value>(body) else {
            let outcome = match http_status {
                401 | 403 => CallOutcome::Setup,
                404 if is_read(call) => CallOutcome::NotFound,
                _ => CallOutcome::Unknown,
            };
            return Self { outcome, ..Self::unknown(format!("HTTP {http_status} without a JSON object")) };
        };
        let code = fields.get("error_code").and_then(number);
        let note = fields.get("error_note").and_then(Value::as_str).unwrap_or_default();
        let payment_id = fields.get("payment_id").or_else(|| fields.get("paymentId")).and_then(number);
        let receipt_url = fields.get("qrCodeURL").and_then(Value::as_str).filter(|url| !url.is_empty());
        let mut reading = Self {
            outcome: CallOutcome::Unknown,
            code,
            note: note.chars().take(NOTE_MAX).collect(),
            payment_id: payment_id.and_then(|id| ClickPaymentId::try_new(id).ok()),
            status: status_of(call, &fields),
            invoice_id: fields.get("invoice_id").and_then(number),
            receipt_url: receipt_url.map(str::to_owned),
        };
        let order = fields.get("merchant_trans_id").map(text);
        reading.outcome = reading.classify(call, http_status, order.as_deref());
        reading
    }

    /// The payment with its status, where the answer has both and can be believed.
    pub fn payment(&self) -> Option<SeenPayment> {
        if self.outcome != CallOutcome::Done {
            return None;
        }
        Some(SeenPayment { payment_id: self.payment_id?, status: self.status? })
    }

    fn classify(&self, call: &Call, http_status: u16, order: Option<&str>) -> CallOutcome {
        match (http_status, self.code) {
            (401 | 403, _) => CallOutcome::Setup,
            (500.., _) => CallOutcome::Unknown,
            (_, Some(code)) if SETUP_CODES.contains(&code) => CallOutcome::Setup,
            (_, Some(NOT_FOUND_CODE)) => CallOutcome::NotFound,
            (404, _) if is_read(call) => CallOutcome::NotFound,
            (200..=299, Some(0)) => self.believed(call, order),
            // A read is believed for what it says.
            (200..=299, None) if is_read(call) && self.payment_id.is_some() => self.believed(call, order),
            (_, Some(code)) if UNCLEAR_CODES.contains(&code) => CallOutcome::Unknown,
            (_, Some(code)) if code < 0 => CallOutcome::Refused,
            _ => CallOutcome::Unknown,
        }
    }

    /// Whether what is echoed is what was asked for.
    fn believed(&self, call: &Call, order: Option<&str>) -> CallOutcome {
        let is_payment = |wanted: i64| self.payment_id.is_none_or(|id| id.get() == wanted);
        let is_believed = match call {
            Call::PaymentStatus { payment_id, .. } => is_payment(*payment_id) && self.status.is_some(),
            Call::PaymentStatusByOrder { merchant_trans_id, .. } => {
                if self.payment_id.is_none() {
                    return CallOutcome::NotFound;
                }
                order.is_none_or(|order| order == merchant_trans_id)
            }
            Call::Reversal { payment_id, .. } => is_payment(*payment_id),
            // An answer without an invoice's number says nothing of what CLICK has made.
            Call::CreateInvoice(_) => self.invoice_id.is_some_and(|id| id > 0),
            // An invoice that CLICK does not know has no status.
            Call::InvoiceStatus { .. } if self.status.is_none() && self.payment_id.is_none() => {
                return CallOutcome::NotFound;
            }
            Call::FiscalData { payment_id, .. } => match &self.receipt_url {
                None => return CallOutcome::NotFound,
                Some(url) => is_payment(*payment_id) && is_receipt_address(url),
            },
            Call::InvoiceStatus { .. } | Call::SubmitItems(_) | Call::SubmitQrCode(_) => true,
        };
        if is_believed { CallOutcome::Done } else { CallOutcome::Unknown }
    }
}

/// Of the payment, or of the invoice, for which CLICK's documents and samples have two names.
fn status_of(call: &Call, fields: &Map<String, Value>) -> Option<i64> {
    let is_of_invoice = matches!(call, Call::InvoiceStatus { .. });
    let names: &[&str] = if is_of_invoice { &["invoice_status", "status"] } else { &["payment_status"] };
    names.iter().find_map(|name| fields.get(*name).and_then(number))
}

fn is_read(call: &Call) -> bool {
    call.method() == "GET"
}

/// A whole number, or a text of one: CLICK writes both.
fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::date;
    use tolov_domain::Tiyin;

    use super::*;
    use crate::merchant_api::NewInvoice;

    const ID: i64 = 4_710_103_925;

    fn status() -> Call {
        Call::PaymentStatus { service_id: 1, payment_id: ID }
    }

    fn reversal() -> Call {
        Call::Reversal { service_id: 1, payment_id: ID }
    }

    fn by_order() -> Call {
        let merchant_trans_id = "1001".to_owned();
        Call::PaymentStatusByOrder { service_id: 1, merchant_trans_id, date: date!(2026 - 11 - 23) }
    }

    fn outcome(call: &Call, http_status: u16, body: &str) -> CallOutcome {
        Reading::of(call, http_status, body.as_bytes()).outcome
    }

    #[test]
    fn a_paid_payment_is_read_with_numbers_as_numbers_or_as_texts() {
        for body in [
            r#"{"error_code":0,"error_note":"","payment_id":4710103925,"payment_status":2}"#,
            r#"{"error_code":"0","error_note":null,"payment_id":"4710103925","payment_status":"2"}"#,
            r#"{"payment_id":4710103925,"payment_status":2}"#,
        ] {
            let payment = Reading::of(&status(), 200, body.as_bytes()).payment().unwrap();
            assert_eq!((payment.payment_id.get(), payment.status), (ID, 2), "{body}");
        }
    }

    #[test]
    fn invoices_are_read_by_either_name_of_their_status() {
        let call = Call::InvoiceStatus { service_id: 1, invoice_id: 7 };
        for body in [r#"{"error_code":0,"invoice_status":-99}"#, r#"{"error_code":0,"status":"-99"}"#] {
            assert_eq!(Reading::of(&call, 200, body.as_bytes()).status, Some(-99), "{body}");
        }
        assert_eq!(outcome(&call, 200, r#"{"error_code":0,"status":null}"#), CallOutcome::NotFound);
    }

    #[test]
    fn an_invoice_without_a_number_of_its_own_is_not_known_to_be_made() {
        let call = Call::CreateInvoice(NewInvoice {
            service_id: 1,
            amount: Tiyin::from_soum(1_000).unwrap(),
            phone_number: "998901234567".to_owned(),
            merchant_trans_id: "1001".to_owned(),
        });
        let of = |invoice_id| {
            outcome(&call, 200, &json!({ "error_code": 0, "invoice_id": invoice_id }).to_string())
        };
        assert_eq!(of(Some(7)), CallOutcome::Done);
        for none in [Some(0), Some(-1), None] {
            assert_eq!(of(none), CallOutcome::Unknown, "{none:?}");
        }
    }

    #[test]
    fn keys_that_click_refuses_are_a_matter_of_setup_and_not_of_the_payment() {
        for code in [-11, -12, -15, -125] {
            let body = format!(r#"{{"error_code":{code},"error_note":"Неверные данные поставщика"}}"#);
            for call in [status(), by_order(), reversal()] {
                assert_eq!(outcome(&call, 200, &body), CallOutcome::Setup, "{code}");
            }
        }
        assert_eq!(outcome(&reversal(), 401, "no"), CallOutcome::Setup);
        assert_eq!(outcome(&reversal(), 403, r#"{"error_code":-500}"#), CallOutcome::Setup);
    }

    #[test]
    fn what_is_not_found_is_told_apart_from_what_is_refused() {
        assert_eq!(outcome(&by_order(), 200, r#"{"error_code":-16}"#), CallOutcome::NotFound);
        assert_eq!(outcome(&status(), 404, r#"{"error_code":-404}"#), CallOutcome::NotFound);
        assert_eq!(outcome(&by_order(), 200, r#"{"error_code":0,"payment_id":null}"#), CallOutcome::NotFound);
        assert_eq!(
            outcome(&reversal(), 200, r#"{"error_code":-500,"error_note":"нет"}"#),
            CallOutcome::Refused
        );
        assert_eq!(outcome(&reversal(), 400, r#"{"error_code":-400}"#), CallOutcome::Refused);
    }

    #[test]
    fn a_receipt_is_read_with_its_address_and_a_failed_read_is_not_the_lack_of_one() {
        let asked = Call::FiscalData { service_id: 1, payment_id: ID };
        let url = "https://ofd.soliq.uz/check?t=1&r=2";
        let known = format!(r#"{{"paymentId":{ID},"qrCodeURL":"{url}"}}"#);
        let reading = Reading::of(&asked, 200, known.as_bytes());
        assert_eq!((reading.outcome, reading.receipt_url.as_deref()), (CallOutcome::Done, Some(url)));
        for none in [r#"{"error_code":-16}"#, r#"{"error_code":0}"#, r#"{"error_code":0,"qrCodeURL":""}"#] {
            assert_eq!(outcome(&asked, 200, none), CallOutcome::NotFound, "{none}");
        }
        assert_eq!(outcome(&asked, 404, ""), CallOutcome::NotFound);
        let foreign = known.replace("ofd.soliq.uz", "example.uz");
        let of_another = known.replace(&ID.to_string(), "7");
        for unclear in ["", foreign.as_str(), of_another.as_str()] {
            assert_eq!(outcome(&asked, 200, unclear), CallOutcome::Unknown, "{unclear}");
        }
    }

    #[test]
    fn an_answer_that_cannot_be_believed_is_unknown() {
        for (call, http_status, body) in [
            (reversal(), 200, ""),
            (reversal(), 200, r#"{"payment_id":4710103925}"#),
            (reversal(), 200, r#"{"error_code":0,"payment_id":7}"#),
            (reversal(), 200, r#"{"error_code":1}"#),
            (reversal(), 200, r#"{"error_code":-3}"#),
            (reversal(), 502, r#"{"error_code":0}"#),
            (reversal(), 302, ""),
            (status(), 200, ""),
            (status(), 200, r#"{"error_code":0,"payment_id":4710103925}"#),
            (status(), 200, r#"{"error_code":0,"payment_id":7,"payment_status":2}"#),
            (by_order(), 200, r#"{"error_code":0,"payment_id":7,"merchant_trans_id":"1002"}"#),
        ] {
            assert_eq!(outcome(&call, http_status, body), CallOutcome::Unknown, "{call:?} {body}");
        }
        assert_eq!(outcome(&reversal(), 200, r#"{"error_code":0}"#), CallOutcome::Done);
    }
}
