//! Which span caused what is done now, carried from a request to whatever it leads to.

use std::future::Future;

tokio::task_local! {
    static CURRENT: String;
}

/// The traceparent (W3C) of what is done now. `None`: nobody has sent one.
pub fn current() -> Option<String> {
    CURRENT.try_with(Clone::clone).ok()
}

/// Runs a future as caused by the span of this traceparent.
pub async fn within<F: Future>(traceparent: Option<String>, future: F) -> F::Output {
    match traceparent {
        Some(traceparent) => CURRENT.scope(traceparent, future).await,
        None => future.await,
    }
}
