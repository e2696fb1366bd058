//! Who may send a notification, and what became of it.

use tolov_domain::{
    EventId,
    ports::shop::{Claim, Outcome, ShopStore},
};

use super::{ShopWorld, facts::at};

/// How long claims of these tests are leased, in seconds.
const LEASE_S: i64 = 60;

pub async fn a_first_claim_is_to_be_sent_and_a_second_one_finds_it_busy(
    world: &dyn ShopWorld,
) -> anyhow::Result<()> {
    assert_eq!(claim(&*world.store().await, 0).await?, Claim::Send { attempt: 1 });
    for second in [0, 1, LEASE_S - 1] {
        assert_eq!(claim(&*world.store().await, second).await?, Claim::Busy { until: at(LEASE_S) });
    }
    Ok(())
}

pub async fn after_the_lease_it_is_claimed_again_with_the_next_attempt(
    world: &dyn ShopWorld,
) -> anyhow::Result<()> {
    let store = world.store().await;
    for attempt in 1..=4 {
        let second = i64::from(attempt) * (LEASE_S + 1);
        assert_eq!(claim(&*store, second).await?, Claim::Send { attempt });
        assert_eq!(claim(&*store, second + 1).await?, Claim::Busy { until: at(second + LEASE_S) });
    }
    Ok(())
}

pub async fn what_was_settled_is_never_claimed_again(world: &dyn ShopWorld) -> anyhow::Result<()> {
    let store = world.store().await;
    claim(&*store, 0).await?;
    store.settle(&[paid(1)], &Outcome::Sent { message_id: 77 }, at(1)).await?;
    for second in [1, LEASE_S + 1, 1_000_000] {
        assert_eq!(claim(&*store, second).await?, Claim::Settled);
    }
    store.release(&[paid(1)]).await?;
    assert_eq!(
        claim(&*store, 1_000_001).await?,
        Claim::Settled,
        "giving back what is settled changes nothing"
    );
    assert_eq!(store.outcome(&paid(1)).await?, Some(Outcome::Sent { message_id: 77 }));
    Ok(())
}

pub async fn a_claim_that_was_given_back_counts_no_attempt(world: &dyn ShopWorld) -> anyhow::Result<()> {
    let store = world.store().await;
    for second in 0..3 {
        assert_eq!(claim(&*store, second).await?, Claim::Send { attempt: 1 }, "nothing was sent so far");
        store.release(&[paid(1)]).await?;
        store.release(&[paid(1)]).await?;
    }
    store.release(&[paid(404)]).await?;
    assert_eq!(store.outcome(&paid(1)).await?, None);
    Ok(())
}

pub async fn a_claim_given_back_after_a_lapsed_one_still_counts_the_lapsed_one(
    world: &dyn ShopWorld,
) -> anyhow::Result<()> {
    let store = world.store().await;
    assert_eq!(claim(&*store, 0).await?, Claim::Send { attempt: 1 });
    let after_lease = LEASE_S + 1;
    assert_eq!(claim(&*store, after_lease).await?, Claim::Send { attempt: 2 });
    store.release(&[paid(1)]).await?;
    assert_eq!(
        claim(&*store, after_lease).await?,
        Claim::Send { attempt: 2 },
        "the first may have got through"
    );
    Ok(())
}

pub async fn the_first_outcome_stays(world: &dyn ShopWorld) -> anyhow::Result<()> {
    let store = world.store().await;
    let blocked = Outcome::Undeliverable { reason: "the shopper has blocked the bot".to_owned() };
    claim(&*store, 0).await?;
    assert_eq!(store.outcome(&paid(1)).await?, None);
    store.settle(&[paid(1)], &blocked, at(1)).await?;
    store.settle(&[paid(1), paid(2)], &Outcome::Sent { message_id: 77 }, at(2)).await?;
    assert_eq!(store.outcome(&paid(1)).await?, Some(blocked));
    assert_eq!(store.outcome(&paid(2)).await?, Some(Outcome::Sent { message_id: 77 }));
    Ok(())
}

/// A send may outlast its lease; what Telegram answered is true all the same.
pub async fn an_outcome_is_kept_whoever_had_claimed(world: &dyn ShopWorld) -> anyhow::Result<()> {
    let store = world.store().await;
    store.settle(&[paid(1)], &Outcome::Sent { message_id: 77 }, at(0)).await?;
    assert_eq!(claim(&*store, 1).await?, Claim::Settled);
    let after_lease = LEASE_S + 1;
    store.claim(&[paid(2)], at(0), at(LEASE_S)).await?;
    store.settle(&[paid(2)], &Outcome::Sent { message_id: 78 }, at(after_lease)).await?;
    assert_eq!(store.claim(&[paid(2)], at(after_lease), at(2 * LEASE_S)).await?, [Claim::Settled]);
    Ok(())
}

pub async fn several_claims_are_answered_in_the_order_given(world: &dyn ShopWorld) -> anyhow::Result<()> {
    let store = world.store().await;
    store.claim(&[paid(2), paid(4)], at(0), at(LEASE_S)).await?;
    store.claim(&[paid(5)], at(0), at(5)).await?;
    store.settle(&[paid(4)], &Outcome::Sent { message_id: 77 }, at(1)).await?;
    let ids = [paid(5), paid(4), paid(3), paid(2), paid(1)];
    let claims = store.claim(&ids, at(10), at(10 + LEASE_S)).await?;
    let expected = [
        Claim::Send { attempt: 2 },
        Claim::Settled,
        Claim::Send { attempt: 1 },
        Claim::Busy { until: at(LEASE_S) },
        Claim::Send { attempt: 1 },
    ];
    assert_eq!(claims, expected);
    store.release(&[paid(1), paid(3)]).await?;
    let claims = store.claim(&[paid(1), paid(5), paid(3)], at(11), at(11 + LEASE_S)).await?;
    let busy = Claim::Busy { until: at(10 + LEASE_S) };
    assert_eq!(claims, [Claim::Send { attempt: 1 }, busy, Claim::Send { attempt: 1 }]);
    assert_eq!(store.claim(&[], at(12), at(13)).await?, []);
    Ok(())
}

pub async fn one_of_many_parallel_claims_sends(world: &dyn ShopWorld) -> anyhow::Result<()> {
    for number in 1..=5 {
        let mut senders = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let store = world.store().await;
            senders.spawn(async move { store.claim(&[paid(number)], at(0), at(LEASE_S)).await });
        }
        let mut sends = 0;
        while let Some(claims) = senders.join_next().await {
            match claims??[..] {
                [Claim::Send { attempt: 1 }] => sends += 1,
                [Claim::Busy { until }] => assert_eq!(until, at(LEASE_S)),
                ref other => anyhow::bail!("{other:?}"),
            }
        }
        assert_eq!(sends, 1);
    }
    Ok(())
}

fn paid(number: u32) -> EventId {
    EventId::new(format!("payment.completed:{number}/shopper"))
}

async fn claim(store: &dyn ShopStore, second: i64) -> anyhow::Result<Claim> {
    let claims = store.claim(&[paid(1)], at(second), at(second + LEASE_S)).await?;
    assert_eq!(claims.len(), 1);
    Ok(claims[0])
}
