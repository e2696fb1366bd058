//! Why the simulator does nothing.

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClickError {
    #[error("the merchant's address is not set: POST /sandbox/click/merchant, or Click::set_merchant")]
    NoMerchant,
    #[error("callbacks go to the merchant of WEBHOOK_URL only; `tolov sandbox --any-merchant` lifts that")]
    OtherMerchant,
    #[error(transparent)]
    BadLink(#[from] BadLink),
    #[error("{0} is not a field of a callback")]
    NoSuchField(String),
    #[error("{0} is too many: at most {1}")]
    TooMany(u32, u32),
    #[error("there is no invoice {0}")]
    NoSuchInvoice(i64),
    #[error("invoice {0} cannot be paid or deleted: it is paid, deleted, or being paid")]
    InvoiceNotWaiting(i64),
    #[error("too many payments or faults at once: try again")]
    Busy,
}

/// Why CLICK shows an error instead of a payment page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLink {
    #[error("the pay link is not an address")]
    NotAnAddress,
    #[error("the pay link lacks {0}")]
    Missing(&'static str),
    #[error("the pay link has {0} twice")]
    Twice(&'static str),
    #[error("the pay link is for {field} {given}, but this CLICK knows {known}")]
    OtherMerchant { field: &'static str, given: String, known: i64 },
    #[error("the amount of the pay link is not so'm above zero, such as 1500 or 1500.50")]
    Amount,
    #[error("{0} of the pay link is too long")]
    TooLong(&'static str),
}
