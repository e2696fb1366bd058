//! An HTTP/1.1 accept loop for warp routes, with the limits that warp 0.4 lacks: header and request timeouts, a body
//! limit, a cap on connections, and a stop with a deadline (reliability.md, finding 8).
//!
//! The body is read here, whole, before the routes see the request, so that no route can forget a limit.

use std::{convert::Infallible, io, net::SocketAddr, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::task::TaskTracker;
use tower_service::Service;
use warp::{filters::BoxedFilter, reply::Response};

use crate::lifecycle::Stop;

#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections served at once; further ones wait in the kernel's queue.
    pub connections_max: usize,
    /// For the whole head of a request, and for a connection that says nothing.
    pub header_timeout: Duration,
    /// For the body and the answer together.
    pub request_timeout: Duration,
    pub body_max_bytes: usize,
    /// After a stop: how long requests under way may take.
    pub stop_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 1024,
            header_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(10),
            body_max_bytes: 8 * 1024,
            stop_timeout: Duration::from_secs(5),
        }
    }
}

/// Why the loop itself answers a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    BodyTooLarge,
    /// The client broke off in the middle of the body.
    BodyBroken,
    /// The body or the answer took longer than `request_timeout`.
    TooSlow,
    /// A handler panicked: a bug, logged with its place.
    Panicked,
}

/// How refusals look to the caller of a path: CLICK's path wants 200 and its own codes.
pub trait RefusalReply:
    Fn(Refusal, &hyper::Method, &str, SocketAddr) -> Response + Clone + Send + Sync + 'static
{
}

impl<F> RefusalReply for F where
    F: Fn(Refusal, &hyper::Method, &str, SocketAddr) -> Response + Clone + Send + Sync + 'static
{
}

/// The other end of the connection, as an extension of the request.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Serves until `stop`, then lets the requests under way finish within `stop_timeout`, then cuts them off.
pub async fn serve(
    listener: TcpListener,
    routes: BoxedFilter<(Response,)>,
    refusal_reply: impl RefusalReply,
    limits: Limits,
    stop: Stop,
) -> io::Result<()> {
    let permits = Arc::new(Semaphore::new(limits.connections_max));
    let connections = TaskTracker::new();
    let cut_off = Stop::new();
    let app = App { routes, refusal_reply, limits };
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accept(&listener, &permits) => accepted,
        };
        let (stream, peer, permit) = accepted;
        let (app, stop, cut_off) = (app.clone(), stop.clone(), cut_off.clone());
        connections.spawn(async move {
            app.converse(stream, peer, stop, cut_off).await;
            drop(permit);
        });
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(limits.stop_timeout, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "cutting off connections that did not end in time");
        cut_off.cancel();
        connections.wait().await;
    }
    Ok(())
}

async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, Option<tokio::sync::OwnedSemaphorePermit>) {
    // The semaphore is never closed; without a permit the connection is served all the same.
    let permit = Arc::clone(permits).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, permit),
            Err(error) => {
                // Out of file descriptors, or a connection that died in the queue: neither ends the service.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

#[derive(Clone)]
struct App<R> {
    routes: BoxedFilter<(Response,)>,
    refusal_reply: R,
    limits: Limits,
}

impl<R: RefusalReply> App<R> {
    async fn converse(self, stream: TcpStream, peer: SocketAddr, stop: Stop, cut_off: Stop) {
        // Answers are small; waiting to fill a packet only adds latency.
        let _ = stream.set_nodelay(true);
        let header_timeout = self.limits.header_timeout;
        let service = service_fn(move |request| {
            let app = self.clone();
            async move { Ok::<_, Infallible>(app.answer(request, peer).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(header_timeout)
            .max_buf_size(16 * 1024)
            .serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let mut stopping = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%peer, %error, "connection ended");
                    }
                    return;
                }
                () = stop.cancelled(), if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = cut_off.cancelled() => return,
            }
        }
    }

    async fn answer(self, request: hyper::Request<Incoming>, peer: SocketAddr) -> Response {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let handled = AssertUnwindSafe(self.handle(request, peer)).catch_unwind();
        let refusal = match tokio::time::timeout(self.limits.request_timeout, handled).await {
            Ok(Ok(Ok(response))) => return response,
            Ok(Ok(Err(refusal))) => refusal,
            Ok(Err(_panic)) => Refusal::Panicked,
            Err(_elapsed) => Refusal::TooSlow,
        };
        // Without the path: the Bot API has its token there.
        tracing::warn!(%peer, %method, ?refusal, "request refused");
        (self.refusal_reply)(refusal, &method, &path, peer)
    }

    async fn handle(&self, request: hyper::Request<Incoming>, peer: SocketAddr) -> Result<Response, Refusal> {
        let (head, body) = request.into_parts();
        let body = Limited::new(body, self.limits.body_max_bytes).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() { Refusal::BodyTooLarge } else { Refusal::BodyBroken }
        })?;
        let mut request = hyper::Request::from_parts(head, Full::new(body.to_bytes()));
        request.extensions_mut().insert(Peer(peer));
        match warp::service(self.routes.clone()).call(request).await {
            Ok(response) => Ok(response),
        }
    }
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
