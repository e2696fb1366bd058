use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::JoinHandle,
};
use warp::{Filter, Reply};

use super::*;

fn refused(refusal: Refusal, _: &hyper::Method, _: &str, _: SocketAddr) -> Response {
    warp::reply::with_status(format!("{refusal:?}"), warp::http::StatusCode::BAD_REQUEST).into_response()
}

fn routes() -> BoxedFilter<(Response,)> {
    let echo =
        warp::path("echo").and(warp::body::bytes()).map(|body: bytes::Bytes| body.to_vec().into_response());
    let slow = warp::path("slow").then(|| async {
        tokio::time::sleep(Duration::from_mins(1)).await;
        "late".into_response()
    });
    let broken = warp::path("broken").map(|| -> Response { panic!("a bug") });
    echo.or(slow).unify().or(broken).unify().boxed()
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
async fn too_much_too_slow_and_broken_requests_are_refused_by_name() {
    let world = world(strict()).await;
    assert!(say(world.addr, &post("/echo", 17, &"x".repeat(17))).await.ends_with("BodyTooLarge"));
    assert!(say(world.addr, &post("/slow", 0, "")).await.ends_with("TooSlow"));
    assert!(say(world.addr, &post("/broken", 0, "")).await.ends_with("Panicked"));
    let chunked = "POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n20\r\n01234567890123456789012345678901\r\n0\r\n\r\n";
    assert!(say(world.addr, chunked).await.contains("BodyTooLarge"));
}

#[tokio::test]
async fn half_a_header_and_half_a_body_do_not_hold_a_connection() {
    let world = world(strict()).await;
    say(world.addr, "POST /echo HTTP/1.1\r\nhost:").await;
    assert!(say(world.addr, &post("/echo", 10, "half")).await.contains("TooSlow"));
}

#[tokio::test]
async fn silent_connections_over_the_cap_do_not_lock_others_out() {
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
async fn a_stuck_client_does_not_hold_up_the_stop() {
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
