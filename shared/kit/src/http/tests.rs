use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    task::JoinHandle,
};
use warp::{Filter, Reply};

use super::*;

async fn refused(RefusedRequest { refusal, body, .. }: RefusedRequest) -> Response {
    // As one that keeps what it has refused.
    tokio::task::yield_now().await;
    let body = body.map(|body| String::from_utf8_lossy(&body).into_owned());
    let text = format!("{}{refusal:?}", body.unwrap_or_default());
    warp::reply::with_status(text, warp::http::StatusCode::BAD_REQUEST).into_response()
}

fn routes() -> BoxedFilter<(Response,)> {
    let echo =
        warp::path("echo").and(warp::body::bytes()).map(|body: bytes::Bytes| body.to_vec().into_response());
    let slow = warp::path("slow").then(|| async {
        tokio::time::sleep(Duration::from_mins(1)).await;
        "late".into_response()
    });
    let broken = warp::path("broken").map(|| -> Response { panic!("a bug") });
    let large = warp::path("large").map(|| "x".repeat(64 * 1024).into_response());
    let peer = warp::path("peer").and(warp::ext::get::<Peer>());
    let peer = peer.map(|peer: Peer| peer.to_string().into_response());
    echo.or(slow).unify().or(broken).unify().or(large.or(peer).unify()).unify().boxed()
}

struct World {
    addr: SocketAddr,
    stop: Stop,
    server: JoinHandle<io::Result<()>>,
}

async fn world(limits: Limits) -> World {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let stop = Stop::new();
    let server = tokio::spawn(serve(listener, routes(), refused, limits, stop.clone()));
    World { addr, stop, server }
}

fn strict() -> Limits {
    Limits {
        connections_max: 2,
        header_timeout: Duration::from_millis(200),
        request_timeout: Duration::from_millis(300),
        body_max_bytes: 16,
        stop_timeout: Duration::from_millis(200),
        ..Limits::default()
    }
}

/// Sends raw text and reads until the other side closes.
async fn say(addr: SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn post(path: &str, length: usize, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
}

#[tokio::test]
async fn a_request_within_the_limits_is_answered() {
    let world = world(strict()).await;
    assert!(say(world.addr, &post("/echo", 5, "salom")).await.ends_with("salom"));
}

#[tokio::test]
async fn a_large_a_slow_and_a_panicking_request_are_refused_each_by_its_name() {
    let world = world(strict()).await;
    assert!(say(world.addr, &post("/echo", 17, &"x".repeat(17))).await.ends_with("BodyTooLarge"));
    assert!(say(world.addr, &post("/slow", 0, "")).await.ends_with("TooSlow"));
    assert!(say(world.addr, &post("/broken", 0, "")).await.ends_with("Panicked"));
    for path in ["/slow", "/broken"] {
        let answer = say(world.addr, &post(path, 5, "salom")).await;
        assert!(answer.contains("salom"), "a body that came whole is known: {answer}");
    }
    let chunked = "POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n20\r\n01234567890123456789012345678901\r\n0\r\n\r\n";
    assert!(say(world.addr, chunked).await.contains("BodyTooLarge"));
}

#[tokio::test]
async fn half_a_head_and_half_a_body_are_cut_off_in_time() {
    let world = world(strict()).await;
    say(world.addr, "POST /echo HTTP/1.1\r\nhost:").await;
    assert!(say(world.addr, &post("/echo", 10, "half")).await.contains("TooSlow"));
}

#[tokio::test]
async fn silent_connections_above_the_cap_do_not_lock_others_out() {
    let world = world(strict()).await;
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(TcpStream::connect(world.addr).await.unwrap());
    }
    let answer =
        tokio::time::timeout(Duration::from_secs(10), say(world.addr, &post("/echo", 2, "ok"))).await;
    assert!(answer.unwrap().ends_with("ok"));
}

#[tokio::test]
async fn a_stuck_client_does_not_delay_the_stop() {
    let limits = Limits {
        request_timeout: Duration::from_mins(1),
        header_timeout: Duration::from_mins(1),
        ..strict()
    };
    let world = world(limits).await;
    let mut half = TcpStream::connect(world.addr).await.unwrap();
    half.write_all(post("/echo", 10, "half").as_bytes()).await.unwrap();
    let _silent = TcpStream::connect(world.addr).await.unwrap();
    world.stop.cancel();
    tokio::time::timeout(Duration::from_secs(5), world.server).await.unwrap().unwrap().unwrap();
}

/// A connection in memory, so that the clock of the test can be moved without a race with a socket.
fn connect(limits: Limits, addr: &str) -> (DuplexStream, JoinHandle<()>) {
    connect_to(App::new(routes(), refused, limits), addr)
}

fn connect_to(app: App<impl RefusalReply>, addr: &str) -> (DuplexStream, JoinHandle<()>) {
    let (client, server) = tokio::io::duplex(1024);
    let addr = addr.parse().unwrap();
    (client, tokio::spawn(app.serve_connection(server, addr, Stop::new(), Stop::new())))
}

const STRANGER: &str = "203.0.113.7:4000";

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")
}

/// One exchange on a connection that stays open.
async fn exchange(stream: &mut DuplexStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut buffer = [0; 1024];
    let length = stream.read(&mut buffer).await.unwrap();
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_reads_its_answer_is_cut_off() {
    let (mut client, served) = connect(Limits::default(), STRANGER);
    client.write_all(get("/large").as_bytes()).await.unwrap();
    let begun = Instant::now();
    served.await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), Limits::default().write_timeout.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_slowly_is_cut_off_at_the_end_of_its_longest_life() {
    let limits = Limits { connection_age_max: Duration::from_mins(1), ..Limits::default() };
    let life = limits.longest_life();
    let (mut client, served) = connect(limits, STRANGER);
    client.write_all(get("/large").as_bytes()).await.unwrap();
    let begun = Instant::now();
    while !served.is_finished() {
        tokio::time::sleep(Duration::from_secs(9)).await;
        let _ = client.read_u8().await;
    }
    assert!(begun.elapsed() <= life + Duration::from_secs(9), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_outlives_the_header_timeout_and_answers_the_next_request() {
    let limits = Limits::default();
    let (mut client, served) = connect(limits.clone(), STRANGER);
    for _ in 0..3 {
        assert!(exchange(&mut client, &get("/peer")).await.ends_with(STRANGER));
        // As long as Caddy keeps an idle connection by default.
        tokio::time::sleep(Duration::from_mins(2)).await;
        assert!(!served.is_finished(), "the proxy must be the one who closes");
    }
    served.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_head_of_a_later_request_has_the_header_timeout() {
    let (mut client, served) = connect(Limits::default(), STRANGER);
    exchange(&mut client, &get("/peer")).await;
    tokio::time::sleep(Duration::from_mins(1)).await;
    let begun = Instant::now();
    client.write_all(b"GET /peer HTTP/1.1\r\nho").await.unwrap();
    served.await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), Limits::default().header_timeout.as_secs());
}

#[tokio::test(start_paused = true)]
async fn an_old_connection_is_closed_with_an_answer_and_not_between_two() {
    let limits = Limits::default();
    let (mut client, served) = connect(limits.clone(), STRANGER);
    let opened_at = Instant::now();
    while opened_at.elapsed() < limits.connection_age_max {
        assert!(!exchange(&mut client, &get("/peer")).await.contains("connection: close"));
        tokio::time::sleep(Duration::from_mins(2)).await;
    }
    assert!(exchange(&mut client, &get("/peer")).await.contains("connection: close"));
    served.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_a_proxy_opens_in_advance_may_stay_silent() {
    let limits = Limits { trusted_proxies: "10.0.0.2".parse().unwrap(), ..Limits::default() };
    let (mut proxy, _served) = connect(limits.clone(), "10.0.0.2:4000");
    let (_stranger, served) = connect(limits, STRANGER);
    tokio::time::sleep(Duration::from_mins(2)).await;
    assert!(served.is_finished());
    let request = "GET /peer HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 198.51.100.9\r\n\r\n";
    assert!(exchange(&mut proxy, request).await.ends_with("198.51.100.9"));
}

#[tokio::test]
async fn one_address_cannot_take_every_connection_unless_it_is_a_trusted_proxy() {
    let limits = Limits { connections_per_peer_max: 1, ..Limits::default() };
    let strangers = world(limits.clone()).await;
    let mut first = TcpStream::connect(strangers.addr).await.unwrap();
    let mut second = TcpStream::connect(strangers.addr).await.unwrap();
    assert_eq!(second.read(&mut [0; 1]).await.unwrap_or(0), 0, "closed at once");
    first.write_all(post("/echo", 2, "ok").as_bytes()).await.unwrap();
    let mut answer = String::new();
    first.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("ok"));

    let proxied = world(Limits { trusted_proxies: "127.0.0.1".parse().unwrap(), ..limits }).await;
    let _first = TcpStream::connect(proxied.addr).await.unwrap();
    assert!(say(proxied.addr, &post("/echo", 2, "ok")).await.ends_with("ok"));
}

#[tokio::test]
async fn one_address_behind_a_proxy_cannot_keep_every_request_to_itself() {
    let trusted_proxies = "127.0.0.1".parse().unwrap();
    let limits = Limits { connections_per_peer_max: 1, trusted_proxies, ..Limits::default() };
    let world = world(limits).await;
    let from = |sender: &str, path: &str| {
        post(path, 2, "ok").replace("host: x", &format!("host: x\r\nx-forwarded-for: {sender}"))
    };
    let mut first = TcpStream::connect(world.addr).await.unwrap();
    first.write_all(from("203.0.113.7", "/slow").as_bytes()).await.unwrap();
    let refused = async {
        while !say(world.addr, &from("203.0.113.7", "/echo")).await.ends_with("TooMany") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), refused).await.unwrap();
    assert!(say(world.addr, &from("203.0.113.8", "/echo")).await.ends_with("ok"), "another sender");
    assert!(say(world.addr, &post("/echo", 2, "ok")).await.ends_with("ok"), "of an unknown sender");
    drop(first);
    let admitted = async {
        while !say(world.addr, &from("203.0.113.7", "/echo")).await.ends_with("ok") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), admitted).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn whoever_has_too_many_requests_under_way_hears_it_after_a_pause_while_there_is_room_to_wait() {
    let limits = Limits { connections_max: 2, connections_per_peer_max: 0, ..Limits::default() };
    let app = App::new(routes(), refused, Limits { trusted_proxies: "10.0.0.2".parse().unwrap(), ..limits });
    let refused = || async {
        let (mut proxy, _served) = connect_to(app.clone(), "10.0.0.2:4000");
        let (request, begun) =
            (get("/peer").replace("host: x", "host: x\r\nx-forwarded-for: 203.0.113.7"), Instant::now());
        assert!(exchange(&mut proxy, &request).await.ends_with("TooMany"));
        begun.elapsed()
    };
    let (first, second) = tokio::join!(refused(), refused());
    assert!(first >= Duration::from_millis(500) && second.is_zero(), "{first:?}, {second:?}");
    assert!(refused().await >= Duration::from_millis(500));
}
