//! How a process runs and stops: soft stop, deadline, hard stop.
//!
//! A service gets a [`Stop`] token; when it is cancelled the service takes no new work, finishes what it holds and
//! returns. [`run`] waits for that until the deadline and then gives up on the rest.

use std::{fmt::Display, time::Duration};

use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinSet,
};
pub use tokio_util::sync::CancellationToken as Stop;

/// How the process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Every service returned by itself after it was told to stop.
    Clean,
    /// A service ended with an error, or before anybody told it to.
    Failed,
    /// The deadline passed with a service still at work.
    Forced,
}

/// The tasks of a process, each with the name that its log lines carry.
#[derive(Debug, Default)]
pub struct Tasks {
    running: JoinSet<(&'static str, Result<(), String>)>,
}

impl Tasks {
    pub fn spawn<E: Display>(
        &mut self,
        name: &'static str,
        task: impl Future<Output = Result<(), E>> + Send + 'static,
    ) {
        self.running.spawn(async move { (name, task.await.map_err(|error| error.to_string())) });
    }

    /// Runs until `stop` is cancelled or a task ends, then stops the others, within `deadline`.
    pub async fn run(mut self, stop: Stop, deadline: Duration) -> Ending {
        let mut ending = Ending::Clean;
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            Some(ended) = self.running.join_next() => {
                // A task that saw the stop may be quicker than this one; without a stop, any ending is a failure.
                if !report(ended) || !stop.is_cancelled() {
                    ending = Ending::Failed;
                }
            }
        }
        stop.cancel();
        let all = async {
            while let Some(ended) = self.running.join_next().await {
                if !report(ended) {
                    ending = Ending::Failed;
                }
            }
        };
        if tokio::time::timeout(deadline, all).await.is_err() {
            tracing::error!(
                deadline_ms = deadline.as_millis(),
                "a service did not stop in time; it is cut off"
            );
            self.running.abort_all();
            return Ending::Forced;
        }
        ending
    }
}

fn report(ended: Result<(&'static str, Result<(), String>), tokio::task::JoinError>) -> bool {
    match ended {
        Ok((service, Ok(()))) => {
            tracing::info!(service, "service ended");
            true
        }
        Ok((service, Err(error))) => {
            tracing::error!(service, error, "service failed");
            false
        }
        Err(error) if error.is_cancelled() => true,
        Err(error) => {
            tracing::error!(%error, "service panicked");
            false
        }
    }
}

/// Cancels the token at SIGTERM or SIGINT.
pub fn stop_on_signals(stop: &Stop) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("SIGTERM: stopping"),
            _ = interrupt.recv() => tracing::info!("SIGINT: stopping"),
            () = stop.cancelled() => return,
        }
        stop.cancel();
    });
    Ok(())
}

/// Pauses, or returns `false` at once when the process is to stop.
pub async fn pause(stop: &Stop, pause: Duration) -> bool {
    tokio::select! {
        () = stop.cancelled() => false,
        () = tokio::time::sleep(pause) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_service_that_will_not_stop_is_cut_off_at_the_deadline() {
        let stop = Stop::new();
        let mut tasks = Tasks::default();
        tasks.spawn("stubborn", std::future::pending::<Result<(), String>>());
        stop.cancel();
        assert_eq!(tasks.run(stop, Duration::from_millis(20)).await, Ending::Forced);
    }

    #[tokio::test]
    async fn the_others_stop_when_one_service_fails() {
        let stop = Stop::new();
        let mut tasks = Tasks::default();
        tasks.spawn("broken", async { Err("no more") });
        let told = stop.clone();
        tasks.spawn("obedient", async move {
            told.cancelled().await;
            Ok::<_, String>(())
        });
        assert_eq!(tasks.run(stop, Duration::from_secs(5)).await, Ending::Failed);
    }
}
