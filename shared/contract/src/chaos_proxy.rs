//! A TCP proxy that injects faults: it cuts connections, refuses new ones and swallows bytes.

use std::{net::SocketAddr, pin::pin, time::Duration};

use futures_util::future::{Either, select};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

/// How long the proxy tries to reach its target for a new connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// The direction of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    ToServer,
    ToClient,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Faults {
    /// Connections of an earlier epoch are cut.
    epoch: u64,
    refuses: bool,
    swallows_to_server: bool,
    swallows_to_client: bool,
}

impl Faults {
    fn swallows(&self, direction: Direction) -> bool {
        match direction {
            Direction::ToServer => self.swallows_to_server,
            Direction::ToClient => self.swallows_to_client,
        }
    }
}

/// Listens on a port of its own and forwards to one address until it is dropped.
#[derive(Debug)]
pub struct ChaosProxy {
    addr: SocketAddr,
    faults: watch::Sender<Faults>,
    listening: JoinHandle<()>,
}

impl ChaosProxy {
    /// Begins to forward, without faults. The target need not be listening yet.
    pub async fn start(target: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let addr = listener.local_addr()?;
        let (faults, _) = watch::channel(Faults::default());
        let listening = tokio::spawn(accept(listener, target, faults.clone()));
        Ok(Self { addr, faults, listening })
    }

    /// Where clients connect.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Cuts every open connection. New ones are still accepted.
    pub fn cut_all(&self) {
        self.faults.send_modify(|faults| faults.epoch += 1);
    }

    /// From now on a new connection is closed as soon as it is accepted; open ones go on.
    pub fn refuse_new(&self) {
        self.faults.send_modify(|faults| faults.refuses = true);
    }

    /// From now on bytes of this direction are read and dropped, as if the other side had stopped answering.
    pub fn swallow(&self, direction: Direction) {
        self.faults.send_modify(|faults| match direction {
            Direction::ToServer => faults.swallows_to_server = true,
            Direction::ToClient => faults.swallows_to_client = true,
        });
    }

    /// Ends all faults. A connection that lost bytes is cut, because TCP never has a gap in its stream.
    pub fn restore(&self) {
        self.faults.send_modify(|faults| *faults = Faults { epoch: faults.epoch, ..Faults::default() });
    }

    /// The number of open connections. One that was cut leaves the count a moment later.
    pub fn connections(&self) -> usize {
        // Each connection watches from both of its pumps.
        self.faults.receiver_count() / 2
    }
}

impl Drop for ChaosProxy {
    fn drop(&mut self) {
        self.cut_all();
        self.listening.abort();
    }
}

async fn accept(listener: TcpListener, target: SocketAddr, faults: watch::Sender<Faults>) {
    while let Ok((client, _)) = listener.accept().await {
        if faults.borrow().refuses {
            continue;
        }
        let (to_server, to_client) = (faults.subscribe(), faults.subscribe());
        tokio::spawn(async move {
            let Ok(Ok(server)) = tokio::time::timeout(CONNECT_LIMIT, TcpStream::connect(target)).await else {
                return;
            };
            // Delayed small frames would add to the latency of the protocol.
            if client.set_nodelay(true).and(server.set_nodelay(true)).is_err() {
                return;
            }
            let (client_read, client_write) = client.into_split();
            let (server_read, server_write) = server.into_split();
            let to_server = pin!(pump(client_read, server_write, Direction::ToServer, to_server));
            let to_client = pin!(pump(server_read, client_write, Direction::ToClient, to_client));
            match select(to_server, to_client).await {
                Either::Left((End::Closed, other)) => _ = other.await,
                Either::Right((End::Closed, other)) => _ = other.await,
                // Both directions end together: the other half is dropped here.
                Either::Left((End::Cut, _)) | Either::Right((End::Cut, _)) => {}
            }
        });
    }
}

enum End {
    /// The sender has closed its side; the other direction may go on.
    Closed,
    Cut,
}

/// Copies bytes in one direction until a side closes, the proxy cuts, or faults end after bytes were swallowed.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    direction: Direction,
    mut faults: watch::Receiver<Faults>,
) -> End {
    let epoch = faults.borrow_and_update().epoch;
    let mut has_gap = false;
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let now = *faults.borrow_and_update();
        if now.epoch != epoch || (has_gap && !now.swallows(direction)) {
            return End::Cut;
        }
        let count = tokio::select! {
            changed = faults.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return End::Cut,
            },
            read = from.read(&mut buffer) => match read {
                Ok(count @ 1..) => count,
                Ok(0) | Err(_) => return End::Closed,
            },
        };
        if faults.borrow().swallows(direction) {
            has_gap = true;
            continue;
        }
        tokio::select! {
            written = to.write_all(&buffer[..count]) => {
                if written.is_err() {
                    return End::Closed;
                }
            }
            // A receiver that does not read must not keep the connection from being cut.
            _ = faults.wait_for(|faults| faults.epoch != epoch) => return End::Cut,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn echo_server() -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.split();
                    drop(tokio::io::copy(&mut from, &mut to).await);
                });
            }
        });
        addr
    }

    async fn echo(stream: &mut TcpStream, text: &[u8]) -> std::io::Result<Vec<u8>> {
        stream.write_all(text).await?;
        let mut answer = vec![0; text.len()];
        let in_time = tokio::time::timeout(Duration::from_millis(300), stream.read_exact(&mut answer)).await;
        in_time.map_err(|_| std::io::ErrorKind::TimedOut)??;
        Ok(answer)
    }

    #[tokio::test]
    async fn it_forwards_until_it_cuts_and_accepts_new_connections_after() {
        let proxy = ChaosProxy::start(echo_server().await).await.unwrap();
        let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
        assert_eq!(echo(&mut stream, b"one").await.unwrap(), b"one");
        assert_eq!(proxy.connections(), 1);
        proxy.cut_all();
        assert!(echo(&mut stream, b"two").await.is_err());
        let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
        assert_eq!(echo(&mut stream, b"three").await.unwrap(), b"three");
    }

    #[tokio::test]
    async fn it_refuses_new_connections_and_keeps_the_old_ones() {
        let proxy = ChaosProxy::start(echo_server().await).await.unwrap();
        let mut old = TcpStream::connect(proxy.addr()).await.unwrap();
        echo(&mut old, b"one").await.unwrap();
        proxy.refuse_new();
        let mut new = TcpStream::connect(proxy.addr()).await.unwrap();
        assert!(echo(&mut new, b"two").await.is_err());
        assert_eq!(echo(&mut old, b"three").await.unwrap(), b"three");
        proxy.restore();
        let mut new = TcpStream::connect(proxy.addr()).await.unwrap();
        assert_eq!(echo(&mut new, b"four").await.unwrap(), b"four");
    }

    #[tokio::test]
    async fn swallowed_bytes_never_arrive_and_their_connection_is_cut_on_restore() {
        for direction in [Direction::ToServer, Direction::ToClient] {
            let proxy = ChaosProxy::start(echo_server().await).await.unwrap();
            let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
            echo(&mut stream, b"one").await.unwrap();
            proxy.swallow(direction);
            assert_eq!(echo(&mut stream, b"two").await.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
            proxy.restore();
            assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0, "it was cut");
        }
    }
}
