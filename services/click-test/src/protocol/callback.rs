//! A Prepare or Complete whose fields can be changed before and after it is signed.

use tolov_click::{SecretKey, sign::SignedFields};
use tolov_domain::time::TASHKENT;
use url::form_urlencoded;

use crate::order::Order;

#[derive(Debug, Clone)]
pub(crate) struct Callback {
    fields: Vec<(&'static str, String)>,
    /// Set after signing, as an attacker in between would.
    tampered: Vec<(&'static str, String)>,
    missing: Option<&'static str>,
    twice: Option<&'static str>,
    signature: Signature,
    /// Appended to the encoded form.
    tail: String,
    encoding: Encoding,
    pub(crate) step: Step,
}

/// Which of the merchant's two addresses it goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Prepare,
    Complete,
}

#[derive(Debug, Clone)]
enum Signature {
    Right,
    /// Computed with another text for one field than the one that is sent.
    Over(&'static str, String),
    Given(String),
}

/// Encodings of the same form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// A space is `+`.
    Form,
    /// A space is `%20`.
    PercentSpaces,
    /// Every byte is percent-encoded, in lower-case digits.
    PercentAll,
}

/// A well-formed MD5 that signs nothing here.
const FORGED: &str = "10a250d95b1a6afedcda8360a12a1341";

#[expect(clippy::needless_pass_by_value, reason = "callers pass values and references alike")]
impl Callback {
    pub(crate) fn prepare(service_id: i64, trans_id: i64, sign_time: String, order: &Order) -> Self {
        let fields = vec![
            ("click_trans_id", trans_id.to_string()),
            ("service_id", service_id.to_string()),
            // Far from click_trans_id, so that a merchant that confuses the two is noticed.
            ("click_paydoc_id", trans_id.saturating_add(5_000_000_000).to_string()),
            ("merchant_trans_id", order.id.clone()),
            ("amount", order.amount_text.clone()),
            ("action", "0".to_owned()),
            ("error", "0".to_owned()),
            ("error_note", "Success".to_owned()),
            ("sign_time", sign_time),
        ];
        Self {
            fields,
            tampered: Vec::new(),
            missing: None,
            twice: None,
            signature: Signature::Right,
            tail: String::new(),
            encoding: Encoding::Form,
            step: Step::Prepare,
        }
    }

    pub(crate) fn into_complete(self, prepare_id: &str) -> Self {
        Self { step: Step::Complete, ..self }.with("action", "1").with("merchant_prepare_id", prepare_id)
    }

    /// Sets a field that is then signed.
    pub(crate) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        match self.fields.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value.to_string(),
            None => self.fields.push((name, value.to_string())),
        }
        self
    }

    pub(crate) fn with_amount(self, text: impl ToString) -> Self {
        self.with("amount", text)
    }

    pub(crate) fn with_trans_id(self, trans_id: i64) -> Self {
        self.with("click_trans_id", trans_id)
    }

    /// CLICK cancels the payment.
    pub(crate) fn failed(self, error: i64) -> Self {
        self.with("error", error).with("error_note", "Payment failed")
    }

    /// Changes a field after signing.
    pub(crate) fn tampered(mut self, name: &'static str, value: impl ToString) -> Self {
        self.tampered.push((name, value.to_string()));
        self
    }

    /// Signs with another text for one field than the one that is sent.
    pub(crate) fn signed_over(self, name: &'static str, value: impl ToString) -> Self {
        Self { signature: Signature::Over(name, value.to_string()), ..self }
    }

    pub(crate) fn badly_signed(self) -> Self {
        self.signature(FORGED)
    }

    pub(crate) fn signature(self, text: impl ToString) -> Self {
        Self { signature: Signature::Given(text.to_string()), ..self }
    }

    /// Removes a field after signing with it.
    pub(crate) fn without(self, name: &'static str) -> Self {
        Self { missing: Some(name), ..self }
    }

    /// Repeats a field with the same value.
    pub(crate) fn twice(self, name: &'static str) -> Self {
        Self { twice: Some(name), ..self }
    }

    /// Appends text to the encoded form.
    pub(crate) fn followed_by(self, tail: impl Into<String>) -> Self {
        Self { tail: tail.into(), ..self }
    }

    pub(crate) fn encoded(self, encoding: Encoding) -> Self {
        Self { encoding, ..self }
    }

    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }

    fn sign(&self, secret_key: &SecretKey) -> String {
        let over = match &self.signature {
            Signature::Given(text) => return text.clone(),
            Signature::Over(name, value) => Some((*name, value.as_str())),
            Signature::Right => None,
        };
        let signed =
            |name| over.filter(|(known, _)| *known == name).map_or(self.field(name), |(_, value)| value);
        secret_key.sign(&SignedFields {
            click_trans_id: signed("click_trans_id"),
            service_id: signed("service_id"),
            merchant_trans_id: signed("merchant_trans_id"),
            merchant_prepare_id: (self.field("action") == "1").then(|| signed("merchant_prepare_id")),
            amount: signed("amount"),
            action: signed("action"),
            sign_time: signed("sign_time"),
        })
    }

    /// The fields in the order in which they are sent, the signature last.
    pub(crate) fn pairs(&self, secret_key: &SecretKey) -> Vec<(&'static str, String)> {
        let mut pairs = self.fields.clone();
        pairs.push(("sign_string", self.sign(secret_key)));
        for (name, value) in &self.tampered {
            match pairs.iter_mut().find(|(known, _)| known == name) {
                Some((_, old)) => old.clone_from(value),
                None => pairs.push((name, value.clone())),
            }
        }
        pairs.retain(|(name, _)| self.missing != Some(*name));
        let again = pairs.iter().find(|(name, _)| self.twice == Some(*name)).cloned();
        pairs.extend(again);
        pairs
    }

    pub(crate) fn body(&self, secret_key: &SecretKey) -> String {
        let pairs = self.pairs(secret_key);
        let body = match self.encoding {
            Encoding::Form => form(&pairs),
            Encoding::PercentSpaces => form(&pairs).replace('+', "%20"),
            Encoding::PercentAll => {
                let pair = |(name, value): &(&str, String)| format!("{name}={}", percent_all(value));
                pairs.iter().map(pair).collect::<Vec<_>>().join("&")
            }
        };
        body + &self.tail
    }

    /// The form for a report, without the signature.
    pub(crate) fn shown(&self, secret_key: &SecretKey) -> String {
        let mut pairs = self.pairs(secret_key);
        for (_, value) in pairs.iter_mut().filter(|(name, _)| *name == "sign_string") {
            "-".clone_into(value);
        }
        let tail: String = self.tail.chars().take(120).collect();
        let cut = if tail.len() < self.tail.len() { "…" } else { "" };
        format!("{}{tail}{cut}", form(&pairs))
    }
}

fn form(pairs: &[(&str, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

fn percent_all(value: &str) -> String {
    value.bytes().fold(String::new(), |text, byte| format!("{text}%{byte:02x}"))
}

/// `YYYY-MM-DD HH:mm:ss` in Tashkent, CLICK's time.
pub(crate) fn sign_time(now: tolov_domain::time::Timestamp) -> String {
    let now = now.to_offset(TASHKENT);
    let (hour, minute, second) = now.to_hms();
    format!("{} {hour:02}:{minute:02}:{second:02}", now.date())
}
