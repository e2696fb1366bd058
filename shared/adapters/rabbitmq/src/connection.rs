//! One connection to the broker, from the dial to the certain end of its socket.
//!
//! lapin's automatic recovery is not used. It brings back connections but not channels that the broker closed (since
//! 4.0), ends after its tries are used up, does not tell the application where the break was, and replays what it
//! knows of the topology with arguments that we declare anyway. Here a connection in trouble is dropped and a new one
//! is built, so there is one path for every fault, the first connection goes through it too, and everything that
//! belongs to a connection (confirms, delivery tags) ends with it.

use std::{
    net::{Shutdown, TcpStream},
    os::fd::AsFd,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use lapin::{Channel, Connection, ConnectionProperties, tcp::AsyncTcpStream, uri::AMQPUri};
use tolov_domain::ports::PortError;
use tolov_kit::secret::redact_url;

use crate::{
    failure::{sorted, timed_out, within},
    options::RabbitOptions,
};

/// Two missed heartbeats end a connection whose other side is silent; RabbitMQ advises 5 to 20 seconds.
const HEARTBEAT_S: u16 = 20;

/// How long a dropped connection may take to say goodbye before its socket is shut.
const GOODBYE: Duration = Duration::from_secs(3);

/// Where the broker is and who we are.
#[derive(Clone)]
pub(crate) struct Target {
    uri: AMQPUri,
    shown: String,
    app_id: String,
    pub(crate) request_timeout: Duration,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Target").field(&self.shown).finish()
    }
}

impl Target {
    pub(crate) fn parse(address: &str, options: &RabbitOptions) -> Result<Self, PortError> {
        let mut uri: AMQPUri = address.parse().map_err(|_| {
            // lapin's own words would quote the address with its password.
            PortError::Refused(
                "the address of RabbitMQ cannot be read: write amqp://user:password@host:5672/vhost (a vhost of / is \
                 written %2f)"
                    .to_owned(),
            )
        })?;
        if uri.vhost.is_empty() {
            // "amqp://host/" names the vhost without a name, which hardly any broker has; everybody means "/".
            "/".clone_into(&mut uri.vhost);
        }
        uri.query.heartbeat.get_or_insert(HEARTBEAT_S);
        Ok(Self {
            uri,
            shown: redact_url(address),
            app_id: options.app_id.clone(),
            request_timeout: options.request_timeout,
        })
    }
}

/// An open connection. When it is dropped it says goodbye to the broker and its socket is shut soon after, whether
/// the broker answers or not.
#[derive(Debug)]
pub(crate) struct Link {
    connection: Connection,
    socket: Option<Socket>,
    request_timeout: Duration,
}

impl Link {
    /// Connects, in bounded time. `purpose` is what the broker shows as a part of the connection's name.
    pub(crate) async fn open(target: &Target, purpose: &str) -> Result<Self, PortError> {
        let socket = Socket::default();
        let doing = format!("connect to {}", target.shown);
        let connecting = connect(target, purpose, &socket);
        match tokio::time::timeout(target.request_timeout, connecting).await {
            Ok(Ok(connection)) => {
                tracing::debug!(broker = target.shown, purpose, "connected to RabbitMQ");
                Ok(Self { connection, socket: Some(socket), request_timeout: target.request_timeout })
            }
            Ok(Err(error)) => Err(sorted(&doing, &error)),
            Err(_) => Err(timed_out(&doing)),
        }
    }

    pub(crate) async fn channel(&self) -> Result<Channel, PortError> {
        within(self.request_timeout, "open a channel", self.connection.create_channel()).await
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connection.status().connected()
    }

    /// Whether the broker has told us to stop publishing (a memory or disk alarm).
    pub(crate) fn is_blocked(&self) -> bool {
        self.connection.status().blocked()
    }

    pub(crate) fn request_timeout(&self) -> Duration {
        self.request_timeout
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // The connection is dropped after this and sends its goodbye; the socket outlives it by a moment.
        if let (Some(socket), Ok(runtime)) = (self.socket.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move {
                tokio::time::sleep(GOODBYE).await;
                drop(socket);
            });
        }
    }
}

async fn connect(target: &Target, purpose: &str, socket: &Socket) -> lapin::Result<Connection> {
    let properties = ConnectionProperties::default()
        .with_connection_name(format!("{} {purpose}", target.app_id).into_bytes().into());
    let runtime = lapin::runtime::default_runtime()?;
    let (state, dial_timeout) = (Arc::clone(&socket.0), target.request_timeout);
    // The same dial as lapin's own, with a limit on it and a handle kept on its socket.
    Connection::connector(
        target.uri.clone(),
        runtime,
        async move |uri, runtime| {
            let dialling = async {
                let host = uri.authority.host.as_str();
                let addresses: Vec<_> = tokio::net::lookup_host((host, uri.authority.port)).await?.collect();
                let stream = AsyncTcpStream::connect(&runtime, addresses).await?;
                if let AsyncTcpStream::Plain(plain) = &stream {
                    keep(&state, TcpStream::from(plain.get_ref().as_fd().try_clone_to_owned()?))?;
                }
                match uri.scheme {
                    lapin::uri::AMQPScheme::AMQP => Ok(stream),
                    lapin::uri::AMQPScheme::AMQPS => {
                        stream.into_tls(host, lapin::tcp::TLSConfig::default()).await
                    }
                }
            };
            let dialled = tokio::time::timeout(dial_timeout, dialling).await;
            Ok(dialled.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))?)
        },
        properties,
    )
    .await
}

/// A second handle on a connection's socket, which shuts it for good when it is dropped.
///
/// lapin runs a thread for each connection and ends it when the broker answers the goodbye or the socket ends. A
/// broker that is silent (stopped, half-open, blocked by an alarm) does neither, so every new try would leave a thread
/// behind for as long as the silence lasts.
#[derive(Debug, Default)]
struct Socket(Arc<Mutex<SocketState>>);

#[derive(Debug, Default)]
enum SocketState {
    #[default]
    Dialling,
    Open(TcpStream),
    /// Whoever wanted the connection is gone.
    Abandoned,
}

/// Keeps the socket that was dialled, unless nobody wants it any more.
fn keep(state: &Mutex<SocketState>, dialled: TcpStream) -> std::io::Result<()> {
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    if matches!(*state, SocketState::Abandoned) {
        return Err(std::io::ErrorKind::ConnectionAborted.into());
    }
    *state = SocketState::Open(dialled);
    Ok(())
}

impl Drop for Socket {
    fn drop(&mut self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let SocketState::Open(stream) = std::mem::replace(&mut *state, SocketState::Abandoned) {
            // An error means that the socket has ended already, which is what is wanted.
            drop(stream.shutdown(Shutdown::Both));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(address: &str) -> Result<Target, PortError> {
        Target::parse(address, &RabbitOptions::default())
    }

    #[test]
    fn an_address_without_a_vhost_means_the_default_one() {
        for address in ["amqp://mq", "amqp://mq/", "amqp://mq/%2f"] {
            assert_eq!(parse(address).unwrap().uri.vhost, "/", "{address}");
        }
        assert_eq!(parse("amqp://mq/shop").unwrap().uri.vhost, "shop");
    }

    #[test]
    fn the_password_is_in_no_error_and_in_no_debug_output() {
        let Err(PortError::Refused(reason)) = parse("mq://shop:hunter2@mq") else {
            panic!("it must be refused")
        };
        assert!(!reason.contains("hunter2"));
        let target = parse("amqp://shop:hunter2@mq:5672/v").unwrap();
        assert!(!format!("{target:?}").contains("hunter2"));
    }

    #[test]
    fn a_socket_that_nobody_waits_for_any_more_is_not_kept() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let dialled = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let socket = Socket::default();
        let state = Arc::clone(&socket.0);
        drop(socket);
        assert!(keep(&state, dialled).is_err());
    }
}
