//! The time limits of one connection, kept where its bytes pass: for a request's head, between requests, and for a
//! client that does not take its answer.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

/// What a connection waits for. Clones share it: the reader of requests and the stream below it.
#[derive(Debug, Clone)]
pub(super) struct Phase {
    state: Arc<Mutex<State>>,
    header_timeout: Duration,
    idle_timeout: Duration,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Nothing of the next request has come.
    Idle { until: Instant },
    /// A head is being read.
    Head { until: Instant },
    /// A request is read and answered, under the limit for requests.
    Request,
}

impl Phase {
    /// A new connection must send a whole head within `header_timeout`. One from a proxy may have been opened in
    /// advance, so that one is idle.
    pub(super) fn new(header_timeout: Duration, idle_timeout: Duration, from_proxy: bool) -> Self {
        let now = Instant::now();
        let state = if from_proxy {
            State::Idle { until: now + idle_timeout }
        } else {
            State::Head { until: now + header_timeout }
        };
        Self { state: Arc::new(Mutex::new(state)), header_timeout, idle_timeout }
    }

    /// The head is complete.
    pub(super) fn request_begins(&self) {
        *self.state() = State::Request;
    }

    /// The answer is ready to be written.
    pub(super) fn request_ends(&self) {
        *self.state() = State::Idle { until: Instant::now() + self.idle_timeout };
    }

    fn bytes_arrived(&self) {
        let mut state = self.state();
        if matches!(*state, State::Idle { .. }) {
            *state = State::Head { until: Instant::now() + self.header_timeout };
        }
    }

    fn read_deadline(&self) -> Option<Instant> {
        match *self.state() {
            State::Idle { until } | State::Head { until } => Some(until),
            State::Request => None,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Fails a read or a write that has waited too long.
#[derive(Debug)]
pub(super) struct TimedStream<S> {
    stream: S,
    phase: Phase,
    write_timeout: Duration,
    /// When the write that waits now began to wait, plus `write_timeout`.
    write_deadline: Option<Instant>,
    read_timer: Timer,
    write_timer: Timer,
}

impl<S> TimedStream<S> {
    pub(super) fn new(stream: S, phase: Phase, write_timeout: Duration) -> Self {
        let (read_timer, write_timer) = (Timer::default(), Timer::default());
        Self { stream, phase, write_timeout, write_deadline: None, read_timer, write_timer }
    }

    /// Any progress gives the next write its whole time; the longest life of a connection bounds their sum.
    fn limit_write<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.write_deadline = None;
            return written;
        }
        let deadline = *self.write_deadline.get_or_insert_with(|| Instant::now() + self.write_timeout);
        ready!(self.write_timer.poll(cx, deadline));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not read")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TimedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let length = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(cx, buffer) {
            Poll::Pending => {
                let Some(deadline) = self.phase.read_deadline() else { return Poll::Pending };
                ready!(self.read_timer.poll(cx, deadline));
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "no request came in time")))
            }
            outcome @ Poll::Ready(_) => {
                if buffer.filled().len() > length {
                    self.phase.bytes_arrived();
                }
                outcome
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TimedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.limit_write(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.limit_write(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.limit_write(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.limit_write(cx, shut)
    }
}

/// A sleep that is made when it is first needed and moved from then on.
#[derive(Debug, Default)]
struct Timer(Option<Pin<Box<Sleep>>>);

impl Timer {
    fn poll(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if sleep.deadline() != deadline {
            sleep.as_mut().reset(deadline);
        }
        sleep.as_mut().poll(cx)
    }
}
