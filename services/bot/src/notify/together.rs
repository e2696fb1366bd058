//! Calls of the store that go together. Whoever comes while a command is under way goes with the next one, so the more there is to
//! do, the more a command does; somebody who is alone waits for nobody.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{
    Semaphore,
    oneshot::{self, error::TryRecvError},
};
use tolov_domain::ports::PortError;

/// Items of one command.
const ITEMS_MAX: usize = 128;
/// How long a command waits for those who may come soon.
const GATHER: Duration = Duration::from_millis(20);

/// Whether others may come soon.
#[derive(Debug, Clone)]
pub(crate) struct Others {
    /// Each message that is in flight has a permit.
    pub(super) in_flight: Arc<Semaphore>,
    pub(super) max: usize,
}

impl Others {
    fn may_come(&self) -> bool {
        self.max.saturating_sub(self.in_flight.available_permits()) > 1
    }
}

/// One command at a time, for all who wait when it begins.
pub(crate) struct Together<T, R> {
    waiting: Mutex<Vec<Waiting<T, R>>>,
    /// Held by the one of them who runs the command.
    turn: tokio::sync::Mutex<()>,
    /// For whom a command waits a moment. `None`: for nobody.
    others: Option<Others>,
}

struct Waiting<T, R> {
    item: T,
    answer: oneshot::Sender<R>,
}

/// The command was given up: the one who ran it was stopped, or panicked. What it has done is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GivenUp;

impl From<GivenUp> for PortError {
    fn from(GivenUp: GivenUp) -> Self {
        Self::Unavailable("a command for several callers was given up".to_owned())
    }
}

impl<T, R> Together<T, R> {
    /// Commands that wait for nobody.
    pub(crate) fn at_once() -> Self {
        Self { waiting: Mutex::default(), turn: tokio::sync::Mutex::default(), others: None }
    }

    /// Commands for which nobody waits: they wait a moment while others may come.
    pub(super) fn with(others: Others) -> Self {
        Self { others: Some(others), ..Self::at_once() }
    }

    /// Adds an item to the next command, which answers each of its items, in the order given.
    pub(crate) async fn call<C>(&self, item: T, command: impl Fn(Vec<T>) -> C) -> Result<R, GivenUp>
    where
        C: Future<Output = Vec<R>>,
    {
        let (answer, mut answered) = oneshot::channel();
        self.waiting().push(Waiting { item, answer });
        loop {
            let _turn = tokio::select! {
                biased;
                answer = &mut answered => return answer.map_err(|_| GivenUp),
                turn = self.turn.lock() => turn,
            };
            match answered.try_recv() {
                Ok(answer) => return Ok(answer),
                Err(TryRecvError::Closed) => return Err(GivenUp),
                Err(TryRecvError::Empty) => {}
            }
            if self.others.as_ref().is_some_and(Others::may_come) {
                tokio::time::sleep(GATHER).await;
            } else {
                // Those who are woken at the same moment go along.
                tokio::task::yield_now().await;
            }
            let (items, answers): (Vec<T>, Vec<_>) = self.next().into_iter().unzip();
            for (answer, result) in answers.into_iter().zip(command(items).await) {
                // Who went away meanwhile needs no answer.
                answer.send(result).ok();
            }
        }
    }

    fn next(&self) -> Vec<(T, oneshot::Sender<R>)> {
        let mut waiting = self.waiting();
        let count = waiting.len().min(ITEMS_MAX);
        waiting.drain(..count).map(|Waiting { item, answer }| (item, answer)).collect()
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting<T, R>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T, R> fmt::Debug for Together<T, R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Together").field("waiting", &self.waiting().len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::{FutureExt, future::join_all};

    use super::*;

    /// Answers each number with itself after a second, and notes the commands.
    async fn call(
        together: &Together<u32, u32>,
        commands: &Mutex<Vec<Vec<u32>>>,
        number: u32,
    ) -> Result<u32, GivenUp> {
        let command = |numbers: Vec<u32>| async {
            commands.lock().unwrap().push(numbers.clone());
            tokio::time::sleep(Duration::from_secs(1)).await;
            numbers
        };
        together.call(number, command).await
    }

    async fn panicking(_: Vec<u32>) -> Vec<u32> {
        panic!("as the test wants")
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_during_a_command_goes_with_the_next_one_and_a_lone_one_waits_for_nobody() {
        let (together, commands) = (Together::at_once(), Mutex::default());
        let came = |number: u32| {
            let (together, commands) = (&together, &commands);
            async move {
                tokio::time::sleep(Duration::from_millis(u64::from(number))).await;
                call(together, commands, number).await
            }
        };
        let began = tokio::time::Instant::now();
        assert_eq!(came(0).await, Ok(0));
        assert_eq!(began.elapsed(), Duration::from_secs(1));
        let answers = join_all((1..=200).map(came)).await;
        assert_eq!(answers, (1..=200).map(Ok).collect::<Vec<_>>());
        let sizes: Vec<usize> = commands.lock().unwrap().iter().map(Vec::len).collect();
        assert_eq!(sizes, [1, 1, ITEMS_MAX, 199 - ITEMS_MAX], "no command is larger than it may be");
    }

    #[tokio::test(start_paused = true)]
    async fn a_command_that_is_given_up_takes_nobody_with_it_who_came_later() {
        let (together, commands) = (Arc::new(Together::at_once()), Arc::new(Mutex::default()));
        let spawn = |number| {
            let (together, commands) = (Arc::clone(&together), Arc::clone(&commands));
            tokio::spawn(async move { call(&together, &commands, number).await })
        };
        let (leader, companion) = (spawn(1), spawn(2));
        tokio::time::sleep(Duration::from_millis(1)).await;
        let late = spawn(3);
        tokio::time::sleep(Duration::from_millis(1)).await;
        leader.abort();
        assert_eq!(companion.await.unwrap(), Err(GivenUp));
        assert_eq!(late.await.unwrap(), Ok(3));
        assert_eq!(*commands.lock().unwrap(), [vec![1, 2], vec![3]]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_command_that_panics_fails_its_caller_and_is_given_up_for_the_others() {
        let together: Together<u32, u32> = Together::at_once();
        let panics = |number| {
            let called = together.call(number, panicking);
            std::panic::AssertUnwindSafe(called).catch_unwind()
        };
        let (leader, companion) = tokio::join!(panics(1), panics(2));
        assert!(leader.is_err(), "the one who ran it");
        assert_eq!(companion.unwrap(), Err(GivenUp));
    }

    #[tokio::test(start_paused = true)]
    async fn a_command_for_which_nobody_waits_waits_a_moment_while_others_may_come() {
        let in_flight = Arc::new(Semaphore::new(3));
        let together = Together::with(Others { in_flight: Arc::clone(&in_flight), max: 3 });
        let commands = Mutex::new(Vec::new());
        let call = async |number: u32, after_ms: u64| {
            let _message = in_flight.acquire().await.unwrap();
            tokio::time::sleep(Duration::from_millis(after_ms)).await;
            let command = |numbers: Vec<u32>| async {
                commands.lock().unwrap().push(numbers.clone());
                numbers
            };
            together.call(number, command).await
        };
        let began = tokio::time::Instant::now();
        let _answers = tokio::join!(call(1, 1), call(2, 20), call(3, 31));
        assert_eq!(*commands.lock().unwrap(), [vec![1, 2], vec![3]]);
        assert_eq!(began.elapsed(), Duration::from_millis(31), "the last one was alone");
    }
}
