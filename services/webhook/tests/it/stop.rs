//! A stop takes no new work, answers what is under way, and ends within the deadline whatever clients do.

use std::{net::SocketAddr, time::Instant};

use sqlx::Executor;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tolov_webhook::http::CLICK_PATH;

use crate::{
    app::{PATIENCE, TestApp, wait_until},
    click::Callback,
};

/// Sends raw bytes and reads until the other side closes.
pub(crate) async fn say(addr: SocketAddr, raw: &[u8]) -> String {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(raw).await.unwrap();
    heard(&mut stream).await
}

async fn heard(stream: &mut TcpStream) -> String {
    let mut answer = String::new();
    // A connection that is cut off may be reset; what came before counts.
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap();
    answer
}

#[tokio::test]
async fn a_client_that_sent_half_a_request_does_not_hold_up_the_stop() {
    let mut app = TestApp::start().await;
    app.order(1).await;
    let body = Callback::prepare(1).body();
    let head = format!("POST {CLICK_PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
    let mut half_a_head = TcpStream::connect(app.addr()).await.unwrap();
    half_a_head.write_all(&head.as_bytes()[..20]).await.unwrap();
    let mut half_a_body = TcpStream::connect(app.addr()).await.unwrap();
    half_a_body.write_all(head.as_bytes()).await.unwrap();
    half_a_body.write_all(&body.as_bytes()[..20]).await.unwrap();
    let mut silent = TcpStream::connect(app.addr()).await.unwrap();
    // The others have been accepted when a later connection is served.
    assert_eq!(app.prepared(1).await, 1);
    let started = Instant::now();
    app.stop().await;
    assert!(started.elapsed().as_secs() < 8, "{:?}", started.elapsed());
    assert_eq!(
        [heard(&mut half_a_head).await, heard(&mut half_a_body).await, heard(&mut silent).await],
        ["", "", ""]
    );
    app.finish().await;
}

#[tokio::test]
async fn a_request_that_is_under_way_is_answered_before_the_end() {
    let mut app = TestApp::start().await;
    app.order(1).await;
    let prepare_id = app.prepared(1).await;
    let mut lock = app.hold_the_write_lock().await;
    let addr = app.addr();
    let complete = Callback::complete(1, prepare_id);
    let stopping = async {
        // The request is with the writer, which waits for the lock.
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        app.ask_to_stop();
        wait_until("nobody listens any more", async || TcpStream::connect(addr).await.is_err()).await;
        lock.execute("COMMIT").await.unwrap();
    };
    let (code, ()) = tokio::join!(app.code(&complete), stopping);
    assert_eq!(code, 0);
    drop(lock);
    app.stop().await;
    assert_eq!(app.bus.confirmed(), ["payment.completed:1"], "and its event was sent");
    app.finish().await;
}

#[tokio::test]
async fn a_tool_that_holds_the_ledger_does_not_hold_up_the_stop() {
    let mut app = TestApp::start().await;
    let tool = app.ledger().clone();
    app.order(1).await;
    app.paid(1).await;
    app.stop().await;
    assert!(!tool.is_writable(tolov_domain::time::from_unix_ms(0)).await);
    drop(tool);
    app.finish().await;
}

#[tokio::test]
async fn a_service_that_was_stopped_starts_again_where_it_was() {
    let mut app = TestApp::start().await;
    app.order(1).await;
    app.order(2).await;
    let open = app.prepared(1).await;
    app.paid(2).await;
    for _ in 0..2 {
        app.stop().await;
        app.start_again().await;
    }
    assert_eq!(app.prepared(1).await, open, "the attempt is remembered");
    assert_eq!(app.code(&Callback::complete(1, open)).await, 0);
    assert_eq!(app.code(&Callback::complete(2, open + 1)).await, -4);
    app.order(3).await;
    assert_eq!(app.prepared(3).await, 3, "numbers go on");
    app.finish().await;
}
