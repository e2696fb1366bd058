//! A callback whose signature is right, read field by field with strict patterns.

use tolov_domain::{ClickPaydocId, ClickTransId, Tiyin};

use crate::form::CallbackForm;

/// What CLICK asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    Prepare,
    /// With `merchant_prepare_id` as received.
    Complete {
        merchant_prepare_id: String,
    },
}

/// A callback with every field understood, but for the merchant's own ids, which stay text until they are looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    pub click_trans_id: ClickTransId,
    pub service_id: i64,
    pub click_paydoc_id: ClickPaydocId,
    /// The order, as received.
    pub merchant_trans_id: String,
    pub action: Action,
    /// `None`: well signed, but not an amount; it equals no order's.
    pub amount: Option<Tiyin>,
    /// 0, or CLICK's failure below it.
    pub error: i32,
}

/// A well signed callback that cannot be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Answered with -8.
    #[error("{0} does not have the form that CLICK documents")]
    Field(&'static str),
    /// Answered with -3.
    #[error("action is neither 0 nor 1")]
    Action,
}

impl Callback {
    /// Reads a form that [`CallbackForm::parse`] has passed and whose signature was found right.
    ///
    /// `sign_time` must have one of its forms exactly: it ends the signed text, and MD5 lets whoever knows one signature
    /// append to it. Its age is not judged, because CLICK does not say how it repeats callbacks.
    pub fn read(form: &CallbackForm) -> Result<Self, Malformed> {
        if !form.sign_time().is_some_and(is_sign_time) {
            return Err(Malformed::Field("sign_time"));
        }
        let action = match form.action() {
            Some("0") => Action::Prepare,
            Some("1") => Action::Complete {
                merchant_prepare_id: text(form.merchant_prepare_id(), "merchant_prepare_id")?,
            },
            _ => return Err(Malformed::Action),
        };
        let error: i32 = number(form.error(), "error")?;
        if error > 0 {
            return Err(Malformed::Field("error"));
        }
        Ok(Self {
            click_trans_id: form
                .click_trans_id()
                .and_then(|id| ClickTransId::parse(id).ok())
                .ok_or(Malformed::Field("click_trans_id"))?,
            service_id: number(form.service_id(), "service_id")?,
            click_paydoc_id: form
                .click_paydoc_id()
                .and_then(|id| ClickPaydocId::parse(id).ok())
                .ok_or(Malformed::Field("click_paydoc_id"))?,
            merchant_trans_id: text(form.merchant_trans_id(), "merchant_trans_id")?,
            action,
            amount: form.amount().and_then(|amount| Tiyin::parse_soum(amount).ok()),
            error,
        })
    }
}

fn text(value: Option<&str>, field: &'static str) -> Result<String, Malformed> {
    value.map(str::to_owned).ok_or(Malformed::Field(field))
}

/// A number in its one spelling: an optional minus and digits, no plus, no leading zero.
fn number<T: std::str::FromStr + ToString>(value: Option<&str>, field: &'static str) -> Result<T, Malformed> {
    let text = value.ok_or(Malformed::Field(field))?;
    let number: T = text.parse().map_err(|_| Malformed::Field(field))?;
    if number.to_string() == text { Ok(number) } else { Err(Malformed::Field(field)) }
}

/// CLICK's own form first; guides of integrators show the others.
const SIGN_TIME_FORMS: [&str; 4] =
    ["dddd-dd-dd dd:dd:dd", "dddd-dd-ddTdd:dd:dd", "dddd-dd-dd dd:dd:dd.ddd", "ddddddddTdddddd"];

fn is_sign_time(text: &str) -> bool {
    let has_form = |form: &&str| {
        text.len() == form.len()
            && text.bytes().zip(form.bytes()).all(|(byte, wanted)| match wanted {
                b'd' => byte.is_ascii_digit(),
                separator => byte == separator,
            })
    };
    SIGN_TIME_FORMS.iter().any(has_form)
}
