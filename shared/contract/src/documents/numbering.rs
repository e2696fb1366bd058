//! Numbers that are given out once.

use tolov_domain::ports::{PortError, documents::Sequence};

use super::world::DocumentsWorld;

const ORDERS: Sequence = Sequence::new("orders");
const ARTICLES: Sequence = Sequence::new("articles");

pub async fn parallel_callers_get_numbers_that_are_unique_and_grow(
    world: &dyn DocumentsWorld,
) -> anyhow::Result<()> {
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let store = world.documents().await;
        callers.spawn(async move {
            let mut numbers = Vec::new();
            for _ in 0..10 {
                numbers.push(store.next_number(ARTICLES, 0).await?);
            }
            anyhow::Ok(numbers)
        });
    }
    let mut all = Vec::new();
    while let Some(numbers) = callers.join_next().await {
        let numbers = numbers??;
        assert!(numbers.is_sorted(), "{numbers:?}");
        all.extend(numbers);
    }
    all.sort_unstable();
    assert_eq!(all, (1..=80).collect::<Vec<_>>());
    Ok(())
}

pub async fn sequences_start_at_1_and_are_independent(world: &dyn DocumentsWorld) -> anyhow::Result<()> {
    for round in 1..=3 {
        for sequence in [ORDERS, ARTICLES, Sequence::new("broadcasts")] {
            let number = world.documents().await.next_number(sequence, 0).await?;
            assert_eq!(number, round, "{sequence:?}");
        }
    }
    Ok(())
}

pub async fn a_number_is_greater_than_every_one_that_is_known_to_be_used(
    world: &dyn DocumentsWorld,
) -> anyhow::Result<()> {
    let store = world.documents().await;
    for (above, expected) in
        [(1_000, 1_001), (0, 1_002), (1_001, 1_003), (i64::MIN, 1_004), (5_000, 5_001), (1_000, 5_002)]
    {
        assert_eq!(store.next_number(ORDERS, above).await?, expected, "above {above}");
    }
    assert_eq!(store.next_number(ARTICLES, -5).await?, 1);
    let mut callers = tokio::task::JoinSet::new();
    for above in [7_000, 8_000, 6_000, 0] {
        let store = world.documents().await;
        callers.spawn(async move { Ok::<_, PortError>((above, store.next_number(ORDERS, above).await?)) });
    }
    let mut numbers = std::collections::BTreeSet::new();
    while let Some(given) = callers.join_next().await {
        let (above, number) = given??;
        assert!(number > above.max(5_002), "{number} above {above}");
        assert!(numbers.insert(number), "{number} was given out twice");
    }
    assert!(store.next_number(ORDERS, 0).await? > 8_000);
    Ok(())
}

pub async fn a_sequence_without_numbers_left_is_refused(world: &dyn DocumentsWorld) -> anyhow::Result<()> {
    let store = world.documents().await;
    let refused = store.next_number(ARTICLES, i64::MAX).await;
    assert!(matches!(refused, Err(PortError::Refused(_))), "{refused:?}");
    assert_eq!(store.next_number(ARTICLES, i64::MAX - 1).await?, i64::MAX);
    for above in [0, i64::MAX] {
        let refused = store.next_number(ARTICLES, above).await;
        assert!(matches!(refused, Err(PortError::Refused(_))), "{refused:?}");
    }
    assert_eq!(store.next_number(ORDERS, 0).await?, 1, "other sequences go on");
    Ok(())
}
