//! A command that runs again and again, for a container beside the services, with a status page that says whether the last
//! run succeeded.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use tolov_domain::time::Timestamp;
use tolov_kit::{
    clock::{Clock, SystemClock},
    lifecycle::{Ending, Stop, Tasks, pause, stop_on_signals},
    status::{Dependency, Report},
};

use crate::roles::{STOP_DEADLINE, status_page::StatusPage};

/// After a run that failed.
const RETRY_AFTER: Duration = Duration::from_mins(10);

#[derive(Debug, Clone, Copy)]
pub(crate) struct Repeating {
    pub(crate) name: &'static str,
    pub(crate) every: Duration,
    /// When it ran last: a restart soon afterwards runs it no second time.
    pub(crate) last: Option<Timestamp>,
}

impl Repeating {
    /// Runs until it is told to stop. A stop ends a run in the middle.
    pub(crate) async fn run(
        self,
        addr: Option<SocketAddr>,
        mut job: impl AsyncFnMut() -> Result<()>,
    ) -> Result<Ending> {
        let Self { name, every, .. } = self;
        let mut page = StatusPage::open(addr).await?;
        let last_is_good = Arc::new(AtomicBool::new(true));
        let reported = Arc::clone(&last_is_good);
        page.status.add(move || {
            let reachable = reported.load(Ordering::Relaxed);
            async move {
                let dependencies = vec![Dependency { name, reachable, needed: true }];
                Report { dependencies, ..Report::default() }
            }
        });
        let stop = Stop::new();
        stop_on_signals(&stop)?;
        let mut tasks = Tasks::default();
        page.serve(&mut tasks, &stop);
        let serving = tokio::spawn(tasks.run(stop.clone(), STOP_DEADLINE));
        let mut wait = self.until_due();
        while pause(&stop, wait).await {
            let done = tokio::select! {
                done = job() => done,
                () = stop.cancelled() => break,
            };
            if let Err(error) = &done {
                tracing::error!(
                    error = format!("{error:#}"),
                    "the {name} failed; it is tried again in 10 minutes"
                );
            }
            last_is_good.store(done.is_ok(), Ordering::Relaxed);
            wait = if done.is_ok() { every } else { RETRY_AFTER };
        }
        Ok(serving.await?)
    }

    fn until_due(&self) -> Duration {
        let Some(last) = self.last else { return Duration::ZERO };
        let age = Duration::try_from(SystemClock.now() - last).unwrap_or_default();
        self.every.saturating_sub(age)
    }
}
