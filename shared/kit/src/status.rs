//! What a service says of itself on METRICS_ADDR: `/health`, `/ready` and `/metrics`.

use std::{fmt, io, net::SocketAddr, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use warp::{
    Filter,
    filters::BoxedFilter,
    http::{Method, StatusCode, header},
    reply::{Reply, Response},
};

use crate::{
    http::{Limits, Refusal, serve},
    lifecycle::{Stop, pause},
    metrics::Metrics,
};

/// How often gauges are refreshed while nobody asks.
const REFRESH: Duration = Duration::from_secs(15);
/// A dependency that needs longer than this to answer is away.
const CHECK_TIMEOUT: Duration = Duration::from_secs(5);

/// One thing that a service needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dependency {
    pub name: &'static str,
    pub reachable: bool,
    /// Without it the service is of no use just now; without another one its work waits.
    pub needed: bool,
}

/// How much waits, and for how long the oldest of it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// What waits, for example `outbox`.
    pub name: &'static str,
    pub depth: i64,
    pub oldest_age_ms: i64,
    /// How much of it was refused at least once, where the service counts that.
    pub refused: Option<i64>,
}

/// The state of a service, or of several in one process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    pub dependencies: Vec<Dependency>,
    pub waiting: Vec<Waiting>,
}

impl Report {
    pub fn is_ready(&self) -> bool {
        self.dependencies.iter().all(|dependency| dependency.reachable || !dependency.needed)
    }

    /// What `/ready` answers: 200 or 503, each dependency by name, how much waits and how old it is.
    pub fn to_json(&self) -> (StatusCode, Value) {
        let all_there = self.dependencies.iter().all(|dependency| dependency.reachable);
        let (code, status) = match (self.is_ready(), all_there) {
            (false, _) => (StatusCode::SERVICE_UNAVAILABLE, "not ready"),
            (true, false) => (StatusCode::OK, "ready, events wait for the bus"),
            (true, true) => (StatusCode::OK, "ready"),
        };
        let word = |reachable| if reachable { "ok" } else { "away" };
        let dependencies: serde_json::Map<String, Value> = self
            .dependencies
            .iter()
            .map(|dependency| (dependency.name.to_owned(), word(dependency.reachable).into()))
            .collect();
        let mut body = json!({"status": status, "dependencies": dependencies});
        for waiting in &self.waiting {
            let mut shown = json!({"depth": waiting.depth, "oldest_age_ms": waiting.oldest_age_ms});
            if let Some(refused) = waiting.refused {
                shown["refused"] = refused.into();
            }
            body[waiting.name] = shown;
        }
        (code, body)
    }

    fn join(mut self, other: Self) -> Self {
        for dependency in other.dependencies {
            match self.dependencies.iter_mut().find(|known| known.name == dependency.name) {
                // Two services in one process share it: what one needs is needed, what one misses is missing.
                Some(known) => {
                    known.reachable &= dependency.reachable;
                    known.needed |= dependency.needed;
                }
                None => self.dependencies.push(dependency),
            }
        }
        self.waiting.extend(other.waiting);
        self
    }
}

type Look = Arc<dyn Fn() -> BoxFuture<'static, Report> + Send + Sync>;

/// The services of a process, each with its word on itself.
#[derive(Clone, Default)]
pub struct Status {
    looks: Vec<Look>,
}

impl fmt::Debug for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Status").field("services", &self.looks.len()).finish()
    }
}

impl Status {
    /// Adds a service. Its look is taken whenever somebody asks and every 15 s, and may set gauges.
    pub fn add<F>(&mut self, look: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = Report> + Send + 'static,
    {
        self.looks.push(Arc::new(move || look().boxed()));
    }

    /// Asks every service at the same time.
    pub async fn report(&self) -> Report {
        let reports = futures_util::future::join_all(self.looks.iter().map(|look| look())).await;
        let report = reports.into_iter().fold(Report::default(), Report::join);
        for dependency in &report.dependencies {
            let up = u8::from(dependency.reachable);
            metrics::gauge!("tolov_up", "dependency" => dependency.name).set(up);
        }
        report
    }
}

/// Whether something answers `true` within the time that a dependency has.
pub async fn within_check_timeout(check: impl Future<Output = bool>) -> bool {
    tokio::time::timeout(CHECK_TIMEOUT, check).await.unwrap_or(false)
}

/// Serves `/health`, `/ready` and `/metrics` until `stop`, and refreshes the gauges.
pub async fn run(listener: TcpListener, metrics: Metrics, status: Status, stop: Stop) -> io::Result<()> {
    let refreshing = async {
        while pause(&stop, REFRESH).await {
            status.report().await;
            metrics.tidy();
        }
    };
    let serving = serve(listener, routes(metrics.clone(), status.clone()), refused, limits(), stop.clone());
    let (served, ()) = tokio::join!(serving, refreshing);
    served
}

fn limits() -> Limits {
    Limits { connections_max: 64, body_max_bytes: 0, ..Limits::default() }
}

fn routes(metrics: Metrics, status: Status) -> BoxedFilter<(Response,)> {
    let health =
        warp::path!("health").and(warp::get()).map(|| json_reply(StatusCode::OK, &json!({"status": "ok"})));
    let ready = warp::path!("ready").and(warp::get()).then(move || {
        let status = status.clone();
        async move {
            let (code, body) = status.report().await.to_json();
            json_reply(code, &body)
        }
    });
    let metrics = warp::path!("metrics").and(warp::get()).then(move || {
        let metrics = metrics.clone();
        async move {
            let text = "text/plain; version=0.0.4; charset=utf-8";
            warp::reply::with_header(metrics.render(), header::CONTENT_TYPE, text).into_response()
        }
    });
    let nothing = warp::any().map(|| plain(StatusCode::NOT_FOUND, "there are /health, /ready and /metrics"));
    health.or(ready).unify().or(metrics).unify().or(nothing).unify().boxed()
}

fn refused(refusal: Refusal, _: &Method, _: &str, _: SocketAddr) -> Response {
    match refusal {
        Refusal::BodyTooLarge | Refusal::BodyBroken => {
            plain(StatusCode::BAD_REQUEST, "a body is not wanted here")
        }
        Refusal::TooSlow => plain(StatusCode::SERVICE_UNAVAILABLE, "it took too long"),
        Refusal::Panicked => plain(StatusCode::INTERNAL_SERVER_ERROR, "an internal error, see the log"),
    }
}

/// A JSON answer.
pub fn json_reply(code: StatusCode, body: &Value) -> Response {
    let reply =
        warp::reply::with_header(body.to_string(), header::CONTENT_TYPE, "application/json; charset=utf-8");
    warp::reply::with_status(reply, code).into_response()
}

fn plain(code: StatusCode, text: &'static str) -> Response {
    warp::reply::with_status(text, code).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dependency(name: &'static str, reachable: bool, needed: bool) -> Dependency {
        Dependency { name, reachable, needed }
    }

    #[test]
    fn what_is_needed_decides_and_what_is_away_is_named() {
        let report = |ledger, bus| Report {
            dependencies: vec![dependency("ledger", ledger, true), dependency("bus", bus, false)],
            waiting: vec![Waiting { name: "outbox", depth: 2, oldest_age_ms: 60_000, refused: Some(1) }],
        };
        assert_eq!(report(true, true).to_json().0, StatusCode::OK);
        assert_eq!(report(false, true).to_json().0, StatusCode::SERVICE_UNAVAILABLE);
        let (code, body) = report(true, false).to_json();
        assert_eq!(code, StatusCode::OK);
        let outbox = json!({"depth": 2, "oldest_age_ms": 60_000, "refused": 1});
        assert_eq!(
            body,
            json!({"status": "ready, events wait for the bus", "dependencies": {"ledger": "ok", "bus": "away"},
                "outbox": outbox})
        );
    }

    #[tokio::test]
    async fn services_of_one_process_share_their_dependencies() {
        let mut status = Status::default();
        status
            .add(|| async { Report { dependencies: vec![dependency("bus", true, false)], waiting: vec![] } });
        status
            .add(|| async { Report { dependencies: vec![dependency("bus", false, true)], waiting: vec![] } });
        let report = status.report().await;
        assert_eq!(report.dependencies, [dependency("bus", false, true)]);
        assert!(!report.is_ready());
    }

    #[tokio::test]
    async fn a_dependency_that_does_not_answer_is_away() {
        tokio::time::pause();
        assert!(!within_check_timeout(std::future::pending()).await);
        assert!(within_check_timeout(async { true }).await);
    }
}
