//! Method, path and body of each call; written by the merchant, read by the simulator.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use time::{Date, format_description::BorrowedFormatItem, macros::format_description};
use tolov_domain::Tiyin;

use super::{BASE_PATH, FiscalItems, FiscalQrCode};

/// Everything a merchant can ask of what this project uses. `payment_id` is CLICK's: see docs/click.md, section 3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    CreateInvoice(NewInvoice),
    InvoiceStatus {
        service_id: i64,
        invoice_id: i64,
    },
    PaymentStatus {
        service_id: i64,
        payment_id: i64,
    },
    /// `date`: the day in Tashkent on which the payment was made.
    PaymentStatusByOrder {
        service_id: i64,
        merchant_trans_id: String,
        date: Date,
    },
    Reversal {
        service_id: i64,
        payment_id: i64,
    },
    SubmitItems(FiscalItems),
    SubmitQrCode(FiscalQrCode),
    FiscalData {
        service_id: i64,
        payment_id: i64,
    },
}

/// An invoice that appears in the payer's CLICK application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInvoice {
    pub service_id: i64,
    pub amount: Tiyin,
    /// `998901234567`.
    pub phone_number: String,
    pub merchant_trans_id: String,
}

/// A request that is no call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCall {
    #[error("there is no such address in CLICK's Merchant API")]
    NoSuchAddress,
    #[error("the body: {0}")]
    Body(String),
}

/// Characters that stay as they are in a segment of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const DATE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

impl Call {
    pub const fn method(&self) -> &'static str {
        match self {
            Self::CreateInvoice(_) | Self::SubmitItems(_) | Self::SubmitQrCode(_) => "POST",
            Self::InvoiceStatus { .. }
            | Self::PaymentStatus { .. }
            | Self::PaymentStatusByOrder { .. }
            | Self::FiscalData { .. } => "GET",
            Self::Reversal { .. } => "DELETE",
        }
    }

    /// Whose payments or invoices it is about.
    pub const fn service_id(&self) -> i64 {
        match self {
            Self::CreateInvoice(invoice) => invoice.service_id,
            Self::SubmitItems(items) => items.service_id,
            Self::SubmitQrCode(qr_code) => qr_code.service_id,
            Self::InvoiceStatus { service_id, .. }
            | Self::PaymentStatus { service_id, .. }
            | Self::PaymentStatusByOrder { service_id, .. }
            | Self::Reversal { service_id, .. }
            | Self::FiscalData { service_id, .. } => *service_id,
        }
    }

    /// The path with its leading slash; every value is percent-encoded, so none can add a segment.
    pub fn path(&self) -> String {
        let tail = match self {
            Self::CreateInvoice(_) => "invoice/create".to_owned(),
            Self::InvoiceStatus { service_id, invoice_id } => {
                format!("invoice/status/{service_id}/{invoice_id}")
            }
            Self::PaymentStatus { service_id, payment_id } => {
                format!("payment/status/{service_id}/{payment_id}")
            }
            Self::PaymentStatusByOrder { service_id, merchant_trans_id, date } => {
                let order = utf8_percent_encode(merchant_trans_id, SEGMENT);
                format!("payment/status_by_mti/{service_id}/{order}/{}", day(*date))
            }
            Self::Reversal { service_id, payment_id } => {
                format!("payment/reversal/{service_id}/{payment_id}")
            }
            Self::SubmitItems(_) => "payment/ofd_data/submit_items".to_owned(),
            Self::SubmitQrCode(_) => "payment/ofd_data/submit_qrcode".to_owned(),
            Self::FiscalData { service_id, payment_id } => {
                format!("payment/ofd_data/{service_id}/{payment_id}")
            }
        };
        format!("{BASE_PATH}{tail}")
    }

    /// The body, JSON, of a POST.
    pub fn body(&self) -> Option<Vec<u8>> {
        match self {
            Self::CreateInvoice(invoice) => Some(json(&InvoiceBody::from(invoice))),
            Self::SubmitItems(items) => Some(json(items)),
            Self::SubmitQrCode(qr_code) => Some(json(qr_code)),
            Self::InvoiceStatus { .. }
            | Self::PaymentStatus { .. }
            | Self::PaymentStatusByOrder { .. }
            | Self::Reversal { .. }
            | Self::FiscalData { .. } => None,
        }
    }

    /// Reads a request. `path` as sent, without its query.
    pub fn parse(method: &str, path: &str, body: &[u8]) -> Result<Self, BadCall> {
        let tail = path.strip_prefix(BASE_PATH).ok_or(BadCall::NoSuchAddress)?;
        let segments: Vec<String> = tail
            .split('/')
            .map(|segment| percent_decode_str(segment).decode_utf8().map(String::from))
            .collect::<Result<_, _>>()
            .map_err(|_| BadCall::NoSuchAddress)?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        Ok(match (method, segments.as_slice()) {
            ("POST", ["invoice", "create"]) => {
                Self::CreateInvoice(read::<InvoiceBody>(body)?.try_into().map_err(BadCall::Body)?)
            }
            ("GET", ["invoice", "status", service, invoice]) => {
                Self::InvoiceStatus { service_id: id(service)?, invoice_id: id(invoice)? }
            }
            ("GET", ["payment", "status", service, payment]) => {
                Self::PaymentStatus { service_id: id(service)?, payment_id: id(payment)? }
            }
            ("GET", ["payment", "status_by_mti", service, order, date]) => Self::PaymentStatusByOrder {
                service_id: id(service)?,
                merchant_trans_id: (*order).to_owned(),
                date: Date::parse(date, DATE).map_err(|_| BadCall::NoSuchAddress)?,
            },
            ("DELETE", ["payment", "reversal", service, payment]) => {
                Self::Reversal { service_id: id(service)?, payment_id: id(payment)? }
            }
            ("POST", ["payment", "ofd_data", "submit_items"]) => Self::SubmitItems(read(body)?),
            ("POST", ["payment", "ofd_data", "submit_qrcode"]) => Self::SubmitQrCode(read(body)?),
            ("GET", ["payment", "ofd_data", service, payment]) => {
                Self::FiscalData { service_id: id(service)?, payment_id: id(payment)? }
            }
            _ => return Err(BadCall::NoSuchAddress),
        })
    }
}

/// The invoice on the wire: the amount is a JSON number in so'm, which must not pass through a float.
#[derive(Serialize, Deserialize)]
struct InvoiceBody {
    service_id: i64,
    amount: Box<RawValue>,
    phone_number: String,
    merchant_trans_id: String,
}

impl From<&NewInvoice> for InvoiceBody {
    fn from(invoice: &NewInvoice) -> Self {
        Self {
            service_id: invoice.service_id,
            amount: amount(invoice.amount),
            phone_number: invoice.phone_number.clone(),
            merchant_trans_id: invoice.merchant_trans_id.clone(),
        }
    }
}

impl TryFrom<InvoiceBody> for NewInvoice {
    type Error = String;

    fn try_from(body: InvoiceBody) -> Result<Self, String> {
        let amount = Tiyin::parse_soum(body.amount.get().trim_matches('"'))
            .map_err(|error| format!("amount: {error}"))?;
        let is_phone =
            body.phone_number.len() == 12 && body.phone_number.bytes().all(|byte| byte.is_ascii_digit());
        if amount == Tiyin::ZERO {
            return Err("amount: an invoice is for more than nothing".to_owned());
        }
        if !is_phone {
            return Err("phone_number: write it as 998901234567".to_owned());
        }
        if body.merchant_trans_id.is_empty() {
            return Err("merchant_trans_id: it is empty".to_owned());
        }
        Ok(Self {
            service_id: body.service_id,
            amount,
            phone_number: body.phone_number,
            merchant_trans_id: body.merchant_trans_id,
        })
    }
}

#[expect(clippy::expect_used, reason = "bodies are structs of texts and integers")]
fn json(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).expect("texts and integers are JSON")
}

#[expect(clippy::expect_used, reason = "digits, a dot and digits are a JSON number")]
fn amount(amount: Tiyin) -> Box<RawValue> {
    RawValue::from_string(amount.soum_json()).expect("an amount is a JSON number")
}

#[expect(clippy::expect_used, reason = "the format names nothing but year, month and day")]
fn day(date: Date) -> String {
    date.format(DATE).expect("every date has a year, a month and a day")
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, BadCall> {
    serde_json::from_slice(body).map_err(|error| BadCall::Body(error.to_string()))
}

fn id(segment: &str) -> Result<i64, BadCall> {
    let is_number = !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
    segment.parse().ok().filter(|_| is_number).ok_or(BadCall::NoSuchAddress)
}
