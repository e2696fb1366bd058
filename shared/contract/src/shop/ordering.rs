//! Orders, as the bot places and shows them.

use tolov_domain::{
    OrderId, UserId,
    order::OrderStatus,
    ports::{documents::Sequence, shop::Recorded},
};

use super::{
    ShopWorld,
    facts::{at, order, purchase, user},
};

pub async fn order_numbers_are_unique_and_grow_under_parallel_callers(
    world: &dyn ShopWorld,
) -> anyhow::Result<()> {
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let store = world.store().await;
        callers.spawn(async move {
            let mut numbers = Vec::new();
            for _ in 0..25 {
                numbers.push(store.next_order_id().await?);
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
    let last = all.iter().copied().max();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 200, "no number was given out twice");
    assert!(Some(world.store().await.next_order_id().await?) > last);
    Ok(())
}

/// A store that was rebuilt from the ledger's events must not give a new order the number of an old one: the ledger
/// would refuse it, or worse, take it for the old one.
pub async fn a_number_that_an_event_has_brought_is_never_given_out(
    world: &dyn ShopWorld,
) -> anyhow::Result<()> {
    let store = world.store().await;
    let first = store.next_order_id().await?;
    let ahead = purchase(first.get() + 500, 5551, &[(7, 1)])?;
    let behind = purchase(first.get(), 5551, &[(7, 1)])?;
    store.apply(&[ahead.completed(0)?, behind.expired(0)?]).await?;
    let next = store.next_order_id().await?;
    assert!(next > ahead.order_id, "{next} after {} was known", ahead.order_id);
    Ok(())
}

pub async fn a_placed_order_is_kept_as_it_was_put_down(world: &dyn ShopWorld) -> anyhow::Result<()> {
    let store = world.store().await;
    let placed = purchase(1024, 5551, &[(9, 1), (7, 2)])?.new_order()?;
    assert_eq!(store.place_order(&placed).await?, Recorded::Now);
    let kept = order(&*world.store().await, placed.id).await?;
    assert_eq!(kept.id, placed.id);
    assert_eq!(kept.user_id, placed.user_id);
    assert_eq!(kept.lines, placed.lines, "in their order, with the names and prices of the moment");
    assert_eq!(kept.total, placed.total);
    assert_eq!(kept.created_at, placed.created_at);
    assert_eq!(kept.status, OrderStatus::Pending);
    assert_eq!(kept.payment, None);
    assert_eq!(kept.history, []);
    Ok(())
}

pub async fn an_order_is_placed_once_however_often_it_is_asked_for(
    world: &dyn ShopWorld,
) -> anyhow::Result<()> {
    let first = purchase(1024, 5551, &[(7, 2)])?.new_order()?;
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let (store, placed) = (world.store().await, first.clone());
        callers.spawn(async move { store.place_order(&placed).await });
    }
    let mut recorded_now = 0;
    while let Some(recorded) = callers.join_next().await {
        recorded_now += usize::from(recorded?? == Recorded::Now);
    }
    assert_eq!(recorded_now, 1);
    let store = world.store().await;
    let other = purchase(1024, 5551, &[(8, 5)])?.new_order()?;
    assert_eq!(store.place_order(&other).await?, Recorded::Before);
    let kept = order(&*store, first.id).await?;
    assert_eq!((kept.lines, kept.total), (first.lines, first.total), "the first one stays");
    Ok(())
}

pub async fn an_order_made_from_an_event_is_left_as_it_is_when_it_is_placed(
    world: &dyn ShopWorld,
) -> anyhow::Result<()> {
    let store = world.store().await;
    let bought = purchase(1024, 5551, &[(7, 2)])?;
    store.apply(&[bought.completed(60)?]).await?;
    let made = order(&*store, bought.order_id).await?;
    assert_eq!(store.place_order(&bought.new_order()?).await?, Recorded::Before);
    assert_eq!(order(&*store, bought.order_id).await?, made);
    assert_eq!(made.status, OrderStatus::Paid);
    Ok(())
}

pub async fn a_shoppers_orders_come_newest_first_in_pages(world: &dyn ShopWorld) -> anyhow::Result<()> {
    let store = world.store().await;
    for (order, user) in [(3, 5551), (1, 5551), (2, 6662), (5, 5551), (4, 5551)] {
        store.place_order(&purchase(order, user, &[(7, 1)])?.new_order()?).await?;
    }
    let shopper = UserId::try_new(5551)?;
    for (skip, limit, expected) in
        [(0, 10, vec![5, 4, 3, 1]), (0, 2, vec![5, 4]), (2, 2, vec![3, 1]), (3, 2, vec![1]), (4, 2, vec![])]
    {
        let page = store.orders_of(shopper, skip, limit).await?;
        let numbers: Vec<_> = page.iter().map(|order| order.id.get()).collect();
        assert_eq!(numbers, expected, "skip {skip}, limit {limit}");
        assert!(page.iter().all(|order| order.user_id == shopper && order.lines.len() == 1));
    }
    Ok(())
}

pub async fn an_unknown_order_is_none(world: &dyn ShopWorld) -> anyhow::Result<()> {
    let store = world.store().await;
    assert_eq!(store.order(OrderId::try_new(1024)?).await?, None);
    let placed = purchase(1025, 5551, &[(7, 1)])?;
    placed.check_out(&*store).await?;
    assert_eq!(store.order(OrderId::try_new(1024)?).await?, None);
    assert_eq!(order(&*store, placed.order_id).await?.created_at, at(1025));
    assert_eq!(
        user(&*store, placed.user_id).await?.order_count,
        0,
        "an order that is not paid does not count"
    );
    Ok(())
}

pub async fn order_numbers_and_sequences_do_not_move_each_other(world: &dyn ShopWorld) -> anyhow::Result<()> {
    let store = world.store().await;
    let first = store.next_order_id().await?;
    for number in 1..=5 {
        for sequence in
            [Sequence::Categories, Sequence::Articles, Sequence::StaffActions, Sequence::Broadcasts]
        {
            assert_eq!(store.next_number(sequence).await?, number);
        }
    }
    assert_eq!(store.next_order_id().await?.get(), first.get() + 1);
    Ok(())
}
