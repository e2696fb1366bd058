//! How a process runs and stops: soft stop, deadline, hard stop.
//!
//! A service gets a [`Stop`] token; when it is cancelled the service takes no new work, finishes what it holds and
//! returns. [`Tasks`] notices whatever ends before that: the process then stops with an error that names the task.

use std::{any::Any, collections::HashMap, error::Error, time::Duration};

use tokio::{
    signal::unix::{SignalKind, signal},
    task::{Id, JoinError, JoinSet},
};
pub use tokio_util::sync::CancellationToken as Stop;

type BoxError = Box<dyn Error + Send + Sync>;

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

/// Why a task is no longer running, although nobody told it to stop or because it could not stop cleanly.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    #[error("{task} ended before it was told to stop")]
    Ended { task: &'static str },
    #[error("{task} failed")]
    Failed { task: &'static str, source: BoxError },
    #[error("{task} panicked: {message}")]
    Panicked { task: &'static str, message: String },
}

/// What a task may return.
pub trait TaskOutput: Send + 'static {
    fn into_result(self) -> Result<(), BoxError>;
}

impl TaskOutput for () {
    fn into_result(self) -> Result<(), BoxError> {
        Ok(())
    }
}

impl<E: Into<BoxError> + Send + 'static> TaskOutput for Result<(), E> {
    fn into_result(self) -> Result<(), BoxError> {
        self.map_err(Into::into)
    }
}

/// The services of a process, or the background tasks of a service, each with the name that its log lines carry.
/// Dropping it aborts them.
#[derive(Debug, Default)]
pub struct Tasks {
    running: JoinSet<Result<(), BoxError>>,
    names: HashMap<Id, &'static str>,
}

impl Tasks {
    pub fn spawn<T: TaskOutput>(
        &mut self,
        name: &'static str,
        task: impl Future<Output = T> + Send + 'static,
    ) {
        let handle = self.running.spawn(async move { task.await.into_result() });
        self.names.insert(handle.id(), name);
    }

    /// For a process: runs until `stop` is cancelled or a task ends, then stops the others, within `deadline`.
    pub async fn run(mut self, stop: Stop, deadline: Duration) -> Ending {
        let supervised = self.supervise(&stop, stop.cancelled()).await;
        stop.cancel();
        let Ok(joined) = tokio::time::timeout(deadline, self.join_all()).await else {
            let still_running: Vec<_> = self.names.values().collect();
            tracing::error!(
                ?still_running,
                deadline_ms = deadline.as_millis(),
                "not stopped in time; cut off"
            );
            return Ending::Forced;
        };
        let errors = supervised.err().into_iter().chain(joined.err());
        errors.fold(Ending::Clean, |_, error| {
            tracing::error!(error = chain(&error), "the process ends with an error");
            Ending::Failed
        })
    }

    /// For a service: does `work`, which ends when `stop` is cancelled, beside the tasks. When a task ends before the
    /// stop, `stop` is cancelled, `work` is brought to its end, and the error names the task.
    pub async fn supervise<T>(&mut self, stop: &Stop, work: impl Future<Output = T>) -> Result<T, TaskError> {
        let mut work = std::pin::pin!(work);
        loop {
            let error = tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                Some(ended) = self.next_end() => match ended {
                    // It has seen the stop before `work` did.
                    Ok(_) if stop.is_cancelled() => continue,
                    Ok(task) => TaskError::Ended { task },
                    Err(error) => error,
                },
            };
            stop.cancel();
            work.await;
            return Err(error);
        }
    }

    /// Waits for the end of all tasks, which must have been told to stop. Fails with the first error and logs others.
    pub async fn join(mut self) -> Result<(), TaskError> {
        self.join_all().await
    }

    async fn join_all(&mut self) -> Result<(), TaskError> {
        let mut outcome = Ok(());
        while let Some(ended) = self.next_end().await {
            match (ended, &outcome) {
                (Ok(task), _) => tracing::info!(task, "stopped"),
                (Err(error), Ok(())) => outcome = Err(error),
                (Err(error), Err(_)) => tracing::error!(error = chain(&error), "not stopped cleanly"),
            }
        }
        outcome
    }

    /// The name of a task that returned without an error. `None`: there is no task any more.
    async fn next_end(&mut self) -> Option<Result<&'static str, TaskError>> {
        let ended = self.running.join_next_with_id().await?;
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let task = self.names.remove(&id).unwrap_or("a task");
        Some(match ended {
            Ok((_, Ok(()))) => Ok(task),
            Ok((_, Err(source))) => Err(TaskError::Failed { task, source }),
            Err(error) => match error.try_into_panic() {
                Ok(payload) => Err(TaskError::Panicked { task, message: panic_message(&*payload) }),
                // Aborted, which only the end of the runtime does.
                Err(_) => Ok(task),
            },
        })
    }
}

fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

/// An error with all its sources in one line, for a log.
pub fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        line = format!("{line}: {error}");
        source = error.source();
    }
    line
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

    const DEADLINE: Duration = Duration::from_secs(5);

    async fn until_stopped(stop: Stop) {
        stop.cancelled().await;
    }

    #[tokio::test]
    async fn a_service_that_does_not_stop_is_cut_off_at_the_deadline() {
        let stop = Stop::new();
        let mut tasks = Tasks::default();
        tasks.spawn("stubborn", std::future::pending::<()>());
        stop.cancel();
        assert_eq!(tasks.run(stop, Duration::from_millis(20)).await, Ending::Forced);
    }

    #[tokio::test]
    async fn services_that_stop_when_they_are_told_to_end_the_process_cleanly() {
        let stop = Stop::new();
        let mut tasks = Tasks::default();
        tasks.spawn("one", until_stopped(stop.clone()));
        tasks.spawn("two", until_stopped(stop.clone()));
        stop.cancel();
        assert_eq!(tasks.run(stop, DEADLINE).await, Ending::Clean);
    }

    #[tokio::test]
    async fn the_others_stop_when_one_service_fails_ends_or_panics() {
        for number in 0..3 {
            let stop = Stop::new();
            let mut tasks = Tasks::default();
            match number {
                0 => tasks.spawn("failing", async { Err("no more") }),
                1 => tasks.spawn("ending", async {}),
                _ => tasks.spawn::<()>("panicking", async { panic!("a bug") }),
            }
            tasks.spawn("obedient", until_stopped(stop.clone()));
            assert_eq!(tasks.run(stop, DEADLINE).await, Ending::Failed);
        }
    }

    #[tokio::test]
    async fn a_background_task_that_ends_stops_its_service_with_an_error_that_names_it() {
        let supervised = async |spawn: fn(&mut Tasks)| {
            let stop = Stop::new();
            let mut tasks = Tasks::default();
            spawn(&mut tasks);
            let error = tasks.supervise(&stop, until_stopped(stop.clone())).await.unwrap_err();
            assert!(stop.is_cancelled(), "and the work came to its end");
            chain(&error)
        };
        let ended = supervised(|tasks| tasks.spawn("relay", async {})).await;
        assert_eq!(ended, "relay ended before it was told to stop");
        let failed =
            supervised(|tasks| tasks.spawn("relay", async { Err(std::io::Error::other("no disk")) })).await;
        assert_eq!(failed, "relay failed: no disk");
        let panicked =
            supervised(|tasks| tasks.spawn::<()>("writer", async { panic!("clock at {}", 7) })).await;
        assert_eq!(panicked, "writer panicked: clock at 7");
    }

    #[tokio::test]
    async fn a_service_without_failures_returns_what_its_work_returned() {
        let (stop, background) = (Stop::new(), Stop::new());
        let mut tasks = Tasks::default();
        tasks.spawn("relay", until_stopped(background.clone()));
        let work = async {
            stop.cancelled().await;
            "served"
        };
        stop.cancel();
        assert_eq!(tasks.supervise(&stop, work).await.unwrap(), "served");
        background.cancel();
        tasks.join().await.unwrap();
    }
}
