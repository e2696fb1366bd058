//! A proxy that speaks MongoDB's protocol and answers for a server that is not the primary any more, or is slow.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use mongodb::bson::{Document, doc};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{Mutex, watch},
};
use tolov_domain::ports::{
    PortError,
    documents::{Body, Collection, Documents, Key, Put, Query, Write, Written},
};
use tolov_mongodb::{MongoOptions, MongoShop};

use crate::world::{Server, World, shop_at};

const ORDERS: Collection = Collection::new("orders", &["status"]);
const KEY: Key = Key::Number(1);
const CALL_TIMEOUT: Duration = Duration::from_secs(4);
const PATIENCE: Duration = Duration::from_secs(30);

/// A message's length, id, id of its request, and opcode.
const HEADER: usize = 16;
const OP_MSG: u32 = 2013;
/// Of an OP_MSG: the flags, and the kind of its first section.
const BEFORE_DOCUMENT: usize = HEADER + 5;
/// What every server answers, whatever it is.
const HANDSHAKE: [&str; 4] = ["hello", "ismaster", "isMaster", "endSessions"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Played {
    Primary,
    /// Answers each command with an error that a server gives after an election.
    SteppedDown {
        code: i32,
        name: &'static str,
    },
    /// Answers each command after so long.
    Slow(Duration),
}

async fn start(target: SocketAddr) -> (SocketAddr, watch::Sender<Played>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (server, state) = watch::channel(Played::Primary);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let Ok(upstream) = TcpStream::connect(target).await else { continue };
            let (client_read, client_write) = client.into_split();
            let (server_read, server_write) = upstream.into_split();
            let client_write = Arc::new(Mutex::new(client_write));
            tokio::spawn(requests(client_read, server_write, Arc::clone(&client_write), state.clone()));
            tokio::spawn(answers(server_read, client_write));
        }
    });
    (addr, server)
}

pub(crate) async fn message(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Vec<u8>> {
    let mut message = vec![0; HEADER];
    stream.read_exact(&mut message).await?;
    let length = usize::try_from(number_at(&message, 0)).unwrap();
    message.resize(length, 0);
    stream.read_exact(&mut message[HEADER..]).await?;
    Ok(message)
}

fn number_at(message: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(message[offset..offset + 4].try_into().unwrap())
}

/// The body of a command, whose first key is its name.
pub(crate) fn command(message: &[u8]) -> Document {
    assert_eq!(number_at(message, 12), OP_MSG, "the driver asks for no compression and speaks nothing older");
    let length = usize::try_from(number_at(message, BEFORE_DOCUMENT)).unwrap();
    mongodb::bson::from_slice(&message[BEFORE_DOCUMENT..BEFORE_DOCUMENT + length]).unwrap()
}

pub(crate) fn name(command: &Document) -> &str {
    command.keys().next().unwrap()
}

/// The driver sends a write again for the label alone, which a server puts on the writes that have a number.
pub(crate) fn refusal(command: &Document, code: i32, name: &str) -> Document {
    let mut error = doc! { "ok": 0.0, "errmsg": "not primary", "code": code, "codeName": name };
    if command.contains_key("txnNumber") {
        error.insert("errorLabels", vec!["RetryableWriteError"]);
    }
    error
}

pub(crate) fn reply(request: &[u8], body: &Document) -> Vec<u8> {
    let body = mongodb::bson::to_vec(body).unwrap();
    let length = u32::try_from(BEFORE_DOCUMENT + body.len()).unwrap();
    let header = [length, 1, number_at(request, 4), OP_MSG, 0];
    let mut reply: Vec<u8> = header.into_iter().flat_map(u32::to_le_bytes).collect();
    reply.push(0);
    reply.extend(body);
    reply
}

async fn requests(
    mut client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
    to_client: Arc<Mutex<OwnedWriteHalf>>,
    state: watch::Receiver<Played>,
) -> std::io::Result<()> {
    loop {
        let request = message(&mut client).await?;
        let state = *state.borrow();
        let command = command(&request);
        match state {
            _ if HANDSHAKE.contains(&name(&command)) => server.write_all(&request).await?,
            Played::SteppedDown { code, name } => {
                let error = refusal(&command, code, name);
                to_client.lock().await.write_all(&reply(&request, &error)).await?;
            }
            Played::Slow(pause) => {
                tokio::time::sleep(pause).await;
                server.write_all(&request).await?;
            }
            Played::Primary => server.write_all(&request).await?,
        }
    }
}

async fn answers(mut server: OwnedReadHalf, client: Arc<Mutex<OwnedWriteHalf>>) -> std::io::Result<()> {
    loop {
        let answer = message(&mut server).await?;
        client.lock().await.write_all(&answer).await?;
    }
}

async fn shop_behind_proxy(world: &World) -> (MongoShop, watch::Sender<Played>) {
    shop_with(world, CALL_TIMEOUT, "heartbeatFrequencyMS=500").await
}

async fn shop_with(
    world: &World,
    call_timeout: Duration,
    setting: &str,
) -> (MongoShop, watch::Sender<Played>) {
    let (proxy, played) = start(world.server().await).await;
    let options = MongoOptions { call_timeout, ..MongoOptions::default() };
    // The driver learns of a new primary when it next looks at the server, every 10 s by default.
    (shop_at(&format!("{}&{setting}", world.url_through(proxy)), options).await, played)
}

fn paid(number: i64) -> Write {
    let body: Body = [("status".to_owned(), "paid".into())].into_iter().collect();
    Write { key: Key::Number(number), seen: None, body }
}

/// As the services do: again while the store is unavailable.
async fn when_there<T>(call: impl AsyncFn() -> Result<T, PortError>) -> Result<T, PortError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match call().await {
            Err(error) if error.is_unavailable() && Instant::now() < deadline => {}
            done => return done,
        }
    }
}

pub(crate) async fn write_when_there(shop: &MongoShop, batch: &[Write]) -> Result<Vec<Written>, PortError> {
    when_there(async || shop.put_many(ORDERS, batch).await).await
}

pub(crate) async fn a_server_that_is_not_the_primary_any_more_is_unavailable_and_what_is_repeated_has_one_effect(
    server: Server,
) -> anyhow::Result<()> {
    let world = World::fresh(server).await?;
    let (shop, server) = shop_behind_proxy(&world).await;
    assert_eq!(shop.put(ORDERS, &KEY, None, &Body::new()).await?, Put::Done(1));
    let after_an_election = [
        (10_107, "NotWritablePrimary"),
        (189, "PrimarySteppedDown"),
        (11_602, "InterruptedDueToReplStateChange"),
        (91, "ShutdownInProgress"),
    ];
    for (number, (code, name)) in (2..).zip(after_an_election) {
        server.send_replace(Played::SteppedDown { code, name });
        for error in [
            shop.put(ORDERS, &KEY, Some(1), &Body::new()).await.map(drop),
            shop.get(ORDERS, &KEY).await.map(drop),
            shop.find(&Query::all(ORDERS, 10)).await.map(drop),
            shop.put_many(ORDERS, &[paid(number), paid(number + 100)]).await.map(drop),
        ] {
            let error = error.unwrap_err();
            assert!(error.is_unavailable(), "{name}: {error}");
        }
        server.send_replace(Played::Primary);
        let written = write_when_there(&shop, &[paid(number), paid(number + 100)]).await?;
        assert!(written.iter().all(|written| *written == Written::Done(1)), "{name}: {written:?}");
    }
    let first = Write { key: KEY, seen: Some(1), body: Body::new() };
    assert_eq!(write_when_there(&shop, &[first]).await?, [Written::Done(2)]);
    world.remove().await
}

pub(crate) async fn a_slow_server_is_waited_for_within_the_limit_of_a_call_and_unavailable_beyond_it(
    server: Server,
) -> anyhow::Result<()> {
    let world = World::fresh(server).await?;
    let (shop, server) = shop_behind_proxy(&world).await;
    server.send_replace(Played::Slow(Duration::from_millis(200)));
    assert_eq!(shop.put(ORDERS, &KEY, None, &Body::new()).await?, Put::Done(1));
    server.send_replace(Played::Slow(CALL_TIMEOUT * 2));
    let error = shop.put(ORDERS, &KEY, Some(1), &Body::new()).await.unwrap_err();
    assert!(error.is_unavailable(), "{error}");
    server.send_replace(Played::Primary);
    assert!(shop.get(ORDERS, &KEY).await?.is_some());
    world.remove().await
}

/// The driver's queue is left full of requests that nobody waits for.
pub(crate) async fn after_many_calls_that_were_cut_off_the_store_is_used_again(
    server: Server,
) -> anyhow::Result<()> {
    let world = World::fresh(server).await?;
    let limit = Duration::from_secs(2);
    let (shop, server) = shop_with(&world, limit, "maxPoolSize=1&heartbeatFrequencyMS=600000").await;
    let order = Write { key: KEY, seen: None, body: Body::new() };
    write_when_there(&shop, &[order]).await?;
    server.send_replace(Played::Slow(limit * 2));
    let cut_off = join_all((0..2_000).map(|_| shop.get(ORDERS, &KEY))).await;
    assert!(cut_off.iter().all(|read| read.as_ref().is_err_and(PortError::is_unavailable)));
    server.send_replace(Played::Primary);
    assert!(when_there(async || shop.get(ORDERS, &KEY).await).await?.is_some());
    world.remove().await
}
