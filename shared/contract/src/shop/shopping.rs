//! Shoppers and their carts.

use tolov_domain::{Language, Phone, UserId, ports::shop::Recorded};

use super::{
    ShopWorld,
    facts::{cart, product, user},
};

pub async fn a_shopper_is_met_once_and_keeps_what_is_known(world: &dyn ShopWorld) -> anyhow::Result<()> {
    let shopper = UserId::try_new(5551)?;
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let store = world.store().await;
        callers.spawn(async move { store.meet(shopper, Some(Language::Ru)).await });
    }
    let mut recorded_now = 0;
    while let Some(recorded) = callers.join_next().await {
        recorded_now += usize::from(recorded?? == Recorded::Now);
    }
    assert_eq!(recorded_now, 1);
    let store = world.store().await;
    store.set_cart_line(shopper, product(7, 2)?).await?;
    let before = user(&*store, shopper).await?;
    assert_eq!(store.meet(shopper, Some(Language::En)).await?, Recorded::Before);
    assert_eq!(store.meet(shopper, None).await?, Recorded::Before);
    assert_eq!(user(&*store, shopper).await?, before);
    assert_eq!((before.language, before.phone, before.order_count), (Some(Language::Ru), None, 0));
    Ok(())
}

pub async fn a_shopper_who_was_never_met_is_none(world: &dyn ShopWorld) -> anyhow::Result<()> {
    let store = world.store().await;
    store.meet(UserId::try_new(5551)?, None).await?;
    assert_eq!(store.user(UserId::try_new(5552)?).await?, None);
    assert_eq!(user(&*store, UserId::try_new(5551)?).await?.language, None);
    Ok(())
}

pub async fn the_language_is_the_one_chosen_last(world: &dyn ShopWorld) -> anyhow::Result<()> {
    let store = world.store().await;
    let shopper = UserId::try_new(5551)?;
    store.meet(shopper, Some(Language::Ru)).await?;
    for language in Language::ALL {
        store.set_language(shopper, language).await?;
        assert_eq!(user(&*store, shopper).await?.language, Some(language));
    }
    Ok(())
}

pub async fn a_cart_line_is_replaced_and_zero_takes_it_out(world: &dyn ShopWorld) -> anyhow::Result<()> {
    let store = world.store().await;
    let shopper = UserId::try_new(5551)?;
    store.meet(shopper, None).await?;
    for (id, count, expected) in [
        (7, 1, vec![(7, 1)]),
        (8, 2, vec![(7, 1), (8, 2)]),
        (7, 5, vec![(7, 5), (8, 2)]),
        (7, 5, vec![(7, 5), (8, 2)]),
        (9, 0, vec![(7, 5), (8, 2)]),
        (7, 0, vec![(8, 2)]),
        (7, 0, vec![(8, 2)]),
        (7, 1, vec![(7, 1), (8, 2)]),
    ] {
        store.set_cart_line(shopper, product(id, count)?).await?;
        assert_eq!(cart(&*store, shopper).await?, expected, "after {count} of {id}");
    }
    Ok(())
}

pub async fn carts_of_two_shoppers_are_apart(world: &dyn ShopWorld) -> anyhow::Result<()> {
    let store = world.store().await;
    let (first, second) = (UserId::try_new(5551)?, UserId::try_new(6662)?);
    for shopper in [first, second] {
        store.meet(shopper, None).await?;
    }
    store.set_cart_line(first, product(7, 1)?).await?;
    store.set_cart_line(second, product(7, 2)?).await?;
    store.set_cart_line(second, product(7, 0)?).await?;
    assert_eq!(cart(&*store, first).await?, [(7, 1)]);
    assert_eq!(cart(&*store, second).await?, []);
    Ok(())
}

pub async fn a_cart_is_emptied_and_nothing_else_of_its_shopper_changes(
    world: &dyn ShopWorld,
) -> anyhow::Result<()> {
    let store = world.store().await;
    let (shopper, other, stranger) = (UserId::try_new(5551)?, UserId::try_new(6662)?, UserId::try_new(7773)?);
    for known in [shopper, other] {
        store.meet(known, Some(Language::Uz)).await?;
        store.set_cart_line(known, product(7, 1)?).await?;
        store.set_cart_line(known, product(8, 2)?).await?;
    }
    let before = user(&*store, shopper).await?;
    for _ in 0..2 {
        store.clear_cart(shopper).await?;
        let after = user(&*store, shopper).await?;
        assert_eq!(after, tolov_domain::order::User { cart: Vec::new(), ..before.clone() });
    }
    assert_eq!(cart(&*store, other).await?, [(7, 1), (8, 2)]);
    store.set_cart_line(shopper, product(9, 3)?).await?;
    assert_eq!(cart(&*store, shopper).await?, [(9, 3)]);
    store.clear_cart(stranger).await?;
    assert_eq!(store.user(stranger).await?, None, "nobody becomes known by an empty cart");
    Ok(())
}

pub async fn the_phone_is_the_one_given_last(world: &dyn ShopWorld) -> anyhow::Result<()> {
    let store = world.store().await;
    let shopper = UserId::try_new(5551)?;
    // Whether or not the shopper was met.
    for text in ["+998 90 123 45 67", "+998 91 765 43 21"] {
        let phone = Phone::parse(text)?;
        store.set_phone(shopper, &phone).await?;
        assert_eq!(user(&*store, shopper).await?.phone.as_deref(), Some(phone.as_str()));
        store.meet(shopper, Some(Language::Ru)).await?;
        store.set_language(shopper, Language::En).await?;
        store.set_cart_line(shopper, product(7, 1)?).await?;
        assert_eq!(user(&*store, shopper).await?.phone.as_deref(), Some(phone.as_str()), "it stays");
    }
    let kept = user(&*store, shopper).await?;
    assert_eq!((kept.language, cart(&*store, shopper).await?), (Some(Language::En), vec![(7, 1)]));
    Ok(())
}
