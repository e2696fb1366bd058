//! The inbox sweeper: finds updates that were left waiting, and removes those that are long done.

use std::{collections::HashSet, time::Duration};

use tokio::time::{Instant, sleep, timeout};
use tolov_domain::ports::PortError;
use tolov_kit::{availability::Availability, lifecycle::Stop};

use crate::updates::{answering::Work, user_queues::UserQueues};

const EVERY: Duration = Duration::from_secs(5);
/// The shortest time between two rounds.
const REST: Duration = Duration::from_millis(200);
/// What one round looks at; the next one goes on behind it.
const PAGE: u32 = 500;
const REMOVE_EVERY: Duration = Duration::from_mins(1);
const REMOVE_AT_ONCE: u32 = 200;

/// Runs from the start on: updates of a bot that died, and those for which there was no room, are found here.
pub(crate) async fn run<W: Work>(queues: &UserQueues<W>, stop: &Stop) {
    let store = Availability::new("the shop store (for the inbox sweeper)");
    let sweep = async {
        let mut seen = 0;
        let mut watch = queues.inbox.clock_watch();
        let mut remove_at = Instant::now();
        loop {
            seen = match look(queues, seen).await {
                Ok(seen) => {
                    store.mark_up();
                    seen
                }
                Err(error) => {
                    store.mark_down(error);
                    0
                }
            };
            queues.throttle.evict_idle();
            if Instant::now() >= remove_at {
                match queues.inbox.remove_old(&mut watch, REMOVE_AT_ONCE).await {
                    Ok(true) => {}
                    Ok(false) => remove_at = Instant::now() + REMOVE_EVERY,
                    Err(error) => tracing::debug!(%error, "old updates could not be removed"),
                }
            }
            sleep(REST).await;
            timeout(EVERY, queues.has_room.notified()).await.ok();
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = sweep => {}
    }
}

/// Wakes the queues of a page of waiting updates. Returns how many the next round skips.
async fn look<W: Work>(queues: &UserQueues<W>, skip: u32) -> Result<u32, PortError> {
    let count = queues.inbox.count_waiting().await?;
    metrics::gauge!("tolov_updates_waiting").set(u32::try_from(count).unwrap_or(u32::MAX));
    let page = queues.inbox.waiting(skip, PAGE).await?;
    let mut users = HashSet::new();
    for entry in &page {
        // Behind a claimed update the others of the user wait.
        if users.insert(entry.stored.person_id) && !queues.inbox.is_leased(entry) {
            queues.wake(entry.stored.person_id);
        }
    }
    let is_full = page.len() >= usize::try_from(PAGE).unwrap_or(usize::MAX);
    Ok(if is_full { skip.saturating_add(PAGE) } else { 0 })
}
