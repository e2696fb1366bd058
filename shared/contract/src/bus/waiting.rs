//! Messages that wait, and the operator's look at them.

use anyhow::Context;
use tolov_domain::ports::{
    PortError,
    bus::{BusAdmin, Queue},
};

use super::{
    messages::{ARRIVAL_LIMIT, ensure_quiet, payments, publish, receive, receive_one, settle_done},
    world::BusWorld,
};

const QUEUE: Queue = Queue::ProjectorPayments;

async fn waiting(admin: &dyn BusAdmin, queue: Queue) -> Result<Vec<Vec<u8>>, PortError> {
    let mut bodies = Vec::new();
    admin.each_waiting(queue, &mut |body| bodies.push(body)).await?;
    Ok(bodies)
}

pub async fn waiting_messages_are_shown_whatever_their_number_and_stay_in_their_order(
    world: &dyn BusWorld,
) -> anyhow::Result<()> {
    // More than a prefetch of RabbitMQ's quorum queues, and than a page of SQLite.
    const COUNT: usize = 2_300;
    let publisher = world.publisher().await;
    for window in payments(COUNT).chunks(100) {
        publish(&*publisher, window).await?;
    }
    let bodies: Vec<_> = payments(COUNT).into_iter().map(|message| message.body).collect();
    let admin = world.admin().await;
    for look in 1..=2 {
        assert!(waiting(&*admin, QUEUE).await? == bodies, "look {look} shows all of them in their order");
    }
    assert_eq!(waiting(&*admin, Queue::BotNotifications).await?, Vec::<Vec<u8>>::new());
    assert_eq!(admin.depth(QUEUE).await?.ready, u64::try_from(COUNT)?);
    let consumer = world.consumer(QUEUE).await;
    let mut delivered = Vec::new();
    while delivered.len() < COUNT {
        let deliveries = receive(&*consumer, 50.min(COUNT - delivered.len())).await?;
        delivered.extend(deliveries.iter().map(|delivery| delivery.body.clone()));
        assert!(deliveries.iter().all(|delivery| delivery.retries == 0), "a look is no retry");
        settle_done(&*consumer, deliveries).await?;
    }
    assert!(delivered == bodies, "a reader has them in their order");
    ensure_quiet(world, &*consumer).await
}

pub async fn what_a_reader_holds_is_shown_or_the_look_is_refused(world: &dyn BusWorld) -> anyhow::Result<()> {
    publish(&*world.publisher().await, &payments(3)).await?;
    let bodies: Vec<_> = payments(3).into_iter().map(|message| message.body).collect();
    let consumer = world.consumer(QUEUE).await;
    let held = receive_one(&*consumer).await?;
    let admin = world.admin().await;
    match waiting(&*admin, QUEUE).await {
        Ok(shown) => assert_eq!(shown, bodies),
        Err(PortError::Refused(why)) => assert!(why.contains("readers"), "{why}"),
        Err(error) => return Err(error.into()),
    }
    drop((held, consumer));
    let reached = async {
        loop {
            match waiting(&*admin, QUEUE).await {
                // A broker sees the end of a reader a moment later.
                Ok(shown) if shown.len() == bodies.len() => return anyhow::Ok(()),
                Ok(_) | Err(PortError::Refused(_)) => {
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    };
    let in_time = tokio::time::timeout(ARRIVAL_LIMIT, reached).await;
    in_time.context("what the reader held is never shown")?
}
