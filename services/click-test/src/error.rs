//! What keeps a run from starting.

use std::{io, path::PathBuf};

/// Why no case was run.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    #[error("{0:?} is not an order: write ID=AMOUNT, for example 1001=1500.00")]
    BadOrder(String),
    #[error("{0:?} is not a header: write 'Name: value'")]
    BadHeader(String),
    #[error("no case is named {0:?}: --list shows them")]
    NoSuchCase(String),
    #[error("give the merchant's address, or --prepare-url and --complete-url")]
    NoAddress,
    #[error("{0:?} addresses are not supported: use http:// or https://")]
    NotHttp(String),
    #[error("cannot read the secret key from {path}")]
    SecretFile { path: PathBuf, source: io::Error },
    #[error("the secret key is empty")]
    EmptySecret,
    #[error("nothing could be tested: every case was skipped, the table says why")]
    NothingTested,
    #[error("the create call does not work")]
    Create(#[source] CreateError),
    #[error("cannot create an HTTP client")]
    Client(#[from] reqwest::Error),
}

/// Why the create call made no order.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    #[error("{0}")]
    NoAnswer(String),
    #[error("it answered with HTTP {http_status}: {body}")]
    Refused { http_status: u16, body: String },
    #[error("the answer has no id at {field:?}: {body}")]
    NoId { field: String, body: String },
}
