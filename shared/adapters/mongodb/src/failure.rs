//! Errors, sorted by what the caller can do.

use std::fmt;

use mongodb::error::{Error, ErrorKind, WriteError, WriteFailure};
use tolov_domain::ports::{PortError, documents::Unreadable};

/// Why a call failed, before it is known what the call was for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{}", .0.kind)]
    Driver(#[from] Error),
    /// The server refused one write of several.
    #[error("{0}")]
    Refused(Refusal),
    #[error("the server is older than MongoDB 8.0")]
    OldServer,
    #[error("{0}")]
    Unexpected(String),
    #[error("the document {} in {collection} cannot be read: {}", .unreadable.key, .unreadable.reason)]
    Unreadable { collection: &'static str, unreadable: Unreadable },
}

/// The server's answer to a write that it did not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: i32,
    pub(crate) message: String,
}

impl Refusal {
    /// Whether a repetition may be taken.
    pub(crate) fn is_passing(&self) -> bool {
        PASSING_CODES.contains(&self.code)
    }

    /// Whether there is a document with the `_id` of the one to be inserted. Unique indexes that somebody added have
    /// other names.
    pub(crate) fn is_duplicate_id(&self) -> bool {
        self.code == DUPLICATE_KEY && self.message.contains("index: _id_ ")
    }
}

impl From<WriteError> for Refusal {
    fn from(error: WriteError) -> Self {
        Self { code: error.code, message: error.message }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} (code {})", self.message, self.code)
    }
}

pub(crate) const DUPLICATE_KEY: i32 = 11_000;

/// The server's codes for errors that pass, with their names in MongoDB's error_codes.yml.
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
        // What an operator must mend is no fault of the message at hand: whoever has one keeps it until then, instead of
        // giving up on paid orders one by one.
        if matches!(self, Self::OldServer) {
            return PortError::Unavailable(format!("{what}: MongoDB at {servers}: {self}; upgrade it"));
        }
        if self.is_authentication() {
            return PortError::Unavailable(format!(
                "{what}: MongoDB at {servers}: {self}; check the user, the password and authSource in MONGO_URL, and \
                 that the user may read, write and make indexes in the database"
            ));
        }
        let advice = match &self {
            Self::Unreadable { .. } => "repair or remove that document",
            Self::Driver(_) | Self::Refused(_) | Self::OldServer | Self::Unexpected(_) => {
                "a repetition will not help; look at the documents it names and at the server's log"
            }
        };
        PortError::Refused(format!("{what}: MongoDB at {servers}: {self}; {advice}"))
    }

    /// Whether the connection broke, so that it is unknown whether the server did the work.
    pub(crate) fn is_broken_connection(&self) -> bool {
        let Self::Driver(error) = self else { return false };
        matches!(*error.kind, ErrorKind::Io(_) | ErrorKind::ConnectionPoolCleared { .. })
            || self.code().is_some_and(|code| {
                matches!(code, 91 | 189 | 10_058 | 10_107 | 11_600 | 11_602 | 13_435 | 13_436)
            })
    }

    fn is_passing(&self) -> bool {
        match self {
            Self::OldServer | Self::Unreadable { .. } | Self::Unexpected(_) => false,
            Self::Refused(refusal) => refusal.is_passing(),
            Self::Driver(error) => is_passing(error),
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
            Self::Refused(refusal) => Some(refusal.code),
            Self::OldServer | Self::Unexpected(_) | Self::Unreadable { .. } => None,
        }
    }
}

fn is_passing(error: &Error) -> bool {
    let is_passing_kind = matches!(
        *error.kind,
        ErrorKind::Io(_)
            | ErrorKind::ConnectionPoolCleared { .. }
            | ErrorKind::ServerSelection { .. }
            | ErrorKind::DnsResolve { .. }
            | ErrorKind::Shutdown
            | ErrorKind::Write(WriteFailure::WriteConcernError(_))
            // A write concern that was not met in time, or a break in the midst of a batch.
            | ErrorKind::BulkWrite(_)
    );
    is_passing_kind
        || driver_code(error).is_some_and(|code| PASSING_CODES.contains(&code))
        || error.contains_label("RetryableWriteError")
        || error.contains_label("TransientTransactionError")
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
