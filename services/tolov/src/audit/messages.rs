//! What should be under way and is not: events that the bus does not take, messages that its readers gave up.

use std::collections::BTreeSet;

use anyhow::Result;
use tolov_domain::{
    EventId,
    ports::bus::{ParkedMessage, Queue},
};

use super::{books::Books, difference::Difference, findings::Findings};

const PAGE: u32 = 1_000;
/// The relay sends an event within milliseconds.
const SENT_WITHIN: time::Duration = time::Duration::minutes(1);

pub(super) async fn compare_all(books: &Books, findings: &mut Findings) -> Result<()> {
    // The oldest of them: a backlog has one cause.
    findings.extend(unsent(books).await?);
    for queue in Queue::ALL {
        let mut see = |it: ParkedMessage| {
            findings.extend([Difference::Parked { queue, id: it.id, reason: it.reason }]);
        };
        books.bus.each_parked(queue, &mut see).await?;
    }
    Ok(())
}

/// Looks at these messages again. Unsent events are few: all of them are.
pub(super) async fn compare(
    books: &Books,
    parked: &BTreeSet<(&'static str, EventId)>,
) -> Result<Vec<Difference>> {
    let mut differences = unsent(books).await?;
    for (name, id) in parked {
        let Some(queue) = Queue::ALL.into_iter().find(|queue| queue.name() == *name) else { continue };
        if let Some(message) = books.bus.find_parked(queue, id).await? {
            differences.push(Difference::Parked { queue, id: message.id, reason: message.reason });
        }
    }
    Ok(differences)
}

async fn unsent(books: &Books) -> Result<Vec<Difference>> {
    let events = books.ledger.unsent(books.now - SENT_WITHIN, PAGE).await?;
    Ok(events
        .into_iter()
        .map(|event| Difference::Unsent { event_id: event.event_id, error: event.last_error })
        .collect())
}
