//! More callers than the webhook service serves at once, over real sockets.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    sync::Barrier,
    task::JoinSet,
};

use crate::one_server::{OneServer, SECRETS};

/// Twice as many as are served at once; no address may have more than a quarter of those.
const CALLERS: u16 = 2_048;
const ADDRESSES: u16 = 16;
const PATIENCE: Duration = Duration::from_mins(2);

async fn connect(from: u16, to: SocketAddr) -> TcpStream {
    let [high, low] = from.to_be_bytes();
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 1, high, low], 0))).unwrap();
    socket.connect(to).await.unwrap()
}

/// Registers an order once all are connected, and again and again when the connection is closed, as the bot does. Returns the
/// number of tries.
async fn register(address: SocketAddr, caller: u16, wave: i64, all: Arc<Barrier>) -> usize {
    let order_id = wave * i64::from(CALLERS) + i64::from(caller) + 1;
    let mut stream = connect(caller % ADDRESSES, address).await;
    all.wait().await;
    let mut tries = 1;
    while !is_registered(&mut stream, order_id).await {
        tries += 1;
        stream = connect(caller % ADDRESSES, address).await;
    }
    tries
}

/// `false`: the service was too busy, and has perhaps closed the connection.
async fn is_registered(stream: &mut TcpStream, order_id: i64) -> bool {
    let body = json!({
        "order_id": order_id, "user_id": 5_551, "products": [{"product_id": 7, "count": 2}],
        "total_amount": 30_000, "payment_method": "click",
    })
    .to_string();
    let request = format!(
        "POST /api/create_order HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\r\n{body}",
        SECRETS[1].1,
        body.len()
    );
    let mut answer = [0; 4096];
    let exchange = async {
        stream.write_all(request.as_bytes()).await?;
        stream.read(&mut answer).await
    };
    let Ok(length) = exchange.await else { return false };
    let answer = &answer[..length];
    answer.starts_with(b"HTTP/1.1 201") || answer.starts_with(b"HTTP/1.1 200")
}

/// The most memory that a process has had so far, in KiB.
fn most_memory_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn twice_as_many_callers_as_are_served_at_once_are_all_answered_in_flat_memory() {
    allow_open_files(u64::from(CALLERS) + 1_000);
    let server = OneServer::start(&[]).await;
    let address: SocketAddr = server.webhook_url.strip_prefix("http://").unwrap().parse().unwrap();
    let (mut memory, mut tries) = (Vec::new(), 0);
    for wave in 0..3 {
        let all = Arc::new(Barrier::new(CALLERS.into()));
        let register = |caller| register(address, caller, wave, Arc::clone(&all));
        let mut callers: JoinSet<usize> = (0..CALLERS).map(register).collect();
        while let Some(caller) = tokio::time::timeout(PATIENCE, callers.join_next()).await.unwrap() {
            tries += caller.unwrap();
        }
        memory.push(most_memory_kib(server.all.id()));
    }
    println!("{tries} tries; KiB at most until the end of each wave: {memory:?}");
    assert!(tries > 3 * usize::from(CALLERS), "nobody was turned away");
    assert!(memory[2] < memory[0] + 32 * 1024, "{memory:?}");
    let audit = server.run("audit", &["--settle-for", "5", "--told-within", "0m"]);
    let told = String::from_utf8_lossy(&audit.stdout);
    assert!(audit.status.success() && told.starts_with("no difference"), "{told}");
}

/// Connections that say nothing. The service closes what is more than an address may have.
async fn silent_crowd(to: SocketAddr, size: u16, addresses: u16) -> Vec<TcpStream> {
    let mut connecting: JoinSet<TcpStream> =
        (0..size).map(|number| connect(ADDRESSES + number % addresses, to)).collect();
    let mut crowd = Vec::new();
    while let Some(stream) = tokio::time::timeout(PATIENCE, connecting.join_next()).await.unwrap() {
        crowd.push(stream.unwrap());
    }
    crowd
}

fn allow_open_files(count: u64) {
    let limit = getrlimit(Resource::Nofile);
    assert!(limit.maximum.is_none_or(|maximum| maximum >= count), "see `ulimit -Hn`: {limit:?}");
    if limit.current.is_some_and(|current| current < count) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(count), ..limit }).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_silent_connections_keep_no_payment_out() {
    const CROWD: u16 = 10_000;
    allow_open_files(u64::from(CROWD) + 2_000);
    let server = OneServer::start(&[]).await;
    let address: SocketAddr = server.webhook_url.strip_prefix("http://").unwrap().parse().unwrap();
    // From one address, and from three that take all that they may have.
    for (order_id, (size, addresses)) in (1001..).zip([(CROWD, 1), (750, 3)]) {
        let crowd = silent_crowd(address, size, addresses).await;
        let payment = server.buy(order_id).await;
        assert_eq!(payment["status"]["status"], "paid", "beside {} connections", crowd.len());
    }
    let audit = server.run("audit", &["--settle-for", "5", "--told-within", "0m"]);
    let told = String::from_utf8_lossy(&audit.stdout);
    assert!(audit.status.success() && told.starts_with("no difference"), "{told}");
}
