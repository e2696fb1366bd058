//! Many documents in one write.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tolov_domain::ports::{
    PortError,
    documents::{Key, Query, Version, Write, Written},
};

use super::world::{
    DIALOGUES, DocumentsWorld, ORDERS, PRODUCTS, STAFF, body, change, create, keys, numbers, read, readable,
};

fn write(key: impl Into<Key>, seen: Option<Version>, fields: Value) -> anyhow::Result<Write> {
    Ok(Write { key: key.into(), seen, body: body(fields)? })
}

pub async fn a_batch_creates_and_replaces_and_answers_in_the_order_given(
    world: &dyn DocumentsWorld,
) -> anyhow::Result<()> {
    let store = world.documents().await;
    create(&*store, STAFF, 2, json!({ "name": "old", "gone": true })).await?;
    create(&*store, STAFF, "2", json!({ "name": "text" })).await?;
    change(&*store, STAFF, "2", 1, json!({ "name": "text" })).await?;
    let batch = [
        write(3, None, json!({ "name": "three" }))?,
        write("2", Some(2), json!({ "name": "text, new" }))?,
        write(2, Some(1), json!({ "name": "two, new", "met_at": 1_000 }))?,
        write(1, None, json!({}))?,
        write(i64::MIN, None, json!({ "name": "O'zbekiston \u{1f35a} \"non\"" }))?,
        write("", None, json!({ "deep": [{ "at": i64::MAX }] }))?,
    ];
    let written = store.put_many(STAFF, &batch).await?;
    let versions: Vec<_> = written.into_iter().collect();
    assert_eq!(versions, [1, 3, 2, 1, 1, 1].map(Written::Done));
    for wanted in &batch {
        let document = read(&*world.documents().await, STAFF, wanted.key.clone()).await?;
        assert_eq!(document.body, wanted.body, "{}", wanted.key);
        assert_eq!(document.version, wanted.seen.unwrap_or_default() + 1);
    }
    assert_eq!(store.count(&Query::all(STAFF, 1)).await?, 6);
    Ok(())
}

pub async fn losers_of_a_batch_are_told_and_the_others_are_written(
    world: &dyn DocumentsWorld,
) -> anyhow::Result<()> {
    let store = world.documents().await;
    for key in 1..=4 {
        create(&*store, PRODUCTS, key, json!({ "category_id": 1, "holds": [] })).await?;
    }
    change(&*store, PRODUCTS, 2, 1, json!({ "category_id": 2, "holds": ["faster"] })).await?;
    assert!(store.remove(PRODUCTS, &Key::Number(3), 1).await?);
    let late = json!({ "category_id": 9, "holds": ["late"] });
    let batch = [
        write(1, Some(1), late.clone())?,
        write(2, Some(1), late.clone())?,
        write(3, Some(1), late.clone())?,
        write(4, None, late.clone())?,
        write(5, None, late.clone())?,
        write(6, Some(0), late.clone())?,
        write(7, Some(i64::MAX), late.clone())?,
    ];
    let written = store.put_many(PRODUCTS, &batch).await?;
    let (conflict, done) = (Written::Conflict, Written::Done);
    let expected =
        [done(2), conflict.clone(), conflict.clone(), conflict.clone(), done(1), conflict.clone(), conflict];
    assert_eq!(written, expected);
    for (key, version, category) in [(1, 2, 9), (2, 2, 2), (4, 1, 1), (5, 1, 9)] {
        let document = read(&*store, PRODUCTS, key).await?;
        assert_eq!(document.version, version, "{key}");
        assert_eq!(document.body.get("category_id"), Some(&json!(category)), "{key}");
    }
    assert_eq!(keys(&*store, &Query::all(PRODUCTS, 10)).await?, numbers(&[1, 2, 4, 5]));
    // Losers left no trace among the values that documents are found by.
    assert_eq!(keys(&*store, &Query::is(PRODUCTS, "category_id", 9, 10)).await?, numbers(&[1, 5]));
    assert_eq!(keys(&*store, &Query::is(PRODUCTS, "category_id", 1, 10)).await?, numbers(&[4]));
    Ok(())
}

/// The batch got through, its answer did not: the caller sends it again.
pub async fn a_batch_that_is_repeated_conflicts_and_changes_nothing(
    world: &dyn DocumentsWorld,
) -> anyhow::Result<()> {
    let store = world.documents().await;
    create(&*store, STAFF, 1, json!({ "count": 1 })).await?;
    let mut batch = vec![
        write(1, Some(1), json!({ "count": 2 }))?,
        write(2, None, json!({ "count": 1 }))?,
        write(3, None, json!({ "count": 1 }))?,
    ];
    let first = store.put_many(STAFF, &batch).await?;
    assert_eq!(first, [Written::Done(2), Written::Done(1), Written::Done(1)]);
    let before = readable(store.find(&Query::all(STAFF, 10)).await?)?;
    for _ in 0..2 {
        let again = world.documents().await.put_many(STAFF, &batch).await?;
        assert_eq!(again, [Written::Conflict, Written::Conflict, Written::Conflict]);
        assert_eq!(readable(store.find(&Query::all(STAFF, 10)).await?)?, before);
    }
    // What the batch before did not have is written all the same.
    batch.push(write(4, None, json!({ "count": 1 }))?);
    let longer = store.put_many(STAFF, &batch).await?;
    assert_eq!(longer, [Written::Conflict, Written::Conflict, Written::Conflict, Written::Done(1)]);
    Ok(())
}

pub async fn a_refused_body_does_not_affect_the_rest_of_its_batch(
    world: &dyn DocumentsWorld,
) -> anyhow::Result<()> {
    let store = world.documents().await;
    create(&*store, STAFF, 2, json!({ "name": "before" })).await?;
    let batch = [
        write(1, None, json!({ "price": 15_000 }))?,
        write(2, Some(1), json!({ "price": 1.5 }))?,
        write(3, None, json!({ "version": 3 }))?,
        write(4, None, json!({ "price": 15_000 }))?,
    ];
    let written = store.put_many(STAFF, &batch).await?;
    assert!(
        matches!(
            &written[..],
            [Written::Done(1), Written::Refused(fraction), Written::Refused(reserved), Written::Done(1)]
                if fraction.contains("price") && reserved.contains("version")
        ),
        "{written:?}"
    );
    let before = read(&*store, STAFF, 2).await?;
    assert_eq!((before.version, before.body), (1, body(json!({ "name": "before" }))?));
    assert_eq!(store.get(STAFF, &Key::Number(3)).await?, None);
    let refused = store.put_many(STAFF, &batch[1..2]).await?;
    assert!(matches!(refused[..], [Written::Refused(_)]), "{refused:?}");
    Ok(())
}

pub async fn a_batch_that_names_a_key_twice_is_refused_as_a_whole(
    world: &dyn DocumentsWorld,
) -> anyhow::Result<()> {
    let store = world.documents().await;
    let batch = [write(1, None, json!({}))?, write(2, None, json!({}))?, write(1, Some(1), json!({}))?];
    let refused = store.put_many(STAFF, &batch).await;
    assert!(matches!(refused, Err(PortError::Refused(_))), "{refused:?}");
    assert_eq!(store.count(&Query::all(STAFF, 1)).await?, 0, "nothing was written");
    let apart = [write(1, None, json!({}))?, write("1", None, json!({}))?];
    assert_eq!(store.put_many(STAFF, &apart).await?, [Written::Done(1), Written::Done(1)]);
    Ok(())
}

pub async fn an_empty_batch_has_an_empty_answer(world: &dyn DocumentsWorld) -> anyhow::Result<()> {
    let store = world.documents().await;
    assert_eq!(store.put_many(ORDERS, &[]).await?, []);
    assert_eq!(store.count(&Query::all(ORDERS, 1)).await?, 0);
    Ok(())
}

pub async fn documents_are_found_by_what_a_batch_made_of_them(
    world: &dyn DocumentsWorld,
) -> anyhow::Result<()> {
    let store = world.documents().await;
    let batch = [
        write(1, None, json!({ "category_id": 1, "article_ids": [1, 5, 5] }))?,
        write(2, None, json!({ "category_id": 1, "article_ids": [2] }))?,
        write("x", None, json!({ "category_id": "1", "article_ids": ["5"] }))?,
    ];
    store.put_many(PRODUCTS, &batch).await?;
    let found = async |field, value: Value| keys(&*store, &Query::is(PRODUCTS, field, value, 10)).await;
    assert_eq!(found("category_id", json!(1)).await?, numbers(&[1, 2]));
    assert_eq!(found("article_ids", json!(5)).await?, numbers(&[1]));
    assert_eq!(found("article_ids", json!("5")).await?, [Key::from("x")]);
    let batch = [
        write(1, Some(1), json!({ "category_id": 2, "article_ids": [1] }))?,
        write(2, Some(1), json!({ "article_ids": [2, 5] }))?,
    ];
    store.put_many(PRODUCTS, &batch).await?;
    assert_eq!(found("category_id", json!(1)).await?, []);
    assert_eq!(found("category_id", json!(2)).await?, numbers(&[1]));
    assert_eq!(found("article_ids", json!(5)).await?, numbers(&[2]));
    let range = Query::between(PRODUCTS, "category_id", (i64::MIN, i64::MAX), 10);
    assert_eq!(keys(&*store, &range).await?, numbers(&[1]));
    Ok(())
}

pub async fn a_batch_of_hundreds_is_written_whole(world: &dyn DocumentsWorld) -> anyhow::Result<()> {
    let store = world.documents().await;
    for (seen, status) in [(None, "new"), (Some(1), "paid")] {
        let batch: Vec<_> = (1..=500)
            .map(|key| write(key, seen, json!({ "status": status, "user_id": key % 7, "total": key })))
            .collect::<anyhow::Result<_>>()?;
        let written = store.put_many(ORDERS, &batch).await?;
        assert_eq!(written, vec![Written::Done(seen.unwrap_or_default() + 1); batch.len()]);
    }
    assert_eq!(store.count(&Query::is(ORDERS, "status", "paid", 1)).await?, 500);
    assert_eq!(store.count(&Query::is(ORDERS, "status", "new", 1)).await?, 0);
    assert_eq!(read(&*store, ORDERS, 499).await?.body.get("total"), Some(&json!(499)));
    Ok(())
}

pub async fn of_overlapping_batches_each_document_has_one_winner(
    world: &dyn DocumentsWorld,
) -> anyhow::Result<()> {
    const WRITERS: i64 = 6;
    const KEYS: i64 = 12;
    for seen in [None, Some(1), Some(2)] {
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..WRITERS {
            let store = world.documents().await;
            // Each starts with another document, so that the batches meet half-way.
            let keys = (0..KEYS).map(|place| (place + writer * 2) % KEYS);
            let batch: Vec<_> = keys
                .map(|key| write(key, seen, json!({ "writer": writer })))
                .collect::<anyhow::Result<_>>()?;
            writers.spawn(async move {
                let written = store.put_many(DIALOGUES, &batch).await?;
                Ok::<_, PortError>((batch, written))
            });
        }
        let mut winners = BTreeMap::new();
        while let Some(outcome) = writers.join_next().await {
            let (batch, written) = outcome??;
            assert_eq!(batch.len(), written.len());
            for (write, written) in batch.into_iter().zip(written) {
                match written {
                    Written::Done(version) => {
                        assert_eq!(version, seen.unwrap_or_default() + 1);
                        let second = winners.insert(write.key.clone(), write.body);
                        assert_eq!(second, None, "{} has two winners", write.key);
                    }
                    Written::Conflict => {}
                    Written::Refused(reason) => anyhow::bail!("{}: {reason}", write.key),
                }
            }
        }
        let documents = readable(world.documents().await.find(&Query::all(DIALOGUES, 100)).await?)?;
        let stored: BTreeMap<_, _> =
            documents.into_iter().map(|document| (document.key, document.body)).collect();
        assert_eq!(stored, winners, "saw {seen:?}");
    }
    Ok(())
}
