//! What a merchant answers: always HTTP 200 with an integer `error` (sections 1.5 and 1.6).

use serde::{Deserialize, Serialize};
use tolov_domain::{ClickTransId, PrepareId};

/// The codes of section 1.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClickCode {
    Success,
    SignCheckFailed,
    IncorrectAmount,
    ActionNotFound,
    AlreadyPaid,
    UserDoesNotExist,
    TransactionDoesNotExist,
    FailedToUpdateUser,
    ErrorInRequest,
    TransactionCancelled,
}

impl ClickCode {
    pub const ALL: [Self; 10] = [
        Self::Success,
        Self::SignCheckFailed,
        Self::IncorrectAmount,
        Self::ActionNotFound,
        Self::AlreadyPaid,
        Self::UserDoesNotExist,
        Self::TransactionDoesNotExist,
        Self::FailedToUpdateUser,
        Self::ErrorInRequest,
        Self::TransactionCancelled,
    ];

    pub const fn code(self) -> i32 {
        match self {
            Self::Success => 0,
            Self::SignCheckFailed => -1,
            Self::IncorrectAmount => -2,
            Self::ActionNotFound => -3,
            Self::AlreadyPaid => -4,
            Self::UserDoesNotExist => -5,
            Self::TransactionDoesNotExist => -6,
            Self::FailedToUpdateUser => -7,
            Self::ErrorInRequest => -8,
            Self::TransactionCancelled => -9,
        }
    }

    /// CLICK's own words.
    pub const fn note(self) -> &'static str {
        match self {
            Self::Success => "Success",
            Self::SignCheckFailed => "SIGN CHECK FAILED!",
            Self::IncorrectAmount => "Incorrect parameter amount",
            Self::ActionNotFound => "Action not found",
            Self::AlreadyPaid => "Already paid",
            Self::UserDoesNotExist => "User does not exist",
            Self::TransactionDoesNotExist => "Transaction does not exist",
            Self::FailedToUpdateUser => "Failed to update user",
            Self::ErrorInRequest => "Error in request from click",
            Self::TransactionCancelled => "Transaction cancelled",
        }
    }

    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.code() == code)
    }
}

/// An answer to CLICK. Ids are echoed as integers, exactly; those that were not understood are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub click_trans_id: Option<ClickTransId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant_trans_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant_prepare_id: Option<PrepareId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant_confirm_id: Option<PrepareId>,
    pub error: i32,
    pub error_note: String,
}

impl Reply {
    /// A refusal, or a success without ids of its own.
    pub fn code(code: ClickCode) -> Self {
        Self {
            click_trans_id: None,
            merchant_trans_id: None,
            merchant_prepare_id: None,
            merchant_confirm_id: None,
            error: code.code(),
            error_note: code.note().to_owned(),
        }
    }

    /// Prepare was accepted.
    pub fn prepared(prepare_id: PrepareId) -> Self {
        Self { merchant_prepare_id: Some(prepare_id), ..Self::code(ClickCode::Success) }
    }

    /// Complete was accepted. The attempt's own number confirms it: it is unique and it stays.
    pub fn confirmed(prepare_id: PrepareId) -> Self {
        Self { merchant_confirm_id: Some(prepare_id), ..Self::code(ClickCode::Success) }
    }

    /// Whether it tells CLICK that the order is paid, now (0) or before (-4). After any other answer CLICK may hold the
    /// payer's money without an order for it.
    pub const fn confirms_payment(&self) -> bool {
        self.error == ClickCode::Success.code() || self.error == ClickCode::AlreadyPaid.code()
    }

    #[must_use]
    pub fn echo(self, click_trans_id: ClickTransId, merchant_trans_id: &str) -> Self {
        Self {
            click_trans_id: Some(click_trans_id),
            merchant_trans_id: Some(merchant_trans_id.to_owned()),
            ..self
        }
    }

    pub fn to_json(&self) -> Vec<u8> {
        json(self)
    }
}

#[expect(clippy::expect_used, reason = "a struct of texts and integers is always JSON")]
fn json(reply: &Reply) -> Vec<u8> {
    serde_json::to_vec(reply).expect("texts and integers are JSON")
}
