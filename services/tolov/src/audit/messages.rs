//! What should be under way and is not: events that the bus does not take, messages that its readers gave up, questions that the
//! bus has lost.

use std::collections::BTreeSet;

use anyhow::Result;
use tolov_domain::{
    EventId, OrderId,
    notification::{Recipient, id_of},
    payment::Anomaly,
    ports::bus::{ParkedMessage, Queue},
    time::from_unix_ms,
};
use tolov_webhook::ledger::OutboxRecord;

use super::{
    books::{Books, patiently},
    difference::{Difference, Subject},
    findings::Findings,
};

const PAGE: u32 = 1_000;
/// What staff alone are told of: money that is in question, or of no order. From one id up to another.
const FOR_STAFF: [(&str, &str); 2] =
    [("payment.questioned:", "payment.questioned;"), ("payment.unplaced:", "payment.unplaced;")];
/// The relay sends an event within milliseconds.
const SENT_WITHIN: time::Duration = time::Duration::minutes(1);

pub(super) async fn compare_all(books: &Books, findings: &mut Findings) -> Result<()> {
    // The oldest of them: a backlog has one cause.
    findings.extend(unsent(books).await?);
    findings.extend(patiently(async || staff_not_told(books).await).await?);
    each_parked(books, |it| findings.add(it)).await
}

/// Looks at these messages again. Unsent events and questions are few: all of them are.
pub(super) async fn compare(books: &Books, parked: &BTreeSet<Subject>) -> Result<Vec<Difference>> {
    let mut differences = unsent(books).await?;
    differences.extend(staff_not_told(books).await?);
    if !parked.is_empty() {
        let again = |it: Difference| differences.extend(parked.contains(&it.subject()).then_some(it));
        each_parked(books, again).await?;
    }
    Ok(differences)
}

/// One look a queue, however many there are: on RabbitMQ it receives all of them.
async fn each_parked(books: &Books, mut see: impl FnMut(Difference) + Send) -> Result<()> {
    for queue in Queue::ALL {
        let mut see = |it: ParkedMessage| see(Difference::Parked { queue, id: it.id, reason: it.reason });
        books.bus.each_parked(queue, &mut see).await?;
    }
    Ok(())
}

async fn unsent(books: &Books) -> Result<Vec<Difference>> {
    let events = books.ledger.unsent(books.now - SENT_WITHIN, PAGE).await?;
    Ok(events
        .into_iter()
        .map(|event| Difference::Unsent { event_id: event.event_id, error: event.last_error })
        .collect())
}

async fn staff_not_told(books: &Books) -> Result<Vec<Difference>> {
    let created_before = books.now - books.told_within;
    let mut differences = Vec::new();
    for (from, to) in FOR_STAFF {
        let mut after = from.to_owned();
        loop {
            let events = books.ledger.sent((&after, to), created_before, PAGE).await?;
            let Some(last) = events.last() else { break };
            after.clone_from(&last.event_id);
            let ids: Vec<EventId> = events.iter().flat_map(|event| told_as(&event.event_id)).collect();
            let outcomes = books.shop.outcomes(&ids).await?;
            let is_told = outcomes.chunks(2).map(|outcomes| outcomes.iter().any(Option::is_some));
            let not_told = events.into_iter().zip(is_told).filter(|(_, is_told)| !is_told);
            differences.extend(not_told.map(|(event, _)| question(event)));
        }
    }
    Ok(differences)
}

/// As itself, or as the question that the projector makes of an event of another order.
fn told_as(event_id: &str) -> [EventId; 2] {
    let trans_id = event_id.split_once(":trans-").and_then(|(_, rest)| rest.split(':').next());
    let other = format!("{event_id}:{}:{}", trans_id.unwrap_or_default(), Anomaly::OrderDiffers.as_str());
    [event_id.to_owned(), other].map(|id| id_of(&EventId::new(id), Recipient::Staff))
}

fn question(event: OutboxRecord) -> Difference {
    let order_id = event.order_id.and_then(|id| OrderId::try_new(id).ok());
    Difference::QuestionNotTold { event_id: event.event_id, order_id, at: from_unix_ms(event.created_at) }
}
