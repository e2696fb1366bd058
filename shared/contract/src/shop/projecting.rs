//! What events do to orders, carts and counts.

use tolov_domain::{
    Event,
    order::{Order, OrderStatus, User},
    payment::Anomaly,
    ports::shop::ShopStore,
};

use super::{
    ShopWorld,
    facts::{Purchase, at, cart, order, product, purchase, told, user},
};

pub async fn a_payment_leaves_its_facts_with_the_order(world: &dyn ShopWorld) -> anyhow::Result<()> {
    let store = world.store().await;
    let bought = purchase(1024, 5551, &[(7, 2)])?;
    bought.check_out(&*store).await?;
    let answered = store.apply(&[bought.completed(60)?]).await?;
    let paid = order(&*store, bought.order_id).await?;
    assert_eq!(answered, std::slice::from_ref(&paid));
    assert_eq!(paid.status, OrderStatus::Paid);
    assert_eq!(paid.lines, bought.new_order()?.lines, "names and prices are those of checkout");
    let facts = paid.payment.map(|facts| (facts.click_trans_id.get(), facts.click_paydoc_id.get()));
    assert_eq!(facts, Some((3_600_001_024, 3_024)));
    assert_eq!(paid.payment.map(|facts| (facts.paid_at, facts.late)), Some((at(60), false)));
    assert_eq!(user(&*store, bought.user_id).await?.order_count, 1);
    Ok(())
}

pub async fn a_payment_takes_what_was_bought_out_of_the_cart_and_leaves_later_additions(
    world: &dyn ShopWorld,
) -> anyhow::Result<()> {
    let store = world.store().await;
    let bought = purchase(1024, 5551, &[(7, 2), (8, 1)])?;
    bought.check_out(&*store).await?;
    store.set_cart_line(bought.user_id, product(7, 5)?).await?;
    store.set_cart_line(bought.user_id, product(9, 4)?).await?;
    assert_eq!(cart(&*store, bought.user_id).await?, [(7, 5), (8, 1), (9, 4)]);
    store.apply(&[bought.completed(60)?]).await?;
    assert_eq!(cart(&*store, bought.user_id).await?, [(7, 3), (9, 4)]);
    Ok(())
}

pub async fn a_cart_line_that_would_sink_to_zero_or_below_vanishes(
    world: &dyn ShopWorld,
) -> anyhow::Result<()> {
    let store = world.store().await;
    // The shopper took pieces out after checkout; product 8 comes in two lines of the order.
    let bought = purchase(1024, 5551, &[(7, 3), (8, 1), (8, 1), (9, 1)])?;
    bought.check_out(&*store).await?;
    for (id, count) in [(7, 1), (8, 2), (9, 0), (10, 1)] {
        store.set_cart_line(bought.user_id, product(id, count)?).await?;
    }
    store.apply(&[bought.completed(60)?]).await?;
    assert_eq!(cart(&*store, bought.user_id).await?, [(10, 1)]);
    Ok(())
}

pub async fn a_repeated_payment_has_one_effect(world: &dyn ShopWorld) -> anyhow::Result<()> {
    let store = world.store().await;
    let bought = purchase(1024, 5551, &[(7, 2)])?;
    bought.check_out(&*store).await?;
    let first = store.apply(&[bought.completed(60)?]).await?;
    store.set_cart_line(bought.user_id, product(7, 2)?).await?;
    for _ in 0..3 {
        assert_eq!(store.apply(&[bought.completed(60)?]).await?, first);
    }
    assert_eq!(cart(&*store, bought.user_id).await?, [(7, 2)], "what was put in after the payment stays");
    assert_eq!(user(&*store, bought.user_id).await?.order_count, 1);
    assert_eq!(told(&order(&*store, bought.order_id).await?), ["payment.completed"]);
    Ok(())
}

pub async fn one_batch_may_hold_the_same_event_twice(world: &dyn ShopWorld) -> anyhow::Result<()> {
    let store = world.store().await;
    let bought = purchase(1024, 5551, &[(7, 2)])?;
    bought.check_out(&*store).await?;
    store.set_cart_line(bought.user_id, product(7, 5)?).await?;
    let event = bought.completed(60)?;
    let answered = store.apply(&[event.clone(), event.clone(), event]).await?;
    assert_eq!(answered.len(), 3);
    assert!(answered.iter().all(|answer| *answer == answered[0] && answer.status == OrderStatus::Paid));
    assert_eq!(cart(&*store, bought.user_id).await?, [(7, 3)]);
    assert_eq!(user(&*store, bought.user_id).await?.order_count, 1);
    assert_eq!(told(&answered[0]), ["payment.completed"]);
    Ok(())
}

pub async fn several_orders_of_one_shopper_in_one_batch_all_count(
    world: &dyn ShopWorld,
) -> anyhow::Result<()> {
    let store = world.store().await;
    let mut events = Vec::new();
    for number in 1..=4 {
        let bought = purchase(number, 5551, &[(7, 2), (number + 10, 1)])?;
        // The fourth order is one that the store never saw.
        if number < 4 {
            bought.check_out(&*store).await?;
        }
        events.push(bought.completed(60 + number)?);
    }
    let shopper = events[0].user_id;
    store.set_cart_line(shopper, product(7, 9)?).await?;
    let answered = store.apply(&events).await?;
    assert!(answered.iter().all(|order| order.status == OrderStatus::Paid), "{answered:?}");
    assert_eq!(user(&*store, shopper).await?.order_count, 4);
    assert_eq!(cart(&*store, shopper).await?, [(7, 1)]);
    Ok(())
}

pub async fn every_kind_of_event_leaves_one_entry_in_the_history(
    world: &dyn ShopWorld,
) -> anyhow::Result<()> {
    let store = world.store().await;
    let bought = purchase(1024, 5551, &[(7, 2)])?;
    bought.check_out(&*store).await?;
    let events = [
        bought.cancelled(1, 10)?,
        bought.cancelled(2, 20)?,
        bought.expired(30)?,
        bought.completed_at(40, true)?,
        bought.questioned(Anomaly::CancelAfterPaid, 50)?,
    ];
    for event in &events {
        for _ in 0..2 {
            store.apply(std::slice::from_ref(event)).await?;
        }
    }
    let history = order(&*store, bought.order_id).await?.history;
    assert_eq!(history.len(), events.len());
    for (entry, event) in history.iter().zip(&events) {
        assert_eq!((&entry.event_id, entry.at), (&event.id, event.occurred_at));
        assert_eq!(entry.what, event.kind.name());
    }
    Ok(())
}

pub async fn the_history_is_oldest_first_in_whatever_order_events_came(
    world: &dyn ShopWorld,
) -> anyhow::Result<()> {
    let store = world.store().await;
    let bought = purchase(1024, 5551, &[(7, 2)])?;
    bought.check_out(&*store).await?;
    store.apply(&[bought.questioned(Anomaly::PaidTwice, 50)?, bought.completed(40)?]).await?;
    store.apply(&[bought.cancelled(1, 10)?]).await?;
    let history = order(&*store, bought.order_id).await?;
    assert_eq!(told(&history), ["payment.cancelled", "payment.completed", "payment.questioned"]);
    Ok(())
}

pub async fn a_pending_order_expires(world: &dyn ShopWorld) -> anyhow::Result<()> {
    let store = world.store().await;
    let bought = purchase(1024, 5551, &[(7, 2)])?;
    bought.check_out(&*store).await?;
    let answered = store.apply(&[bought.expired(60)?]).await?;
    assert_eq!(answered[0].status, OrderStatus::Expired);
    assert_eq!(order(&*store, bought.order_id).await?, answered[0]);
    assert_eq!(cart(&*store, bought.user_id).await?, [(7, 2)], "nothing was bought");
    assert_eq!(user(&*store, bought.user_id).await?.order_count, 0);
    Ok(())
}

pub async fn paid_wins_over_expired_in_both_orders_of_arrival(world: &dyn ShopWorld) -> anyhow::Result<()> {
    let store = world.store().await;
    let purchases: Vec<_> =
        (1..=4).map(|number| purchase(number, 5000 + number, &[(7, 2)])).collect::<anyhow::Result<_>>()?;
    for bought in &purchases {
        bought.check_out(&*store).await?;
    }
    let both = |bought: &Purchase| anyhow::Ok((bought.expired(30)?, bought.completed_at(40, true)?));
    let (expired, completed) = both(&purchases[0])?;
    store.apply(&[expired, completed]).await?;
    let (expired, completed) = both(&purchases[1])?;
    store.apply(&[completed, expired]).await?;
    let (expired, completed) = both(&purchases[2])?;
    store.apply(&[expired]).await?;
    store.apply(&[completed]).await?;
    let (expired, completed) = both(&purchases[3])?;
    store.apply(&[completed]).await?;
    store.apply(&[expired]).await?;
    for bought in &purchases {
        let paid = order(&*store, bought.order_id).await?;
        assert_eq!(paid.status, OrderStatus::Paid, "{paid:?}");
        assert_eq!(paid.payment.map(|facts| facts.late), Some(true));
        assert_eq!(told(&paid), ["order.expired", "payment.completed"]);
        assert_eq!(user(&*store, bought.user_id).await?.order_count, 1);
        assert_eq!(cart(&*store, bought.user_id).await?, []);
    }
    Ok(())
}

pub async fn a_cancelled_or_questioned_payment_changes_the_history_alone(
    world: &dyn ShopWorld,
) -> anyhow::Result<()> {
    let store = world.store().await;
    let pending = purchase(1, 5551, &[(7, 2)])?;
    let paid = purchase(2, 5551, &[(8, 2)])?;
    for bought in [&pending, &paid] {
        bought.check_out(&*store).await?;
    }
    store.apply(&[paid.completed(20)?]).await?;
    for bought in [&pending, &paid] {
        let before = order(&*store, bought.order_id).await?;
        store.apply(&[bought.cancelled(1, 30)?, bought.questioned(Anomaly::AmountDiffers, 40)?]).await?;
        let after = order(&*store, bought.order_id).await?;
        assert!(told(&after).ends_with(&["payment.cancelled", "payment.questioned"]), "{after:?}");
        assert_eq!(Order { history: before.history.clone(), ..after }, before);
    }
    assert_eq!(cart(&*store, pending.user_id).await?, [(7, 2)]);
    assert_eq!(user(&*store, pending.user_id).await?.order_count, 1);
    Ok(())
}

pub async fn an_unknown_order_and_its_shopper_are_made_from_the_event(
    world: &dyn ShopWorld,
) -> anyhow::Result<()> {
    let store = world.store().await;
    let unknown: Vec<_> = (1..=4)
        .map(|number| purchase(number, 5000 + number, &[(9, 1), (7, 2)]))
        .collect::<anyhow::Result<_>>()?;
    let events = [
        unknown[0].completed(10)?,
        unknown[1].expired(20)?,
        unknown[2].cancelled(1, 30)?,
        unknown[3].questioned(Anomaly::TransactionReused, 40)?,
    ];
    store.apply(&events).await?;
    let expected = [OrderStatus::Paid, OrderStatus::Expired, OrderStatus::Pending, OrderStatus::Pending];
    for ((bought, event), status) in unknown.iter().zip(&events).zip(expected) {
        let made = order(&*store, bought.order_id).await?;
        assert_eq!((made.user_id, made.total, made.status), (bought.user_id, bought.total()?, status));
        let lines: Vec<_> = made.lines.iter().map(|line| (line.product_id, line.count)).collect();
        let products: Vec<_> = bought.products.iter().map(|line| (line.product_id, line.count)).collect();
        assert_eq!(lines, products);
        assert_eq!(told(&made), [event.kind.name()]);
        let shopper = user(&*store, bought.user_id).await?;
        assert_eq!(shopper.order_count, u32::from(status == OrderStatus::Paid));
        assert_eq!((shopper.cart, shopper.phone), (vec![], None));
    }
    Ok(())
}

pub async fn each_event_is_answered_with_its_order_in_the_order_given(
    world: &dyn ShopWorld,
) -> anyhow::Result<()> {
    let store = world.store().await;
    let purchases: Vec<_> = (1..=20)
        .map(|number| purchase(number, 5000 + number % 3, &[(7, 1)]))
        .collect::<anyhow::Result<_>>()?;
    for bought in &purchases {
        bought.check_out(&*store).await?;
    }
    let mut events = Vec::new();
    for bought in purchases.iter().rev() {
        events.push(bought.cancelled(1, 10)?);
        events.push(bought.completed(20)?);
    }
    let answered = store.apply(&events).await?;
    assert_eq!(answered.len(), events.len());
    for (event, answer) in events.iter().zip(&answered) {
        assert_eq!(event.order_id, answer.id);
        assert_eq!(answer.lines, purchase(answer.id.get(), 1, &[(7, 1)])?.new_order()?.lines);
    }
    Ok(())
}

pub async fn an_empty_batch_needs_no_answer(world: &dyn ShopWorld) -> anyhow::Result<()> {
    assert_eq!(world.store().await.apply(&[]).await?, []);
    Ok(())
}

pub async fn shuffled_and_repeated_events_end_where_ordered_ones_do(
    world: &dyn ShopWorld,
) -> anyhow::Result<()> {
    let store = world.store().await;
    let straight = play(&*store, 0, |events| events.chunks(1).map(<[Event]>::to_vec).collect()).await?;
    for round in 1..=12_u32 {
        let shuffled = play(&*store, round, |events| shuffled_batches(events, round)).await?;
        assert_eq!(shuffled, straight, "round {round}");
    }
    Ok(())
}

pub async fn two_projectors_with_the_same_events_have_one_effect(
    world: &dyn ShopWorld,
) -> anyhow::Result<()> {
    let store = world.store().await;
    let purchases: Vec<_> = (1..=12)
        .map(|number| purchase(number, 5000 + number % 2, &[(7, 1)]))
        .collect::<anyhow::Result<_>>()?;
    for bought in purchases.iter().skip(3) {
        bought.check_out(&*store).await?;
    }
    for shopper in [5000, 5001] {
        store.set_cart_line(purchase(1, shopper, &[])?.user_id, product(7, 10)?).await?;
    }
    let events: Vec<_> =
        purchases.iter().map(|bought| bought.completed(60)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut projectors = tokio::task::JoinSet::new();
    for projector in 0..4 {
        let (store, mut events) = (world.store().await, events.clone());
        events.rotate_left(projector * 3);
        projectors.spawn(async move {
            for batch in events.chunks(5) {
                store.apply(batch).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(applied) = projectors.join_next().await {
        applied??;
    }
    for shopper in [5000, 5001] {
        let shopper = purchase(1, shopper, &[])?.user_id;
        assert_eq!(user(&*store, shopper).await?.order_count, 6);
        assert_eq!(cart(&*store, shopper).await?, [(7, 4)]);
    }
    for bought in &purchases {
        assert_eq!(told(&order(&*store, bought.order_id).await?), ["payment.completed"]);
    }
    Ok(())
}

/// Where the orders and the shoppers of a play stand at its end; numbers do not appear, so that plays compare.
type Ending = (Vec<(OrderStatus, Option<bool>, Vec<String>)>, Vec<(u32, Vec<(i64, u32)>)>);

/// Two shoppers and five orders of their own a round; `batches` decides how the events arrive.
async fn play(
    store: &dyn ShopStore,
    round: u32,
    batches: impl Fn(&[Event]) -> Vec<Vec<Event>>,
) -> anyhow::Result<Ending> {
    let base = i64::from(round) * 10;
    let purchases = [
        purchase(base + 1, base + 1, &[(7, 2)])?,
        purchase(base + 2, base + 1, &[(7, 1), (8, 1)])?,
        purchase(base + 3, base + 2, &[(8, 3)])?,
        purchase(base + 4, base + 2, &[(9, 1)])?,
        purchase(base + 5, base + 2, &[(7, 1)])?,
    ];
    for bought in &purchases[..4] {
        store.place_order(&bought.new_order()?).await?;
    }
    let shoppers = [purchases[0].user_id, purchases[2].user_id];
    for shopper in shoppers {
        store.meet(shopper, None).await?;
        for id in [7, 8, 9] {
            store.set_cart_line(shopper, product(id, 3)?).await?;
        }
    }
    let [first, second, third, fourth, fifth] = &purchases;
    let events = [
        first.cancelled(1, 10)?,
        first.completed(20)?,
        second.expired(30)?,
        second.completed_at(40, true)?,
        third.completed(50)?,
        third.questioned(Anomaly::PaidTwice, 60)?,
        fourth.expired(70)?,
        fifth.completed(80)?,
    ];
    for batch in batches(&events) {
        store.apply(&batch).await?;
    }
    let mut orders = Vec::new();
    for bought in &purchases {
        let order = order(store, bought.order_id).await?;
        let history = told(&order).into_iter().map(str::to_owned).collect();
        orders.push((order.status, order.payment.map(|facts| facts.late), history));
    }
    let mut users = Vec::new();
    for shopper in shoppers {
        let User { order_count, .. } = user(store, shopper).await?;
        users.push((order_count, cart(store, shopper).await?));
    }
    Ok((orders, users))
}

/// Every event twice, mixed, in batches of changing size; the same for the same seed.
fn shuffled_batches(events: &[Event], seed: u32) -> Vec<Vec<Event>> {
    let mut remaining: Vec<_> = events.iter().chain(events).cloned().collect();
    let mut shuffled = Vec::new();
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    while !remaining.is_empty() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // The low bits of this generator repeat soon; the high ones do not.
        let place = usize::try_from(state >> 16).unwrap_or(0) % remaining.len();
        shuffled.push(remaining.swap_remove(place));
    }
    let size = usize::try_from(seed % 5).unwrap_or(0) + 1;
    shuffled.chunks(size).map(<[Event]>::to_vec).collect()
}
