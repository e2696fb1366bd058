//! Memory and disk alarms of the broker.

use std::time::Duration;

use tolov_domain::ports::bus::{Consumer, Published, Publisher, Queue, Verdict};
use tolov_rabbitmq::{RabbitBus, RabbitOptions};

use crate::{
    broker_proxy::BrokerProxy,
    world::{World, broker_addr, in_world, options, payment, payments, receive_one, settle, through, until},
};

const QUEUE: Queue = Queue::ProjectorPayments;

/// A window ends in a test's time, and a busy machine still confirms one.
fn within_seconds() -> RabbitOptions {
    RabbitOptions { window_timeout: Duration::from_secs(5), ..options() }
}

async fn alarmed(world: &World) -> anyhow::Result<(BrokerProxy, RabbitBus)> {
    let proxy = BrokerProxy::start(broker_addr().await?).await?;
    let bus = RabbitBus::try_new(&through(proxy.addr())?, world.options.clone())?;
    Ok((proxy, bus))
}

async fn until_published(publisher: &dyn Publisher) -> anyhow::Result<()> {
    until("the alarm is over", async || {
        Ok(publisher.publish(&[payment(100)]).await.is_ok_and(|answer| answer == [Published::Confirmed]))
    })
    .await
}

#[test]
fn under_an_alarm_publishing_is_unavailable_with_the_reason_and_works_again_after_it() -> anyhow::Result<()> {
    in_world(within_seconds(), async |world| {
        let (proxy, bus) = alarmed(world).await?;
        let publisher = bus.publisher();
        assert_eq!(publisher.publish(&[payment(1)]).await?, [Published::Confirmed]);
        proxy.announce();
        until("the client has been told", async || {
            let answer = publisher.publish(&[payment(2)]).await;
            Ok(answer.is_err_and(|error| error.is_unavailable() && error.to_string().contains("alarm")))
        })
        .await?;
        assert!(!publisher.is_reachable().await);
        assert_eq!(proxy.opened(), 1, "a new connection would be blocked as well");
        proxy.clear();
        until_published(&publisher).await
    })
}

#[test]
fn a_window_that_an_alarm_interrupts_is_unknown_and_its_connection_is_replaced_after_the_alarm()
-> anyhow::Result<()> {
    in_world(within_seconds(), async |world| {
        let (proxy, bus) = alarmed(world).await?;
        let publisher = bus.publisher();
        assert_eq!(publisher.publish(&[payment(1)]).await?, [Published::Confirmed]);
        proxy.raise();
        let answers = publisher.publish(&payments(2..22)).await?;
        assert!(answers.iter().all(|answer| matches!(answer, Published::Unknown(_))), "{answers:?}");
        proxy.announce();
        until("the client has been told", async || Ok(publisher.publish(&[payment(2)]).await.is_err()))
            .await?;
        let opened = proxy.opened();
        proxy.clear();
        until_published(&publisher).await?;
        assert!(proxy.opened() > opened, "the old one may have frames that nobody waits for");
        assert_eq!(publisher.publish(&payments(2..22)).await?, vec![Published::Confirmed; 20]);
        Ok(())
    })
}

#[test]
fn under_an_alarm_consuming_goes_on() -> anyhow::Result<()> {
    in_world(within_seconds(), async |world| {
        let (proxy, bus) = alarmed(world).await?;
        let publisher = bus.publisher();
        let published = publisher.publish(&payments(0..20)).await?;
        assert_eq!(published, vec![Published::Confirmed; 20]);
        proxy.announce();
        let consumer = bus.consumer(QUEUE);
        for _ in 0..20 {
            let delivery = receive_one(&consumer).await?;
            assert_eq!(settle(&consumer, vec![delivery], Verdict::Done).await?, 1);
        }
        proxy.clear();
        until_published(&publisher).await?;
        assert_eq!(consumer.receive(1).await?[0].id, payment(100).id);
        Ok(())
    })
}
