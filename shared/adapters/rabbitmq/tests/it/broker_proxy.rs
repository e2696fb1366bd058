//! A proxy before a real broker that behaves as RabbitMQ does in need. Under a memory alarm it no longer reads from
//! connections that publish, and sends them `connection.blocked`. Of a queue whose leader does not answer it counts nothing.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

/// A method frame on channel 0: `connection.blocked` with a reason.
const BLOCKED: &[u8] = b"\x01\x00\x00\x00\x00\x00\x0f\x00\x0a\x00\x3c\x0alow memory\xce";
const UNBLOCKED: &[u8] = b"\x01\x00\x00\x00\x00\x00\x04\x00\x0a\x00\x3d\xce";
/// How the payload of `basic.publish` begins.
const PUBLISH: &[u8] = b"\x00\x3c\x00\x28";
/// How the payload of `queue.declare-ok` begins. It ends with the counts of messages and of readers.
const DECLARED: &[u8] = b"\x00\x32\x00\x0b";
/// A client says this before its first frame.
const PROTOCOL_HEADER: usize = 8;
/// Type, channel and size before the payload of a frame, and its end mark.
const FRAME_HEADER: usize = 7;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Alarm {
    is_on: bool,
    is_announced: bool,
}

/// The counts that are answered with zeros.
#[derive(Debug, Default)]
struct Uncounted {
    left: AtomicUsize,
    delay_ms: AtomicU64,
}

impl Uncounted {
    async fn disguise(&self, frame: &mut [u8]) {
        let takes = |left: usize| left.checked_sub(1);
        if frame[FRAME_HEADER..].starts_with(DECLARED)
            && self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, takes).is_ok()
        {
            tokio::time::sleep(Duration::from_millis(self.delay_ms.load(Ordering::Relaxed))).await;
            let end = frame.len() - 1;
            frame[end - 8..end].fill(0);
        }
    }
}

#[derive(Debug)]
pub(crate) struct BrokerProxy {
    addr: SocketAddr,
    alarm: watch::Sender<Alarm>,
    opened: Arc<AtomicUsize>,
    uncounted: Arc<Uncounted>,
    listening: JoinHandle<()>,
}

impl BrokerProxy {
    pub(crate) async fn start(target: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let addr = listener.local_addr()?;
        let (alarm, opened) = (watch::Sender::default(), Arc::new(AtomicUsize::new(0)));
        let uncounted = Arc::<Uncounted>::default();
        let (senders, counter, disguise) = (alarm.clone(), Arc::clone(&opened), Arc::clone(&uncounted));
        let listening = tokio::spawn(accept(listener, target, senders, counter, disguise));
        Ok(Self { addr, alarm, opened, uncounted, listening })
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// How many connections there have been.
    pub(crate) fn opened(&self) -> usize {
        self.opened.load(Ordering::Relaxed)
    }

    /// The broker stops reading; clients are not told yet.
    pub(crate) fn raise(&self) {
        self.alarm.send_replace(Alarm { is_on: true, is_announced: false });
    }

    pub(crate) fn announce(&self) {
        self.alarm.send_replace(Alarm { is_on: true, is_announced: true });
    }

    /// The next counts find no leader: they are zeros, each after a delay.
    pub(crate) fn count_nothing(&self, times: usize, delay: Duration) {
        self.uncounted.delay_ms.store(u64::try_from(delay.as_millis()).unwrap(), Ordering::Relaxed);
        self.uncounted.left.store(times, Ordering::Relaxed);
    }

    pub(crate) fn clear(&self) {
        self.alarm.send_replace(Alarm::default());
    }
}

impl Drop for BrokerProxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn accept(
    listener: TcpListener,
    target: SocketAddr,
    alarm: watch::Sender<Alarm>,
    opened: Arc<AtomicUsize>,
    uncounted: Arc<Uncounted>,
) {
    while let Ok((client, _)) = listener.accept().await {
        let Ok(server) = TcpStream::connect(target).await else { continue };
        opened.fetch_add(1, Ordering::Relaxed);
        let (client_read, client_write) = client.into_split();
        let (server_read, server_write) = server.into_split();
        let (publishes, is_publisher) = watch::channel(false);
        tokio::spawn(to_server(client_read, server_write, alarm.subscribe(), publishes));
        tokio::spawn(to_client(
            server_read,
            client_write,
            alarm.subscribe(),
            is_publisher,
            Arc::clone(&uncounted),
        ));
    }
}

async fn to_server(
    mut client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
    mut alarm: watch::Receiver<Alarm>,
    publishes: watch::Sender<bool>,
) -> std::io::Result<()> {
    let mut header = [0; PROTOCOL_HEADER];
    client.read_exact(&mut header).await?;
    server.write_all(&header).await?;
    let mut buffer = Vec::new();
    while client.read_buf(&mut buffer).await? > 0 {
        for frame in whole_frames(&mut buffer) {
            if frame[FRAME_HEADER..].starts_with(PUBLISH) {
                publishes.send_replace(true);
            }
            if *publishes.borrow() {
                drop(alarm.wait_for(|alarm| !alarm.is_on).await);
            }
            server.write_all(&frame).await?;
        }
    }
    Ok(())
}

async fn to_client(
    mut server: OwnedReadHalf,
    mut client: OwnedWriteHalf,
    mut alarm: watch::Receiver<Alarm>,
    mut is_publisher: watch::Receiver<bool>,
    uncounted: Arc<Uncounted>,
) -> std::io::Result<()> {
    let (mut buffer, mut is_blocked) = (Vec::new(), false);
    loop {
        let is_announced = alarm.borrow_and_update().is_announced && *is_publisher.borrow_and_update();
        if is_announced != is_blocked {
            is_blocked = is_announced;
            client.write_all(if is_blocked { BLOCKED } else { UNBLOCKED }).await?;
        }
        tokio::select! {
            changed = alarm.changed() => if changed.is_err() { return Ok(()) },
            changed = is_publisher.changed() => if changed.is_err() { return Ok(()) },
            length = server.read_buf(&mut buffer) => {
                if length? == 0 {
                    return Ok(());
                }
                // Whole frames only, so that an announcement never falls into one.
                for mut frame in whole_frames(&mut buffer) {
                    uncounted.disguise(&mut frame).await;
                    client.write_all(&frame).await?;
                }
            }
        }
    }
}

fn whole_frames(buffer: &mut Vec<u8>) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    while let Some(&[_, _, _, a, b, c, d]) = buffer.first_chunk::<FRAME_HEADER>() {
        let payload = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap();
        let length = FRAME_HEADER + payload + 1;
        if buffer.len() < length {
            break;
        }
        frames.push(buffer.drain(..length).collect());
    }
    frames
}
