//! Why an update could not be handled.

use tolov_domain::ports::PortError;

use crate::{orders::ledger_client::LedgerError, telegram::errors::SendError};

#[derive(Debug, thiserror::Error)]
pub(crate) enum HandlerError {
    #[error(transparent)]
    Store(#[from] PortError),
    #[error(transparent)]
    Telegram(#[from] SendError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

pub(crate) type HandlerResult = Result<(), HandlerError>;
