//! Counts of queues whose leader does not answer: RabbitMQ says then that they are empty.

use std::time::Duration;

use tolov_contract::bus::all_parked;
use tolov_domain::ports::{
    PortError,
    bus::{BusAdmin, Publisher, Queue, QueueDepth, Verdict},
};
use tolov_rabbitmq::{RabbitAdmin, RabbitBus};

use crate::{
    broker_proxy::BrokerProxy,
    world::{World, broker_addr, in_world, options, payments, receive_one, settle, through, until},
};

const QUEUE: Queue = Queue::ProjectorPayments;
const COUNT: usize = 3;
/// Declaring the queue that gives an operator the turn is answered with counts too.
const TURN: usize = 1;
/// RabbitMQ waits for 250 ms.
const BUSY: Duration = Duration::from_millis(260);
const PARKED: QueueDepth = QueueDepth { ready: 0, retrying: 0, parked: 3 };

/// Parks messages, and connects an operator through a proxy.
async fn parked(world: &World) -> anyhow::Result<(BrokerProxy, RabbitAdmin)> {
    let consumer = world.direct.consumer(QUEUE);
    world.direct.publisher().publish(&payments(0..COUNT)).await?;
    for _ in 0..COUNT {
        let delivery = receive_one(&consumer).await?;
        settle(&consumer, vec![delivery], Verdict::Park { reason: "no schema".to_owned() }).await?;
    }
    until("they are parked", async || Ok(world.depth().await? == PARKED)).await?;
    let proxy = BrokerProxy::start(broker_addr().await?).await?;
    let admin = RabbitBus::try_new(&through(proxy.addr())?, world.options.clone())?.admin();
    assert_eq!(admin.depth(QUEUE).await?, PARKED);
    Ok((proxy, admin))
}

#[test]
fn a_busy_queue_is_not_taken_for_an_empty_one() -> anyhow::Result<()> {
    in_world(options(), async |world| {
        let (proxy, admin) = parked(world).await?;
        // Each queue is asked for in turn: work, retries, parking.
        proxy.count_nothing(world.options.retry_delays_ms.len() + 4, BUSY);
        assert_eq!(admin.depth(QUEUE).await?, PARKED);
        proxy.count_nothing(TURN + 2, BUSY);
        assert_eq!(all_parked(&admin, QUEUE).await?.len(), COUNT);
        Ok(())
    })
}

#[test]
fn a_queue_without_a_leader_is_not_taken_for_an_empty_one() -> anyhow::Result<()> {
    in_world(options(), async |world| {
        let (proxy, admin) = parked(world).await?;
        proxy.count_nothing(TURN + 1, Duration::ZERO);
        assert_eq!(all_parked(&admin, QUEUE).await?.len(), COUNT);
        assert_eq!(all_parked(&admin, QUEUE).await?.len(), COUNT, "all are given back");
        Ok(())
    })
}

#[test]
fn the_readers_of_a_busy_queue_are_not_overlooked() -> anyhow::Result<()> {
    in_world(options(), async |world| {
        let (proxy, admin) = parked(world).await?;
        world.direct.publisher().publish(&payments(0..1)).await?;
        let consumer = world.direct.consumer(QUEUE);
        let _held = receive_one(&consumer).await?;
        // Before the look, twice for the look, and after it.
        proxy.count_nothing(TURN + 4, BUSY);
        let refused = admin.each_waiting(QUEUE, &mut |_| ()).await;
        assert!(matches!(refused, Err(PortError::Refused(_))), "{refused:?}");
        Ok(())
    })
}
