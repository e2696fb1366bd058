//! `/health`, `/ready` and `/metrics` on METRICS_ADDR, which is a private address.
//!
//! `/ready` answers from the newest report and checks nothing itself, so a flood of requests costs the stores and the
//! bus nothing.

use std::{
    fmt,
    future::{Ready, ready},
    io,
    sync::Arc,
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, time::Instant};
use warp::{
    Filter,
    filters::BoxedFilter,
    http::{StatusCode, header},
    reply::{Reply, Response},
};

use crate::{
    http::{Limits, Refusal, RefusedRequest, serve},
    lifecycle::{Stop, pause},
    metrics::Metrics,
};

/// How often a report is made.
const REPORT_EVERY: Duration = Duration::from_secs(5);
/// The same while the process is not ready, since somebody is waiting for it.
const REPORT_EVERY_UNREADY: Duration = Duration::from_secs(1);
/// A report that is older proves that a check hangs.
const REPORT_AGE_MAX: Duration = Duration::from_secs(15);
/// A dependency that needs longer than this to answer counts as away.
const CHECK_TIMEOUT: Duration = Duration::from_secs(5);

/// Something that a service needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dependency {
    pub name: &'static str,
    pub reachable: bool,
    /// Without it the service is not ready; without another one its work waits.
    pub needed: bool,
}

/// How many items wait, and for how long the oldest of them has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// What waits, for example `outbox`.
    pub name: &'static str,
    pub depth: i64,
    pub oldest_age_ms: i64,
    /// How many of them were refused at least once, where the service counts that.
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

type Check = Arc<dyn Fn() -> BoxFuture<'static, Report> + Send + Sync>;

/// The services of a process, each with its check.
#[derive(Clone, Default)]
pub struct Status {
    checks: Vec<Check>,
}

impl fmt::Debug for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Status").field("services", &self.checks.len()).finish()
    }
}

impl Status {
    /// Adds a service. Its check is run every few seconds and may set gauges.
    pub fn add<F>(&mut self, check: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = Report> + Send + 'static,
    {
        self.checks.push(Arc::new(move || check().boxed()));
    }

    /// Checks every service, all at the same time.
    pub async fn report(&self) -> Report {
        let reports = futures_util::future::join_all(self.checks.iter().map(|check| check())).await;
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

/// The newest report of a process. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Readiness(watch::Sender<Option<(Report, Instant)>>);

impl Readiness {
    /// Makes a report every few seconds until `stop`.
    pub async fn keep_fresh(&self, status: &Status, stop: &Stop) {
        loop {
            let report = tokio::select! {
                report = status.report() => report,
                () = stop.cancelled() => return,
            };
            let interval = if report.is_ready() { REPORT_EVERY } else { REPORT_EVERY_UNREADY };
            self.0.send_replace(Some((report, Instant::now())));
            if !pause(stop, interval).await {
                return;
            }
        }
    }

    fn age(&self) -> Option<Duration> {
        self.0.borrow().as_ref().map(|(_, made_at)| made_at.elapsed())
    }

    /// What `/ready` answers, without a check: 503 as well when there is no fresh report.
    pub fn answer(&self) -> (StatusCode, Value) {
        let unready = |status| (StatusCode::SERVICE_UNAVAILABLE, json!({"status": status}));
        match &*self.0.borrow() {
            None => unready("not ready: starting".to_owned()),
            Some((_, made_at)) if made_at.elapsed() > REPORT_AGE_MAX => {
                let age_s = made_at.elapsed().as_secs();
                unready(format!("not ready: a check hangs, the last report was made {age_s} s ago"))
            }
            Some((report, _)) => report.to_json(),
        }
    }
}

/// Serves `/health`, `/ready` and `/metrics` until `stop`, and refreshes the gauges.
pub async fn run(listener: TcpListener, metrics: Metrics, status: Status, stop: Stop) -> io::Result<()> {
    let readiness = Readiness::default();
    let upkeep = async {
        while pause(&stop, REPORT_EVERY).await {
            metrics.run_upkeep();
        }
    };
    let routes = routes(metrics.clone(), readiness.clone());
    let serving = serve(listener, routes, refused, limits(), stop.clone());
    let (served, (), ()) = tokio::join!(serving, readiness.keep_fresh(&status, &stop), upkeep);
    served
}

fn limits() -> Limits {
    Limits { connections_max: 64, body_max_bytes: 0, ..Limits::default() }
}

fn routes(recorder: Metrics, readiness: Readiness) -> BoxedFilter<(Response,)> {
    let health =
        warp::path!("health").and(warp::get()).map(|| json_reply(StatusCode::OK, &json!({"status": "ok"})));
    let report = readiness.clone();
    let ready = warp::path!("ready").and(warp::get()).map(move || {
        let (code, body) = readiness.answer();
        json_reply(code, &body)
    });
    let metrics_text = warp::path!("metrics").and(warp::get()).map(move || {
        // Set here, because nothing else goes on when a check hangs.
        let age_s = report.age().map_or(0, |age| u32::try_from(age.as_secs()).unwrap_or(u32::MAX));
        metrics::gauge!("tolov_report_age_seconds").set(age_s);
        let text = "text/plain; version=0.0.4; charset=utf-8";
        warp::reply::with_header(recorder.render(), header::CONTENT_TYPE, text).into_response()
    });
    let nothing = warp::any().map(|| plain(StatusCode::NOT_FOUND, "there are /health, /ready and /metrics"));
    health.or(ready).unify().or(metrics_text).unify().or(nothing).unify().boxed()
}

fn refused(RefusedRequest { refusal, .. }: RefusedRequest) -> Ready<Response> {
    ready(match refusal {
        Refusal::BodyTooLarge | Refusal::BodyBroken => plain(StatusCode::BAD_REQUEST, "send no body"),
        Refusal::TooSlow => plain(StatusCode::SERVICE_UNAVAILABLE, "it took too long"),
        Refusal::TooMany => plain(StatusCode::TOO_MANY_REQUESTS, "too many requests are under way"),
        Refusal::Panicked => plain(StatusCode::INTERNAL_SERVER_ERROR, "an internal error, see the log"),
    })
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
    fn needed_dependencies_decide_and_each_one_that_is_away_is_named() {
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

    #[tokio::test(start_paused = true)]
    async fn readiness_is_answered_from_memory_and_a_check_that_hangs_is_noticed() {
        let checks = Arc::new(std::sync::atomic::AtomicU32::new(0));
        let counted = Arc::clone(&checks);
        let mut status = Status::default();
        status.add(move || {
            let number = counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            async move {
                if number == 1 {
                    std::future::pending::<()>().await;
                }
                Report { dependencies: vec![dependency("ledger", true, true)], waiting: vec![] }
            }
        });
        let (readiness, stop) = (Readiness::default(), Stop::new());
        assert_eq!(readiness.answer().0, StatusCode::SERVICE_UNAVAILABLE, "no report was made yet");
        let (kept, told) = (readiness.clone(), stop.clone());
        let keeping = tokio::spawn(async move { kept.keep_fresh(&status, &told).await });
        tokio::time::sleep(Duration::from_millis(1)).await;
        for _ in 0..1_000 {
            assert_eq!(readiness.answer().0, StatusCode::OK);
        }
        assert_eq!(checks.load(std::sync::atomic::Ordering::Relaxed), 1, "no answer made a check of its own");
        tokio::time::sleep(REPORT_AGE_MAX + Duration::from_secs(1)).await;
        let (code, body) = readiness.answer();
        assert_eq!(code, StatusCode::SERVICE_UNAVAILABLE, "{body}");
        stop.cancel();
        keeping.await.unwrap();
    }
}
