//! Numbers that are given out once.

use tolov_domain::ports::documents::Sequence;

use super::DocumentsWorld;

pub async fn numbers_of_a_sequence_are_unique_and_grow_under_parallel_callers(
    world: &dyn DocumentsWorld,
) -> anyhow::Result<()> {
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let store = world.documents().await;
        callers.spawn(async move {
            let mut numbers = Vec::new();
            for _ in 0..10 {
                numbers.push(store.next_number(Sequence::Articles).await?);
            }
            anyhow::Ok(numbers)
        });
    }
    let mut all = Vec::new();
    while let Some(numbers) = callers.join_next().await {
        let numbers = numbers??;
        assert!(numbers.is_sorted(), "each caller sees them grow: {numbers:?}");
        all.extend(numbers);
    }
    all.sort_unstable();
    assert_eq!(all, (1..=80).collect::<Vec<_>>());
    Ok(())
}

pub async fn sequences_begin_with_1_and_do_not_move_each_other(
    world: &dyn DocumentsWorld,
) -> anyhow::Result<()> {
    let all = [Sequence::Categories, Sequence::Articles, Sequence::StaffActions, Sequence::Broadcasts];
    for round in 1..=3 {
        for sequence in all {
            let number = world.documents().await.next_number(sequence).await?;
            assert_eq!(number, round, "{sequence:?}");
        }
    }
    Ok(())
}
