//! An HTTP/1.1 accept loop for warp routes, with the limits that warp 0.4 lacks: on heads, bodies, answers, idle time
//! and the number of connections, and a stop with a deadline.
//!
//! The body is read here, whole, before the routes see the request, so that no route can forget a limit.

mod flood_brake;
mod peers;
mod stream;

use std::{convert::Infallible, io, net::SocketAddr, panic::AssertUnwindSafe, sync::Arc, time::Duration};

pub use flood_brake::FloodBrake;
use futures_util::FutureExt;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{
    body::{Bytes, Incoming},
    header::{CONNECTION, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
pub use peers::{Peer, TrustedProxies, TrustedProxiesError};
use peers::{PeerCounts, PeerPermit};
use stream::{Phase, TimedStream};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use tokio_util::task::TaskTracker;
use tower_service::Service;
use warp::{filters::BoxedFilter, reply::Response};

use crate::lifecycle::Stop;

#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections served at once; further ones wait in the kernel's queue.
    pub connections_max: usize,
    /// Connections of one address, or of one IPv6 /64; further ones are closed. A trusted proxy may have more, and each address
    /// that it names so many requests at a time; further ones are refused before their body is read, and hear it after a pause
    /// as long as no more than half of `connections_max` wait.
    pub connections_per_peer_max: usize,
    /// For the whole head of a request, and for a new connection that sends nothing.
    pub header_timeout: Duration,
    /// How long a connection may wait for its next request. It must be longer than a proxy keeps its idle connections
    /// (Caddy: `keepalive` of `transport http`, 2 minutes by default): whoever closes first must be the proxy, which
    /// knows that it is not sending. A POST that meets the server's close is answered 502 and not tried again.
    pub idle_timeout: Duration,
    /// For the body and the answer together.
    pub request_timeout: Duration,
    /// How long a client may take nothing of its answer.
    pub write_timeout: Duration,
    /// The first answer after this age announces `Connection: close`. A connection that uses up every other limit
    /// besides is cut off.
    pub connection_age_max: Duration,
    pub body_max_bytes: usize,
    /// After a stop: how long requests under way may take.
    pub stop_timeout: Duration,
    /// Whose `X-Forwarded-For` names the [`Peer`] of a request.
    pub trusted_proxies: TrustedProxies,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 1024,
            connections_per_peer_max: 256,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(150),
            request_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(10),
            connection_age_max: Duration::from_mins(10),
            body_max_bytes: 8 * 1024,
            stop_timeout: Duration::from_secs(5),
            trusted_proxies: TrustedProxies::default(),
        }
    }
}

impl Limits {
    /// No connection lives longer: its last exchange begins before `connection_age_max`.
    fn longest_life(&self) -> Duration {
        self.connection_age_max
            + self.idle_timeout
            + self.header_timeout
            + self.request_timeout
            + self.write_timeout
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
    /// Its sender has as many requests under way as it may.
    TooMany,
}

/// A request that the loop itself answers.
#[derive(Debug, Clone)]
pub struct RefusedRequest {
    pub refusal: Refusal,
    pub method: hyper::Method,
    pub path: String,
    pub peer: Peer,
    /// `None`: it did not come whole, and no route has seen the request.
    pub body: Option<Bytes>,
}

/// How refusals look to the caller of a path: CLICK's path wants 200 and its own codes.
pub trait RefusalReply: Clone + Send + Sync + 'static {
    /// Nothing cuts it off: it keeps its own time.
    fn reply(&self, refused: RefusedRequest) -> impl Future<Output = Response> + Send;
}

impl<F, R> RefusalReply for F
where
    F: Fn(RefusedRequest) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Response> + Send,
{
    fn reply(&self, refused: RefusedRequest) -> impl Future<Output = Response> + Send {
        self(refused)
    }
}

/// Serves until `stop`, then lets the requests under way finish within `stop_timeout`, then cuts them off.
pub async fn serve(
    listener: TcpListener,
    routes: BoxedFilter<(Response,)>,
    refusal_reply: impl RefusalReply,
    limits: Limits,
    stop: Stop,
) -> io::Result<()> {
    let permits = Arc::new(Semaphore::new(limits.connections_max));
    let of_peers = PeerCounts::default();
    let connections = TaskTracker::new();
    let cut_off = Stop::new();
    let app = App::new(routes, refusal_reply, limits);
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accept(&listener, &permits) => accepted,
        };
        let (stream, addr, permit) = accepted;
        let max = if app.is_from_proxy(addr) { usize::MAX } else { app.limits.connections_per_peer_max };
        let Some(peer_permit) = of_peers.admit(addr.ip(), max) else {
            tracing::debug!(%addr, "connection closed: its address holds as many as it may");
            continue;
        };
        // Answers are small; waiting to fill a packet only adds latency.
        let _ = stream.set_nodelay(true);
        let (app, stop, cut_off) = (app.clone(), stop.clone(), cut_off.clone());
        connections.spawn(async move {
            app.serve_connection(stream, addr, stop, cut_off).await;
            drop((permit, peer_permit));
        });
    }
    drop(listener);
    connections.close();
    let stop_timeout = app.limits.stop_timeout;
    if tokio::time::timeout(stop_timeout, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "cutting off connections that did not end in time");
        cut_off.cancel();
        connections.wait().await;
    }
    Ok(())
}

async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed, so there is always a permit.
    let permit = Arc::clone(permits).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, addr)) => return (stream, addr, permit),
            Err(error) => {
                // Out of file descriptors, or a connection that was reset in the queue: neither ends the service.
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
    limits: Arc<Limits>,
    /// Requests of those whom proxies name.
    of_senders: PeerCounts,
    /// Of those with too many: refused at once, each would come back at once, on a connection that it has to open first.
    flood_brake: Arc<FloodBrake>,
}

impl<R: RefusalReply> App<R> {
    fn new(routes: BoxedFilter<(Response,)>, refusal_reply: R, limits: Limits) -> Self {
        let flood_brake = Arc::new(FloodBrake::new(limits.connections_max / 2));
        Self {
            routes,
            refusal_reply,
            limits: Arc::new(limits),
            of_senders: PeerCounts::default(),
            flood_brake,
        }
    }

    fn is_from_proxy(&self, addr: SocketAddr) -> bool {
        self.limits.trusted_proxies.contains(addr.ip())
    }

    async fn serve_connection<S>(self, stream: S, addr: SocketAddr, stop: Stop, cut_off: Stop)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let opened_at = Instant::now();
        let limits = Arc::clone(&self.limits);
        let phase = Phase::new(limits.header_timeout, limits.idle_timeout, self.is_from_proxy(addr));
        let stream = TimedStream::new(stream, phase.clone(), limits.write_timeout);
        let service = service_fn(move |request| {
            let (app, phase) = (self.clone(), phase.clone());
            async move {
                phase.request_begins();
                let mut response = app.answer(request, addr).await;
                if opened_at.elapsed() >= app.limits.connection_age_max {
                    // Announced with an answer: closing an idle connection could meet the next request.
                    announce_close(&mut response);
                }
                phase.request_ends();
                Ok::<_, Infallible>(response)
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            // TimedStream has it; hyper's own would be the limit for idle connections too.
            .header_read_timeout(None)
            .max_buf_size(16 * 1024)
            .serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let mut stopping = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%addr, %error, "connection ended");
                    }
                    return;
                }
                () = stop.cancelled(), if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = cut_off.cancelled() => return,
                () = tokio::time::sleep_until(opened_at + limits.longest_life()) => {
                    tracing::debug!(%addr, "connection cut off at the end of its longest life");
                    return;
                }
            }
        }
    }

    async fn answer(&self, request: hyper::Request<Incoming>, addr: SocketAddr) -> Response {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let peer = self.limits.trusted_proxies.sender(addr, request.headers());
        let deadline = Instant::now() + self.limits.request_timeout;
        let admitted = self.admit(addr, peer);
        let read = match admitted {
            Ok(_) => self.read(request, peer, deadline).await,
            Err(refusal) => {
                self.flood_brake.pause().await;
                Err(refusal)
            }
        };
        match read {
            Err(refusal) => {
                // Without the path: the Bot API has its token there. Not louder: anybody can cause it.
                tracing::debug!(%peer, %method, ?refusal, "request refused");
                let refused = RefusedRequest { refusal, method, path, peer, body: None };
                let mut response = self.refusal_reply.reply(refused).await;
                // The rest of the body is not waited for.
                announce_close(&mut response);
                response
            }
            Ok(request) => {
                let (head, bytes) = request.into_parts();
                let request = hyper::Request::from_parts(head, Full::new(bytes.clone()));
                match self.handle(request, deadline).await {
                    Ok(response) => response,
                    Err(refusal) => {
                        tracing::error!(%peer, %method, ?refusal, "request not answered");
                        let refused = RefusedRequest { refusal, method, path, peer, body: Some(bytes) };
                        self.refusal_reply.reply(refused).await
                    }
                }
            }
        }
    }

    /// A proxy whose callers are not known is not held to the limit of one.
    fn admit(&self, addr: SocketAddr, peer: Peer) -> Result<Option<PeerPermit>, Refusal> {
        if peer.ip == addr.ip().to_canonical() {
            return Ok(None);
        }
        let permit = self.of_senders.admit(peer.ip, self.limits.connections_per_peer_max);
        permit.map(Some).ok_or(Refusal::TooMany)
    }

    async fn read(
        &self,
        request: hyper::Request<Incoming>,
        peer: Peer,
        deadline: Instant,
    ) -> Result<hyper::Request<Bytes>, Refusal> {
        let (head, body) = request.into_parts();
        let body = Limited::new(body, self.limits.body_max_bytes).collect();
        let body = tokio::time::timeout_at(deadline, body).await.map_err(|_| Refusal::TooSlow)?;
        let body = body.map_err(|error| {
            if error.is::<LengthLimitError>() { Refusal::BodyTooLarge } else { Refusal::BodyBroken }
        })?;
        let mut request = hyper::Request::from_parts(head, body.to_bytes());
        request.extensions_mut().insert(peer);
        Ok(request)
    }

    async fn handle(
        &self,
        request: hyper::Request<Full<Bytes>>,
        deadline: Instant,
    ) -> Result<Response, Refusal> {
        let handled = AssertUnwindSafe(warp::service(self.routes.clone()).call(request)).catch_unwind();
        match tokio::time::timeout_at(deadline, handled).await {
            Ok(Ok(Ok(response))) => Ok(response),
            Ok(Err(_panic)) => Err(Refusal::Panicked),
            Err(_elapsed) => Err(Refusal::TooSlow),
        }
    }
}

fn announce_close(response: &mut Response) {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
}

#[cfg(test)]
mod tests;
