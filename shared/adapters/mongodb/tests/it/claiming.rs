//! Claims of notifications: each has one sender.

use mongodb::bson::{DateTime, Document, doc};
use time::Duration;
use tolov_domain::{
    EventId,
    ports::notifications::{Claim, NotificationLog, SendOutcome},
    time::unix_ms,
};

use crate::world::{NOON, Server, World};

fn ids(count: usize) -> Vec<EventId> {
    (0..count).map(|n| EventId::new(format!("payment.completed:{n}/shopper"))).collect()
}

pub(crate) async fn of_parallel_claimers_exactly_one_may_send_each_notification(
    server: Server,
) -> anyhow::Result<()> {
    let world = World::fresh(server).await?;
    let ids = ids(256);
    let lease_until = NOON + Duration::minutes(1);
    let mut claimers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (shop, ids) = (world.shop().await, ids.clone());
        claimers.spawn(async move { shop.claim(&ids, NOON, lease_until).await });
    }
    let mut senders = vec![0; ids.len()];
    while let Some(claims) = claimers.join_next().await {
        for (claim, senders) in claims??.into_iter().zip(&mut senders) {
            match claim {
                Claim::Send { attempt } => {
                    assert_eq!(attempt, 1);
                    *senders += 1;
                }
                Claim::Busy { until } => assert_eq!(until, lease_until),
                other @ (Claim::Settled | Claim::Refused { .. }) => panic!("{other:?}"),
            }
        }
    }
    assert!(senders.iter().all(|senders| *senders == 1), "{senders:?}");
    world.remove().await
}

pub(crate) async fn an_unreadable_notification_keeps_no_other_from_being_claimed(
    server: Server,
) -> anyhow::Result<()> {
    let world = World::fresh(server).await?;
    let shop = world.shop().await;
    let ids = ids(5);
    let lease_until = NOON + Duration::minutes(1);
    shop.claim(&ids[4..], NOON, lease_until).await?;
    let notifications = world.database.collection::<Document>("notifications");
    // One cannot be counted up, one is free and cannot be read, one says neither that it is free nor that it is not.
    for (id, damage) in ids.iter().zip([
        doc! { "attempt": "first" },
        doc! { "attempt": 1_i64, "settled_at": "noon" },
        doc! { "lease_until": DateTime::from_millis(unix_ms(lease_until)), "attempt": "first" },
    ]) {
        let mut damaged = doc! { "_id": id.as_str() };
        damaged.extend(damage);
        notifications.insert_one(damaged).await?;
    }
    let claims = shop.claim(&ids, NOON, lease_until).await?;
    assert!(claims[..3].iter().all(|claim| matches!(claim, Claim::Refused { .. })), "{claims:?}");
    assert_eq!(claims[3..], [Claim::Send { attempt: 1 }, Claim::Busy { until: lease_until }]);
    assert!(shop.outcomes(&ids).await.is_err(), "nobody takes an unreadable one for one that was not sent");
    world.remove().await
}

pub(crate) async fn a_notification_named_twice_in_a_call_is_sent_once(server: Server) -> anyhow::Result<()> {
    let world = World::fresh(server).await?;
    let id = EventId::new("$a");
    let lease_until = NOON + Duration::minutes(1);
    let claims = world.shop().await.claim(&[id.clone(), id], NOON, lease_until).await?;
    assert_eq!(claims, [Claim::Send { attempt: 1 }, Claim::Busy { until: lease_until }]);
    world.remove().await
}

pub(crate) async fn a_release_keeps_an_earlier_attempt_that_may_have_been_sent(
    server: Server,
) -> anyhow::Result<()> {
    let world = World::fresh(server).await?;
    let (died, shop) = (world.shop().await, world.shop().await);
    let ids = ids(1);
    let (lease, later) = (NOON + Duration::minutes(1), NOON + Duration::minutes(2));
    assert_eq!(died.claim(&ids, NOON, lease).await?, [Claim::Send { attempt: 1 }]);

    assert_eq!(shop.claim(&ids, lease, later).await?, [Claim::Send { attempt: 2 }], "the lease is over");
    shop.release(&ids).await?;
    shop.release(&ids).await?;
    assert_eq!(shop.claim(&ids, lease, later).await?, [Claim::Send { attempt: 2 }]);
    world.remove().await
}

pub(crate) async fn a_store_does_not_release_the_claim_of_another(server: Server) -> anyhow::Result<()> {
    let world = World::fresh(server).await?;
    let (slow, shop) = (world.shop().await, world.shop().await);
    let ids = ids(1);
    let (lease, later) = (NOON + Duration::minutes(1), NOON + Duration::minutes(2));
    slow.claim(&ids, NOON, lease).await?;
    shop.claim(&ids, lease, later).await?;

    slow.release(&ids).await?;

    assert_eq!(slow.claim(&ids, lease, later).await?, [Claim::Busy { until: later }]);
    world.remove().await
}

pub(crate) async fn an_outcome_is_recorded_without_a_claim(server: Server) -> anyhow::Result<()> {
    let world = World::fresh(server).await?;
    let shop = world.shop().await;
    let ids = ids(2);
    let gone = SendOutcome::Undeliverable { reason: "$blocked by the shopper".to_owned() };
    shop.settle(&ids, &gone, NOON).await?;
    shop.settle(&ids, &SendOutcome::Sent { message_id: 7 }, NOON).await?;
    assert_eq!(shop.outcome(&ids[1]).await?, Some(gone));
    let claims = shop.claim(&ids, NOON, NOON + Duration::minutes(1)).await?;
    assert_eq!(claims, [Claim::Settled, Claim::Settled]);
    world.remove().await
}
