//! A proxy before a broker that counts what passes it.

use std::{
    net::SocketAddr,
    ops::Sub,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::Result;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinSet,
};

/// "AMQP" and the version, with which a client begins.
const GREETING: usize = 8;
/// Type, channel and size.
const HEADER: usize = 7;

/// What has passed in one direction.
#[derive(Debug, Default)]
pub struct Passed {
    frames: AtomicU64,
    /// Reads from the socket: frames that were written together come together.
    reads: AtomicU64,
}

/// Counts from the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub frames: u64,
    pub reads: u64,
}

impl Sub for Counts {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self { frames: self.frames - before.frames, reads: self.reads - before.reads }
    }
}

impl Passed {
    pub fn counts(&self) -> Counts {
        Counts { frames: self.frames.load(Ordering::Relaxed), reads: self.reads.load(Ordering::Relaxed) }
    }
}

/// A proxy until it is dropped.
#[derive(Debug)]
pub struct Frames {
    pub addr: SocketAddr,
    pub to_broker: Arc<Passed>,
    pub from_broker: Arc<Passed>,
    _passing: JoinSet<()>,
}

impl Frames {
    pub async fn before(broker: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let (to_broker, from_broker): (Arc<Passed>, Arc<Passed>) = Default::default();
        let counts = (Arc::clone(&to_broker), Arc::clone(&from_broker));
        let mut passing = JoinSet::new();
        passing.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(broker).await else { continue };
                // Nothing waits for the rest of a segment.
                if client.set_nodelay(true).is_err() || server.set_nodelay(true).is_err() {
                    continue;
                }
                let ((from_client, to_client), (from_server, to_server)) =
                    (client.into_split(), server.into_split());
                connections.spawn(pass(from_client, to_server, Arc::clone(&counts.0), GREETING));
                connections.spawn(pass(from_server, to_client, Arc::clone(&counts.1), 0));
            }
        });
        Ok(Self { addr, to_broker, from_broker, _passing: passing })
    }
}

/// `skip`: so many bytes come before the first frame.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, passed: Arc<Passed>, mut skip: usize) {
    let mut buffer = vec![0; 64 * 1024];
    let mut header = Vec::with_capacity(HEADER);
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        passed.reads.fetch_add(1, Ordering::Relaxed);
        let mut rest = &buffer[..read];
        while !rest.is_empty() {
            let skipped = skip.min(rest.len());
            (skip, rest) = (skip - skipped, &rest[skipped..]);
            let wanted = (HEADER - header.len()).min(rest.len());
            header.extend_from_slice(&rest[..wanted]);
            rest = &rest[wanted..];
            if let [_, _, _, size @ ..] = header.as_slice()
                && let Ok(size) = <[u8; 4]>::try_from(size)
            {
                passed.frames.fetch_add(1, Ordering::Relaxed);
                // The body and the byte that ends a frame.
                skip = usize::try_from(u32::from_be_bytes(size)).unwrap_or(usize::MAX).saturating_add(1);
                header.clear();
            }
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
