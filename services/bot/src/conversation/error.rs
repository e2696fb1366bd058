//! Why an update could not be handled.

use tolov_domain::ports::PortError;

use crate::{orders::ledger_client::LedgerError, telegram::errors::SendError};

/// Why an update was not answered as it should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandlerError {
    #[error("{0}")]
    Store(#[from] PortError),
    #[error("{0:?}")]
    Telegram(SendError),
    #[error("{0}")]
    LedgerClient(#[from] LedgerError),
}

impl From<SendError> for HandlerError {
    fn from(error: SendError) -> Self {
        Self::Telegram(error)
    }
}

/// How a step ends.
pub(crate) type HandlerResult = Result<(), HandlerError>;
