//! One connection to the broker, from the dial to the end of its socket.
//!
//! lapin's automatic recovery is not used: it does not bring back channels that the broker closed (since 4.0), gives up
//! after some tries, and does not tell the application where the break was. Here a connection in trouble is dropped and
//! a new one is opened, so that every fault takes one path, and whatever belongs to a connection (confirms, delivery
//! tags) ends with it.

use std::{
    net::{Shutdown, TcpStream},
    os::fd::AsFd,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use lapin::{Channel, Connection, ConnectionProperties, tcp::AsyncTcpStream, uri::AMQPUri};
use tokio_util::task::TaskTracker;
use tolov_domain::ports::PortError;
use tolov_kit::secret::{each_host, redact_url};

use crate::{
    failure::{port_error, timed_out, within},
    options::RabbitOptions,
};

/// Two missed heartbeats end a connection whose other side is silent; RabbitMQ advises 5 to 20 seconds.
const HEARTBEAT_S: u16 = 20;

/// How long the close handshake of a dropped connection may take before its socket is shut down.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// The addresses of the broker's nodes and our name.
#[derive(Clone)]
pub(crate) struct Target {
    nodes: Arc<[Node]>,
    /// The node that was reached last: the first to be tried.
    reached: Arc<AtomicUsize>,
    app_id: String,
    pub(crate) request_timeout: Duration,
    /// Dropped connections that are being closed.
    closing: TaskTracker,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.nodes.iter().map(|node| &node.shown)).finish()
    }
}

/// One of the broker's nodes.
struct Node {
    uri: AMQPUri,
    shown: String,
}

impl Node {
    fn parse(address: &str) -> Result<Self, PortError> {
        let mut uri: AMQPUri = address.parse().map_err(|_| {
            // lapin's error quotes the address with its password.
            PortError::Refused(
                "the address of RabbitMQ cannot be parsed: write amqp://user:password@host:5672/vhost (a vhost of / is \
                 written %2f), with a comma between the hosts of a cluster"
                    .to_owned(),
            )
        })?;
        if uri.vhost.is_empty() {
            // "amqp://host/" names the vhost with the empty name, which hardly any broker has; "/" is meant.
            "/".clone_into(&mut uri.vhost);
        }
        uri.query.heartbeat.get_or_insert(HEARTBEAT_S);
        Ok(Self { uri, shown: redact_url(address) })
    }
}

impl Target {
    pub(crate) fn parse(address: &str, options: &RabbitOptions) -> Result<Self, PortError> {
        Ok(Self {
            nodes: each_host(address).map(|address| Node::parse(&address)).collect::<Result<_, _>>()?,
            reached: Arc::default(),
            app_id: options.app_id.clone(),
            request_timeout: options.request_timeout,
            closing: TaskTracker::new(),
        })
    }

    /// Its nodes, the one that was reached last first.
    fn in_turn(&self) -> impl Iterator<Item = usize> + use<> {
        let (first, count) = (self.reached.load(Ordering::Relaxed), self.nodes.len());
        (0..count).map(move |step| (first + step) % count)
    }

    /// Waits until every dropped connection is closed, in bounded time.
    pub(crate) async fn all_closed(&self) {
        self.closing.close();
        self.closing.wait().await;
    }
}

/// An open connection. When it is dropped, the AMQP close handshake follows, and then the end of its socket whether the
/// broker has answered or not.
#[derive(Debug)]
pub(crate) struct BrokerConnection {
    connection: Arc<Connection>,
    socket: Option<Socket>,
    request_timeout: Duration,
    closing: TaskTracker,
}

impl BrokerConnection {
    /// Connects to the first node that answers, in bounded time, which the nodes share. `purpose` becomes a part of the
    /// connection's name.
    pub(crate) async fn open(target: &Target, purpose: &str) -> Result<Self, PortError> {
        let nodes = u32::try_from(target.nodes.len()).unwrap_or(u32::MAX);
        let share = target.request_timeout / nodes.max(1);
        let mut failures = Vec::new();
        for node in target.in_turn() {
            match Self::open_on(target, &target.nodes[node], share, purpose).await {
                Ok(connection) => {
                    target.reached.store(node, Ordering::Relaxed);
                    return Ok(connection);
                }
                Err(error) => failures.push(error),
            }
        }
        // A refusal lasts; that another node is away says nothing.
        let refusal = failures.iter().position(|error| !error.is_unavailable()).unwrap_or(0);
        Err(failures.swap_remove(refusal))
    }

    async fn open_on(
        target: &Target,
        node: &Node,
        limit: Duration,
        purpose: &str,
    ) -> Result<Self, PortError> {
        let socket = Socket::default();
        let doing = format!("connect to {}", node.shown);
        let connecting = connect(target, node, limit, purpose, &socket);
        match tokio::time::timeout(limit, connecting).await {
            Ok(Ok(connection)) => {
                tracing::debug!(broker = node.shown, purpose, "connected to RabbitMQ");
                Ok(Self {
                    connection: Arc::new(connection),
                    socket: Some(socket),
                    request_timeout: target.request_timeout,
                    closing: target.closing.clone(),
                })
            }
            Ok(Err(error)) => Err(port_error(&doing, &error)),
            Err(_) => Err(timed_out(&doing)),
        }
    }

    pub(crate) async fn channel(&self) -> Result<Channel, PortError> {
        within(self.request_timeout, "open a channel", self.connection.create_channel()).await
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connection.status().connected()
    }

    /// Whether the broker has sent `connection.blocked` (a memory or disk alarm).
    pub(crate) fn is_blocked(&self) -> bool {
        self.connection.status().blocked()
    }

    pub(crate) fn request_timeout(&self) -> Duration {
        self.request_timeout
    }
}

impl Drop for BrokerConnection {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (connection, socket) = (Arc::clone(&self.connection), self.socket.take());
        self.closing.spawn_on(
            async move {
                let closing = connection.close(200, "closed by the client".into());
                // An error means that it is closed already.
                drop(tokio::time::timeout(CLOSE_TIMEOUT, closing).await);
                drop(socket);
            },
            &runtime,
        );
    }
}

async fn connect(
    target: &Target,
    node: &Node,
    dial_timeout: Duration,
    purpose: &str,
    socket: &Socket,
) -> lapin::Result<Connection> {
    let properties = ConnectionProperties::default()
        .with_connection_name(format!("{} {purpose}", target.app_id).into_bytes().into());
    let runtime = lapin::runtime::default_runtime()?;
    let state = Arc::clone(&socket.0);
    // As lapin connects by itself, with a time limit and a second handle on the socket.
    Connection::connector(
        node.uri.clone(),
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

/// A second handle on a connection's socket, which is shut down when this is dropped.
///
/// lapin runs a thread for each connection, which ends when the broker answers the close or the socket ends. A broker
/// that is silent (stopped, half-open, blocked by an alarm) does neither, and every reconnect would leave a thread.
#[derive(Debug, Default)]
struct Socket(Arc<Mutex<SocketState>>);

#[derive(Debug, Default)]
enum SocketState {
    #[default]
    Dialling,
    Open(TcpStream),
    /// Nobody waits for the connection any more.
    Abandoned,
}

/// Keeps the socket, unless nobody waits for it any more.
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
            // An error means that the socket has ended already.
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
            assert_eq!(parse(address).unwrap().nodes[0].uri.vhost, "/", "{address}");
        }
        assert_eq!(parse("amqp://mq/shop").unwrap().nodes[0].uri.vhost, "shop");
    }

    #[test]
    fn the_nodes_of_a_cluster_are_tried_in_their_order_from_the_one_that_was_reached_last_on() {
        let target = parse("amqp://shop:pw@mq1,mq2:5673,mq3/v").unwrap();
        let nodes: Vec<_> = target.nodes.iter().map(|node| node.shown.as_str()).collect();
        assert_eq!(nodes, ["amqp://shop:…@mq1/v", "amqp://shop:…@mq2:5673/v", "amqp://shop:…@mq3/v"]);
        assert_eq!(target.in_turn().collect::<Vec<_>>(), [0, 1, 2]);
        target.reached.store(1, Ordering::Relaxed);
        assert_eq!(target.clone().in_turn().collect::<Vec<_>>(), [1, 2, 0]);
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
    fn a_socket_that_nobody_waits_for_is_not_kept() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let dialled = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let socket = Socket::default();
        let state = Arc::clone(&socket.0);
        drop(socket);
        assert!(keep(&state, dialled).is_err());
    }
}
