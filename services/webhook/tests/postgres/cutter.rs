//! What stands between a ledger and its server, and holds or loses what passes.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::Semaphore,
};
use tolov_kit::secret::Secret;
use tolov_webhook::ledger::LedgerPlace;
use url::Url;

/// Once it is told to, it lets one COMMIT through and cuts that connection off before the answer, or keeps a statement waiting.
#[derive(Debug)]
pub(crate) struct Cutter {
    url: Url,
    faults: Arc<Faults>,
}

#[derive(Debug)]
struct Faults {
    cuts: AtomicBool,
    held_text: Mutex<Option<&'static str>>,
    holds: AtomicBool,
    released: Semaphore,
}

impl Cutter {
    pub(crate) async fn before(server: &Url) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap();
        let mut url = server.clone();
        url.set_ip_host(own.ip()).unwrap();
        url.set_port(Some(own.port())).unwrap();
        let server = format!("{}:{}", server.host_str().unwrap(), server.port().unwrap_or(5432));
        let faults = Arc::new(Faults {
            cuts: AtomicBool::new(false),
            held_text: Mutex::new(None),
            holds: AtomicBool::new(false),
            released: Semaphore::new(0),
        });
        let shared = faults.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(carry(client, server, shared.clone()));
            }
        });
        Self { url, faults }
    }

    /// The ledger as it is reached through here.
    pub(crate) fn place(&self) -> LedgerPlace {
        LedgerPlace::Postgres(Secret::new(self.url.as_str()))
    }

    /// The answer to the next COMMIT is lost.
    pub(crate) fn arm(&self) {
        self.faults.cuts.store(true, Ordering::Relaxed);
    }

    /// A statement with this text waits until it is released.
    pub(crate) fn hold(&self, text: &'static str) {
        *self.faults.held_text.lock().unwrap() = Some(text);
    }

    pub(crate) fn holds(&self) -> bool {
        self.faults.holds.load(Ordering::Relaxed)
    }

    pub(crate) fn release(&self) {
        self.faults.released.add_permits(Semaphore::MAX_PERMITS);
    }
}

async fn carry(client: TcpStream, server: TcpStream, faults: Arc<Faults>) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let is_cut = Arc::new(AtomicBool::new(false));
    tokio::join!(
        forward(from_client, to_server, faults, is_cut.clone()),
        backward(from_server, to_client, is_cut)
    );
}

async fn forward(
    mut client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
    faults: Arc<Faults>,
    is_cut: Arc<AtomicBool>,
) {
    let mut buffer = vec![0; 65_536];
    while let Ok(read @ 1..) = client.read(&mut buffer).await {
        let has = |text: &[u8]| buffer[..read].windows(text.len()).any(|part| part == text);
        // The end of a message; READ COMMITTED is another.
        if has(b"COMMIT\0") && faults.cuts.swap(false, Ordering::Relaxed) {
            is_cut.store(true, Ordering::Relaxed);
        }
        let held_text = *faults.held_text.lock().unwrap();
        if held_text.is_some_and(|text| has(text.as_bytes())) {
            faults.holds.store(true, Ordering::Relaxed);
            drop(faults.released.acquire().await);
        }
        if server.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

/// Drops the connection to the client when the server answers the COMMIT.
async fn backward(mut server: OwnedReadHalf, mut client: OwnedWriteHalf, is_cut: Arc<AtomicBool>) {
    let mut buffer = vec![0; 65_536];
    while let Ok(read @ 1..) = server.read(&mut buffer).await {
        if is_cut.load(Ordering::Relaxed) || client.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
