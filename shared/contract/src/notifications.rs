//! What a log of notifications promises (`tolov_domain::ports::notifications`).

use std::sync::Arc;

use async_trait::async_trait;
use time::{Duration, macros::datetime};
use tolov_domain::{
    EventId,
    ports::notifications::{Claim, NotificationLog, SendOutcome, Settled},
    time::Timestamp,
};

use crate::documents::DocumentsWorld;

/// A shop store whose log of notifications is empty at first.
#[async_trait]
pub trait NotificationsWorld: DocumentsWorld {
    /// A handle on the log, another one with every call, as with [`DocumentsWorld::documents`].
    async fn notification_log(&self) -> Arc<dyn NotificationLog>;
}

/// One `#[test]` a behaviour of a log of notifications, each in a world that `$fresh_world` makes: the path of an
/// `async fn() -> anyhow::Result<impl NotificationsWorld>`. Attributes before it go to every test.
#[macro_export]
macro_rules! notifications_contract {
    ($(#[$attribute:meta])* $fresh_world:path) => {
        $crate::notifications_contract! { @each [$(#[$attribute])*] $fresh_world =>
            a_first_claim_may_send_and_a_second_one_is_busy
            after_its_lease_a_claim_is_given_again_as_the_next_attempt
            a_lease_of_a_clock_that_was_set_back_since_has_ended
            a_settled_notification_is_never_claimed_again
            a_released_claim_counts_no_attempt
            a_release_after_an_expired_lease_keeps_the_expired_attempt
            the_first_outcome_stays
            an_outcome_is_recorded_whoever_holds_the_claim
            several_outcomes_are_recorded_each_as_it_is
            several_claims_are_answered_in_the_order_given
            one_of_many_parallel_claims_sends
            outcomes_are_answered_in_the_order_given
        }
    };
    (@each $attributes:tt $fresh_world:path => $($behaviour:ident)*) => {
        $($crate::notifications_contract! { @one $attributes $fresh_world => $behaviour })*
    };
    (@one [$($attribute:tt)*] $fresh_world:path => $behaviour:ident) => {
        #[test]
        $($attribute)*
        fn $behaviour() -> ::anyhow::Result<()> {
            $crate::run_notifications($fresh_world, $crate::notifications::$behaviour)
        }
    };
}

/// The lease of claims in these tests, in seconds.
const LEASE_S: i64 = 60;

pub async fn a_first_claim_may_send_and_a_second_one_is_busy(
    world: &dyn NotificationsWorld,
) -> anyhow::Result<()> {
    assert_eq!(claim(&*world.notification_log().await, 0).await?, Claim::Send { attempt: 1 });
    for second in [0, 1, LEASE_S - 1] {
        assert_eq!(
            claim(&*world.notification_log().await, second).await?,
            Claim::Busy { until: at(LEASE_S) }
        );
    }
    Ok(())
}

pub async fn after_its_lease_a_claim_is_given_again_as_the_next_attempt(
    world: &dyn NotificationsWorld,
) -> anyhow::Result<()> {
    let store = world.notification_log().await;
    for attempt in 1..=4 {
        let second = i64::from(attempt) * (LEASE_S + 1);
        assert_eq!(claim(&*store, second).await?, Claim::Send { attempt });
        assert_eq!(claim(&*store, second + 1).await?, Claim::Busy { until: at(second + LEASE_S) });
    }
    Ok(())
}

pub async fn a_lease_of_a_clock_that_was_set_back_since_has_ended(
    world: &dyn NotificationsWorld,
) -> anyhow::Result<()> {
    let store = world.notification_log().await;
    assert_eq!(claim(&*store, 0).await?, Claim::Send { attempt: 1 });
    // Another machine's clock may be a little behind.
    assert_eq!(claim(&*store, -59).await?, Claim::Busy { until: at(LEASE_S) });
    assert_eq!(claim(&*store, -3_600).await?, Claim::Send { attempt: 2 });
    assert_eq!(claim(&*store, -3_599).await?, Claim::Busy { until: at(LEASE_S - 3_600) });
    Ok(())
}

pub async fn a_settled_notification_is_never_claimed_again(
    world: &dyn NotificationsWorld,
) -> anyhow::Result<()> {
    let store = world.notification_log().await;
    claim(&*store, 0).await?;
    store.settle(&[paid(1)], &SendOutcome::Sent { message_id: 77 }, at(1)).await?;
    for second in [1, LEASE_S + 1, 1_000_000] {
        assert_eq!(claim(&*store, second).await?, Claim::Settled);
    }
    store.release(&[paid(1)]).await?;
    assert_eq!(
        claim(&*store, 1_000_001).await?,
        Claim::Settled,
        "releasing a settled notification changes nothing"
    );
    assert_eq!(store.outcome(&paid(1)).await?, Some(SendOutcome::Sent { message_id: 77 }));
    Ok(())
}

pub async fn a_released_claim_counts_no_attempt(world: &dyn NotificationsWorld) -> anyhow::Result<()> {
    let store = world.notification_log().await;
    for second in 0..3 {
        assert_eq!(claim(&*store, second).await?, Claim::Send { attempt: 1 }, "nothing was sent so far");
        store.release(&[paid(1)]).await?;
        store.release(&[paid(1)]).await?;
    }
    store.release(&[paid(404)]).await?;
    assert_eq!(store.outcome(&paid(1)).await?, None);
    Ok(())
}

pub async fn a_release_after_an_expired_lease_keeps_the_expired_attempt(
    world: &dyn NotificationsWorld,
) -> anyhow::Result<()> {
    let store = world.notification_log().await;
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

pub async fn the_first_outcome_stays(world: &dyn NotificationsWorld) -> anyhow::Result<()> {
    let store = world.notification_log().await;
    let blocked = SendOutcome::Undeliverable { reason: "the shopper has blocked the bot".to_owned() };
    claim(&*store, 0).await?;
    assert_eq!(store.outcome(&paid(1)).await?, None);
    store.settle(&[paid(1)], &blocked, at(1)).await?;
    store.settle(&[paid(1), paid(2)], &SendOutcome::Sent { message_id: 77 }, at(2)).await?;
    assert_eq!(store.outcome(&paid(1)).await?, Some(blocked));
    assert_eq!(store.outcome(&paid(2)).await?, Some(SendOutcome::Sent { message_id: 77 }));
    Ok(())
}

/// A send may outlast its lease: what Telegram answered is true all the same.
pub async fn an_outcome_is_recorded_whoever_holds_the_claim(
    world: &dyn NotificationsWorld,
) -> anyhow::Result<()> {
    let store = world.notification_log().await;
    store.settle(&[paid(1)], &SendOutcome::Sent { message_id: 77 }, at(0)).await?;
    assert_eq!(claim(&*store, 1).await?, Claim::Settled);
    let after_lease = LEASE_S + 1;
    store.claim(&[paid(2)], at(0), at(LEASE_S)).await?;
    store.settle(&[paid(2)], &SendOutcome::Sent { message_id: 78 }, at(after_lease)).await?;
    assert_eq!(store.claim(&[paid(2)], at(after_lease), at(2 * LEASE_S)).await?, [Claim::Settled]);
    Ok(())
}

pub async fn several_outcomes_are_recorded_each_as_it_is(
    world: &dyn NotificationsWorld,
) -> anyhow::Result<()> {
    let store = world.notification_log().await;
    let sent = |message_id| SendOutcome::Sent { message_id };
    let blocked = SendOutcome::Undeliverable { reason: "$it's \"blocked\"".to_owned() };
    store.claim(&[paid(1), paid(2)], at(0), at(LEASE_S)).await?;
    store.settle(&[paid(4)], &sent(70), at(1)).await?;
    // One was never claimed, one is settled already, one is named twice.
    let outcomes = [
        (paid(1), sent(71)),
        (paid(2), blocked.clone()),
        (paid(3), sent(73)),
        (paid(4), sent(74)),
        (paid(1), sent(75)),
    ];
    store.settle_each(&outcomes, at(2)).await?;
    let told = |outcome, second| Some(Settled { outcome, at: at(second) });
    let expected = [told(sent(71), 2), told(blocked, 2), told(sent(73), 2), told(sent(70), 1)];
    let ids = [1, 2, 3, 4].map(paid);
    assert_eq!(store.outcomes(&ids).await?, expected);
    assert_eq!(store.claim(&ids, at(3), at(3 + LEASE_S)).await?, [const { Claim::Settled }; 4]);
    store.settle_each(&[], at(4)).await?;
    Ok(())
}

pub async fn several_claims_are_answered_in_the_order_given(
    world: &dyn NotificationsWorld,
) -> anyhow::Result<()> {
    let store = world.notification_log().await;
    store.claim(&[paid(2), paid(4)], at(0), at(LEASE_S)).await?;
    store.claim(&[paid(5)], at(0), at(5)).await?;
    store.settle(&[paid(4)], &SendOutcome::Sent { message_id: 77 }, at(1)).await?;
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

pub async fn one_of_many_parallel_claims_sends(world: &dyn NotificationsWorld) -> anyhow::Result<()> {
    for number in 1..=5 {
        let mut senders = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let store = world.notification_log().await;
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

pub async fn outcomes_are_answered_in_the_order_given(world: &dyn NotificationsWorld) -> anyhow::Result<()> {
    let store = world.notification_log().await;
    let sent = SendOutcome::Sent { message_id: 77 };
    let blocked = SendOutcome::Undeliverable { reason: "the bot was blocked".to_owned() };
    store.claim(&[paid(2)], at(0), at(LEASE_S)).await?;
    store.settle(&[paid(4)], &sent, at(1)).await?;
    store.settle(&[paid(1)], &blocked, at(2)).await?;
    // The first outcome stays, and so does its time.
    store.settle(&[paid(1)], &sent, at(3)).await?;
    let ids = [paid(4), paid(3), paid(2), paid(1), paid(4)];
    let told = Some(Settled { outcome: sent, at: at(1) });
    let expected = [told.clone(), None, None, Some(Settled { outcome: blocked, at: at(2) }), told];
    assert_eq!(store.outcomes(&ids).await?, expected);
    assert_eq!(store.outcomes(&[]).await?, []);
    Ok(())
}

fn at(second: i64) -> Timestamp {
    datetime!(2026-11-23 09:00:00.125 UTC) + Duration::seconds(second)
}

fn paid(number: u32) -> EventId {
    EventId::new(format!("payment.completed:{number}/shopper"))
}

async fn claim(store: &dyn NotificationLog, second: i64) -> anyhow::Result<Claim> {
    let mut claims = store.claim(&[paid(1)], at(second), at(second + LEASE_S)).await?;
    assert_eq!(claims.len(), 1);
    Ok(claims.remove(0))
}
