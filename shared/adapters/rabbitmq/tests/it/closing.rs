//! A clean stop.

use tolov_domain::ports::bus::{BusAdmin, Published, Publisher, Queue, QueueDepth, Verdict};

use crate::world::{in_world, options, payment, receive_one, settle};

const QUEUE: Queue = Queue::ProjectorPayments;

#[test]
fn a_closed_bus_has_closed_every_connection_before_the_runtime_ends() -> anyhow::Result<()> {
    in_world(options(), async |world| {
        let (publisher, consumer) = (world.proxied.publisher(), world.proxied.consumer(QUEUE));
        let admin = world.proxied.admin();
        assert_eq!(publisher.publish(&[payment(1)]).await?, [Published::Confirmed]);
        let delivery = receive_one(&consumer).await?;
        settle(&consumer, vec![delivery], Verdict::Done).await?;
        assert_eq!(admin.depth(QUEUE).await?, QueueDepth::default());
        assert_eq!(world.proxy.connections(), 3);
        drop((consumer, admin));
        world.proxied.close().await;
        crate::world::until("the proxy has seen the ends", async || Ok(world.proxy.connections() == 0))
            .await?;
        assert!(publisher.publish(&[payment(2)]).await.unwrap_err().is_unavailable());
        assert!(!publisher.is_reachable().await);
        assert_eq!(world.proxy.connections(), 0, "a late call opens none");
        Ok(())
    })
}
