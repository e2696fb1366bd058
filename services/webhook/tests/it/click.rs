//! CLICK's side: a callback with every field open to change, signed over the text that is sent.

use serde_json::Value;
use tolov_click::{SecretKey, sign::SignedFields};
use url::form_urlencoded;

pub(crate) const SECRET_KEY: &str = "kalit-of-the-tests-7f1d";
pub(crate) const API_TOKEN: &str = "parol-of-the-tests-52aa";
pub(crate) const SERVICE_ID: i64 = 12_345;
/// The total of an order of which the test says nothing else, in so'm as CLICK writes it.
pub(crate) const AMOUNT: &str = "30000";

/// CLICK's own words for each code (docs/click.md, section 1.6).
const NOTES: [&str; 10] = [
    "Success",
    "SIGN CHECK FAILED!",
    "Incorrect parameter amount",
    "Action not found",
    "Already paid",
    "User does not exist",
    "Transaction does not exist",
    "Failed to update user",
    "Error in request from click",
    "Transaction cancelled",
];

#[derive(Debug, Clone)]
pub(crate) struct Callback {
    fields: Vec<(String, String)>,
    secret_key: &'static str,
}

impl Callback {
    /// A good Prepare; every order has a click_trans_id of its own.
    pub(crate) fn prepare(order_id: i64) -> Self {
        let trans_id = 3_647_911_000_i64.saturating_add(order_id);
        let fields = [
            ("click_trans_id", trans_id.to_string()),
            ("service_id", SERVICE_ID.to_string()),
            ("click_paydoc_id", "16853761".to_owned()),
            ("merchant_trans_id", order_id.to_string()),
            ("amount", AMOUNT.to_owned()),
            ("action", "0".to_owned()),
            ("error", "0".to_owned()),
            ("error_note", "Success".to_owned()),
            ("sign_time", "2026-04-29 18:02:18".to_owned()),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value)).to_vec();
        Self { fields, secret_key: SECRET_KEY }
    }

    pub(crate) fn complete(order_id: i64, prepare_id: i64) -> Self {
        Self::prepare(order_id).with("action", 1).with("merchant_prepare_id", prepare_id)
    }

    /// A Complete by which CLICK gives the attempt up.
    pub(crate) fn cancel(order_id: i64, prepare_id: i64, error: i32) -> Self {
        Self::complete(order_id, prepare_id).with("error", error).with("error_note", "Payment failed")
    }

    /// Sets a field before signing. `sign_string` set so is sent as it is.
    #[expect(clippy::needless_pass_by_value, reason = "a field is set to a plain value, not to a reference")]
    pub(crate) fn with(mut self, name: &str, value: impl ToString) -> Self {
        match self.fields.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value.to_string(),
            None => self.fields.push((name.to_owned(), value.to_string())),
        }
        self
    }

    pub(crate) fn trans(self, click_trans_id: i64) -> Self {
        self.with("click_trans_id", click_trans_id)
    }

    pub(crate) fn amount(self, amount: &str) -> Self {
        self.with("amount", amount)
    }

    /// Changes a field after signing, as somebody on the way would.
    pub(crate) fn tampered(self, name: &str, value: impl ToString) -> Self {
        let signature = self.signature();
        self.with("sign_string", signature).with(name, value)
    }

    pub(crate) fn badly_signed(self) -> Self {
        self.with("sign_string", "10a250d95b1a6afedcda8360a12a1341")
    }

    pub(crate) fn signed_with(self, secret_key: &'static str) -> Self {
        Self { secret_key, ..self }
    }

    fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn signature(&self) -> String {
        let is_complete = self.field("action") == "1";
        SecretKey::new(self.secret_key).sign(&SignedFields {
            click_trans_id: self.field("click_trans_id"),
            service_id: self.field("service_id"),
            merchant_trans_id: self.field("merchant_trans_id"),
            merchant_prepare_id: is_complete.then(|| self.field("merchant_prepare_id")),
            amount: self.field("amount"),
            action: self.field("action"),
            sign_time: self.field("sign_time"),
        })
    }

    /// Name and value of everything that is sent, the signature last.
    pub(crate) fn pairs(&self) -> Vec<(String, String)> {
        let mut pairs = self.fields.clone();
        if self.field("sign_string").is_empty() {
            pairs.push(("sign_string".to_owned(), self.signature()));
        }
        pairs
    }

    pub(crate) fn body(&self) -> String {
        encode(&self.pairs())
    }

    /// The body without one field, signed as if it were whole.
    pub(crate) fn body_without(&self, name: &str) -> String {
        encode(&self.pairs().into_iter().filter(|(known, _)| known != name).collect::<Vec<_>>())
    }
}

fn encode(pairs: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// What CLICK got back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) code: i64,
    pub(crate) body: Value,
}

impl Answer {
    /// Every answer is JSON with an integer `error` and CLICK's words for it.
    pub(crate) fn read(text: &str) -> Self {
        let body: Value = serde_json::from_str(text).unwrap();
        let code = body["error"].as_i64().unwrap();
        let note = usize::try_from(-code).ok().and_then(|position| NOTES.get(position));
        assert_eq!(body["error_note"].as_str(), note.copied(), "{text}");
        Self { code, body }
    }

    pub(crate) fn prepare_id(&self) -> i64 {
        assert_eq!(self.code, 0, "{}", self.body);
        self.body["merchant_prepare_id"].as_i64().unwrap()
    }
}
