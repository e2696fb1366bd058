//! What went wrong, sorted by what the caller can do about it.

use mongodb::error::{Error, ErrorKind, WriteFailure};
use tolov_domain::ports::PortError;

use crate::document::Unreadable;

/// Why a call failed, before the caller's words for it are known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{}", .0.kind)]
    Driver(#[from] Error),
    /// The server did not take a statement of an update command.
    #[error("{message} (code {code})")]
    Statement { code: i32, message: String },
    /// The write was taken, but a majority has not confirmed that it is durable.
    #[error("the write is not known to be durable: {message} (code {code})")]
    WriteConcern { code: i32, message: String },
    /// Somebody removed what the call was working on.
    #[error("{0} was removed at the same moment")]
    Vanished(String),
    #[error("{0}")]
    Unexpected(String),
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

/// Two writers made the same document; whoever came second tries again and finds it there.
pub(crate) const DUPLICATE_KEY: i32 = 11_000;

/// The server's codes for "not now". The names are those of MongoDB's error_codes.yml.
const PASSING_CODES: [i32; 27] = [
    6,      // HostUnreachable
    7,      // HostNotFound
    14_031, // OutOfDiskSpace
    24,     // LockTimeout
    46,     // LockBusy
    50,     // MaxTimeMSExpired
    64,     // WriteConcernFailed (older name WriteConcernTimeout)
    70,     // ShardNotFound
    74,     // NodeNotFound
    89,     // NetworkTimeout
    91,     // ShutdownInProgress
    112,    // WriteConflict
    133,    // FailedToSatisfyReadPreference
    134,    // ReadConcernMajorityNotAvailableYet
    189,    // PrimarySteppedDown
    202,    // NetworkInterfaceExceededTimeLimit
    237,    // CursorKilled
    262,    // ExceededTimeLimit
    279,    // ClientDisconnect
    9001,   // SocketException
    10_058, // LegacyNotPrimary
    10_107, // NotWritablePrimary
    11_600, // InterruptedAtShutdown
    11_601, // Interrupted
    11_602, // InterruptedDueToReplStateChange
    13_435, // NotPrimaryNoSecondaryOk
    13_436, // NotPrimaryOrSecondary
];

const AUTHENTICATION_CODES: [i32; 2] = [13, 18];

impl Failure {
    pub(crate) fn into_port_error(self, what: &str, servers: &str) -> PortError {
        if self.is_passing() {
            return PortError::Unavailable(format!("{what}: MongoDB at {servers}: {self}"));
        }
        // A login that an operator must mend is no fault of the message at hand: whoever holds one holds it until then,
        // instead of giving up on paid orders one by one.
        if self.is_authentication() {
            return PortError::Unavailable(format!(
                "{what}: MongoDB at {servers}: {self}; check the user, the password and authSource in MONGO_URL, and \
                 that the user may read, write and make indexes in the database"
            ));
        }
        let advice = match &self {
            Self::Unreadable(_) => "repair or remove that document",
            Self::Driver(_)
            | Self::Statement { .. }
            | Self::WriteConcern { .. }
            | Self::Vanished(_)
            | Self::Unexpected(_) => {
                "trying again will not help; look at the documents it names and at the server's log"
            }
        };
        PortError::Refused(format!("{what}: MongoDB at {servers}: {self}; {advice}"))
    }

    /// Whether the connection broke, so that nobody knows if the server did the work.
    pub(crate) fn is_broken_connection(&self) -> bool {
        let Self::Driver(error) = self else { return false };
        matches!(*error.kind, ErrorKind::Io(_) | ErrorKind::ConnectionPoolCleared { .. })
            || self.code().is_some_and(|code| {
                matches!(code, 91 | 189 | 10_058 | 10_107 | 11_600 | 11_602 | 13_435 | 13_436)
            })
    }

    fn is_passing(&self) -> bool {
        match self {
            Self::WriteConcern { .. } | Self::Vanished(_) => true,
            Self::Unreadable(_) | Self::Unexpected(_) => false,
            Self::Statement { code, .. } => PASSING_CODES.contains(code),
            Self::Driver(error) => {
                matches!(
                    *error.kind,
                    ErrorKind::Io(_)
                        | ErrorKind::ConnectionPoolCleared { .. }
                        | ErrorKind::ServerSelection { .. }
                        | ErrorKind::DnsResolve { .. }
                        | ErrorKind::Shutdown
                        | ErrorKind::Write(WriteFailure::WriteConcernError(_))
                ) || self.code().is_some_and(|code| PASSING_CODES.contains(&code))
                    || error.contains_label("RetryableWriteError")
                    || error.contains_label("TransientTransactionError")
            }
        }
    }

    fn is_authentication(&self) -> bool {
        let refused_login =
            matches!(self, Self::Driver(error) if matches!(*error.kind, ErrorKind::Authentication { .. }));
        refused_login || self.code().is_some_and(|code| AUTHENTICATION_CODES.contains(&code))
    }

    fn code(&self) -> Option<i32> {
        match self {
            Self::Driver(error) => driver_code(error),
            Self::Statement { code, .. } | Self::WriteConcern { code, .. } => Some(*code),
            Self::Vanished(_) | Self::Unexpected(_) | Self::Unreadable(_) => None,
        }
    }
}

fn driver_code(error: &Error) -> Option<i32> {
    if let ErrorKind::Command(refused) = &*error.kind {
        return Some(refused.code);
    }
    if let ErrorKind::Write(WriteFailure::WriteError(refused)) = &*error.kind {
        return Some(refused.code);
    }
    None
}
