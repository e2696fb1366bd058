//! Compare and swap.

use serde_json::json;
use tolov_domain::ports::{
    PortError,
    documents::{Key, Put, Query},
};

use super::world::{
    CATEGORIES, COLLECTIONS, DocumentsWorld, PROMO_CODES, STAFF, USERS, body, change, create, numbers, read,
    readable,
};

pub async fn a_new_document_has_version_1_and_every_write_adds_1(
    world: &dyn DocumentsWorld,
) -> anyhow::Result<()> {
    let store = world.documents().await;
    assert_eq!(store.get(STAFF, &Key::Number(7)).await?, None);
    create(&*store, STAFF, 7, json!({ "count": 1 })).await?;
    for seen in 1..=4 {
        change(&*store, STAFF, 7, seen, json!({ "count": seen + 1 })).await?;
        let kept = read(&*world.documents().await, STAFF, 7).await?;
        assert_eq!((kept.key, kept.version), (Key::Number(7), seen + 1));
        assert_eq!(kept.body, body(json!({ "count": seen + 1 }))?);
    }
    Ok(())
}

pub async fn creating_a_document_that_exists_conflicts(world: &dyn DocumentsWorld) -> anyhow::Result<()> {
    let store = world.documents().await;
    create(&*store, STAFF, 7, json!({ "name": "first" })).await?;
    let before = read(&*store, STAFF, 7).await?;
    let again = store.put(STAFF, &Key::Number(7), None, &body(json!({ "name": "second" }))?).await?;
    assert_eq!(again, Put::Conflict);
    assert_eq!(read(&*store, STAFF, 7).await?, before);
    Ok(())
}

pub async fn a_write_that_saw_another_version_conflicts_and_changes_nothing(
    world: &dyn DocumentsWorld,
) -> anyhow::Result<()> {
    let store = world.documents().await;
    let late = body(json!({ "name": "late" }))?;
    assert_eq!(store.put(STAFF, &Key::Number(7), Some(1), &late).await?, Put::Conflict, "not there");
    assert_eq!(store.get(STAFF, &Key::Number(7)).await?, None);
    create(&*store, STAFF, 7, json!({ "name": "first" })).await?;
    change(&*store, STAFF, 7, 1, json!({ "name": "second" })).await?;
    for seen in [Some(0), Some(1), Some(3), Some(i64::MAX), None] {
        assert_eq!(store.put(STAFF, &Key::Number(7), seen, &late).await?, Put::Conflict, "{seen:?}");
    }
    let kept = read(&*store, STAFF, 7).await?;
    assert_eq!((kept.version, kept.body), (2, body(json!({ "name": "second" }))?));
    Ok(())
}

pub async fn one_of_many_parallel_writers_wins(world: &dyn DocumentsWorld) -> anyhow::Result<()> {
    for seen in [None, Some(1), Some(2)] {
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..8 {
            let store = world.documents().await;
            let fields = body(json!({ "writer": writer }))?;
            writers.spawn(async move {
                let put = store.put(STAFF, &Key::Number(7), seen, &fields).await?;
                Ok::<_, PortError>((put, fields))
            });
        }
        let mut done = Vec::new();
        while let Some(put) = writers.join_next().await {
            match put?? {
                (Put::Done(version), fields) => done.push((version, fields)),
                (Put::Conflict, _) => {}
            }
        }
        let kept = read(&*world.documents().await, STAFF, 7).await?;
        assert_eq!(kept.version, seen.unwrap_or_default() + 1);
        assert_eq!(done, [(kept.version, kept.body)], "saw {seen:?}");
    }
    Ok(())
}

pub async fn no_increment_of_parallel_writers_that_retry_is_lost(
    world: &dyn DocumentsWorld,
) -> anyhow::Result<()> {
    const WRITERS: i64 = 8;
    const INCREMENTS: i64 = 10;
    let first = world.documents().await;
    create(&*first, STAFF, 7, json!({ "count": 0 })).await?;
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..WRITERS {
        let store = world.documents().await;
        writers.spawn(async move {
            let mut left = INCREMENTS;
            while left > 0 {
                let seen = read(&*store, STAFF, 7).await?;
                let count = seen.body.get("count").and_then(serde_json::Value::as_i64).unwrap_or_default();
                let fields = body(json!({ "count": count + 1 }))?;
                if store.put(STAFF, &seen.key, Some(seen.version), &fields).await? != Put::Conflict {
                    left -= 1;
                }
            }
            anyhow::Ok(())
        });
    }
    while let Some(outcome) = writers.join_next().await {
        outcome??;
    }
    let kept = read(&*first, STAFF, 7).await?;
    assert_eq!(kept.body, body(json!({ "count": WRITERS * INCREMENTS }))?);
    assert_eq!(kept.version, WRITERS * INCREMENTS + 1);
    Ok(())
}

pub async fn a_removal_needs_the_current_version(world: &dyn DocumentsWorld) -> anyhow::Result<()> {
    let store = world.documents().await;
    let key = Key::from("AYDIM");
    assert!(!store.remove(PROMO_CODES, &key, 1).await?, "not there");
    create(&*store, PROMO_CODES, "AYDIM", json!({ "used": 0 })).await?;
    change(&*store, PROMO_CODES, "AYDIM", 1, json!({ "used": 1 })).await?;
    for seen in [0, 1, 3] {
        assert!(!store.remove(PROMO_CODES, &key, seen).await?, "saw {seen}");
    }
    assert_eq!(read(&*store, PROMO_CODES, "AYDIM").await?.version, 2);
    assert!(store.remove(PROMO_CODES, &key, 2).await?);
    assert_eq!(world.documents().await.get(PROMO_CODES, &key).await?, None);
    assert!(!store.remove(PROMO_CODES, &key, 2).await?, "removed before");
    Ok(())
}

pub async fn a_removed_document_can_be_created_again(world: &dyn DocumentsWorld) -> anyhow::Result<()> {
    let store = world.documents().await;
    for name in ["first", "second"] {
        create(&*store, USERS, 7, json!({ "referrer_id": 5551, "name": name })).await?;
        change(&*store, USERS, 7, 1, json!({ "referrer_id": 5551, "name": name })).await?;
        let found = readable(store.find(&Query::is(USERS, "referrer_id", 5551, 10)).await?)?;
        assert_eq!(found, [read(&*store, USERS, 7).await?]);
        assert!(store.remove(USERS, &Key::Number(7), 2).await?);
    }
    Ok(())
}

pub async fn documents_are_read_by_their_keys_each_once(world: &dyn DocumentsWorld) -> anyhow::Result<()> {
    let store = world.documents().await;
    for key in [3, 1, 2, 5] {
        create(&*store, STAFF, key, json!({ "name": key.to_string() })).await?;
    }
    create(&*store, PROMO_CODES, "B", json!({})).await?;
    create(&*store, PROMO_CODES, "A", json!({})).await?;
    let found = readable(store.get_many(STAFF, &numbers(&[5, 4, 3, 5, 1, 3])).await?)?;
    let keys: Vec<_> = found.iter().map(|document| document.key.clone()).collect();
    assert_eq!(keys, numbers(&[1, 3, 5]), "by key");
    for document in found {
        assert_eq!(document, read(&*store, STAFF, document.key.clone()).await?);
    }
    let codes = readable(store.get_many(PROMO_CODES, &["B", "C", "A"].map(Key::from)).await?)?;
    let codes: Vec<_> = codes.into_iter().map(|document| document.key).collect();
    assert_eq!(codes, ["A", "B"].map(Key::from));
    assert_eq!(store.get_many(STAFF, &[]).await?, []);
    assert_eq!(store.get_many(STAFF, &[Key::from("3")]).await?, [], "a text is not a number");
    Ok(())
}

pub async fn collections_do_not_share_documents(world: &dyn DocumentsWorld) -> anyhow::Result<()> {
    let store = world.documents().await;
    for (index, collection) in (1_i64..).zip(COLLECTIONS) {
        create(&*store, collection, 7, json!({ "index": index })).await?;
        for version in 1..index {
            change(&*store, collection, 7, version, json!({ "index": index })).await?;
        }
    }
    assert!(store.remove(CATEGORIES, &Key::Number(7), 1).await?);
    for (index, collection) in (1_i64..).zip(COLLECTIONS).skip(1) {
        let kept = read(&*store, collection, 7).await?;
        assert_eq!((kept.version, kept.body), (index, body(json!({ "index": index }))?), "{collection:?}");
        assert_eq!(store.count(&Query::all(collection, 1)).await?, 1);
    }
    assert_eq!(store.count(&Query::all(CATEGORIES, 1)).await?, 0);
    Ok(())
}

pub async fn a_body_that_no_store_can_keep_is_refused(world: &dyn DocumentsWorld) -> anyhow::Result<()> {
    let store = world.documents().await;
    for fields in [
        json!({ "price": 1.5 }),
        json!({ "lines": [{ "price": 1.0 }] }),
        json!({ "price": u64::MAX }),
        json!({ "version": 3 }),
        json!({ "_id": 3 }),
        json!({ "title": { "a.b": "x" } }),
        json!({ "$set": { "a": 1 } }),
        json!({ "placed_at": i64::MAX }),
    ] {
        let refused = store.put(STAFF, &Key::Number(7), None, &body(fields.clone())?).await;
        assert!(matches!(refused, Err(PortError::Refused(_))), "{fields}: {refused:?}");
    }
    assert_eq!(store.get(STAFF, &Key::Number(7)).await?, None);
    Ok(())
}
