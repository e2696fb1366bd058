//! lapin's errors as port errors, and a time limit for every request.

use std::time::Duration;

use lapin::ErrorKind;
use tokio::time::Instant;
use tolov_domain::ports::PortError;

/// AMQP's reply codes for what trying again does not cure.
const ACCESS_REFUSED: u16 = 403;
const NOT_FOUND: u16 = 404;
const RESOURCE_LOCKED: u16 = 405;
const PRECONDITION_FAILED: u16 = 406;
const NOT_ALLOWED: u16 = 530;

/// Sorts an error by what the caller can do. `doing` continues "cannot".
pub(crate) fn port_error(doing: &str, error: &lapin::Error) -> PortError {
    let ErrorKind::ProtocolError(refusal) = error.kind() else {
        return PortError::Unavailable(format!("RabbitMQ: cannot {doing}: {error}"));
    };
    let reason = refusal.get_message();
    match refusal.get_id() {
        ACCESS_REFUSED => PortError::Refused(format!(
            "RabbitMQ: cannot {doing}: {reason}. Check the user and the password in AMQP_URL, and that the user may \
             configure, write and read our exchanges and queues (rabbitmqctl list_permissions)."
        )),
        NOT_ALLOWED => PortError::Refused(format!(
            "RabbitMQ: cannot {doing}: {reason}. Check that the vhost in AMQP_URL exists and that the user may enter it."
        )),
        PRECONDITION_FAILED => PortError::Refused(format!("RabbitMQ: cannot {doing}: {reason}.")),
        code => PortError::Unavailable(format!("RabbitMQ: cannot {doing}: {code} {reason}")),
    }
}

pub(crate) fn is_precondition_failed(error: &lapin::Error) -> bool {
    amqp_code(error) == Some(PRECONDITION_FAILED)
}

/// Another connection has declared it as exclusive.
pub(crate) fn is_resource_locked(error: &lapin::Error) -> bool {
    amqp_code(error) == Some(RESOURCE_LOCKED)
}

pub(crate) fn is_access_refused(error: &lapin::Error) -> bool {
    amqp_code(error) == Some(ACCESS_REFUSED)
}

pub(crate) fn is_not_found(error: &lapin::Error) -> bool {
    amqp_code(error) == Some(NOT_FOUND)
}

fn amqp_code(error: &lapin::Error) -> Option<u16> {
    let ErrorKind::ProtocolError(refusal) = error.kind() else { return None };
    Some(refusal.get_id())
}

/// Limits a request: lapin has been seen not to answer while the broker has an alarm.
pub(crate) async fn within<T>(
    limit: Duration,
    doing: &str,
    request: impl Future<Output = lapin::Result<T>>,
) -> Result<T, PortError> {
    until(Instant::now() + limit, doing, request).await
}

/// The same with a deadline.
pub(crate) async fn until<T>(
    deadline: Instant,
    doing: &str,
    request: impl Future<Output = lapin::Result<T>>,
) -> Result<T, PortError> {
    match tokio::time::timeout_at(deadline, request).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(port_error(doing, &error)),
        Err(_) => Err(timed_out(doing)),
    }
}

pub(crate) fn timed_out(doing: &str) -> PortError {
    PortError::Unavailable(format!("RabbitMQ: cannot {doing}: no answer in time"))
}
