//! By an indexed field, by a range, by key.

use serde_json::{Value, json};
use tolov_domain::ports::{
    PortError,
    documents::{Collection, Documents, Key, Query},
};

use super::world::{
    CATEGORIES, DocumentsWorld, ORDERS, PRODUCTS, PROMO_CODES, STAFF, UPDATES, USERS, change, create, keys,
    numbers, read, readable,
};

pub async fn a_document_is_found_by_a_number_a_text_or_an_item_of_a_list(
    world: &dyn DocumentsWorld,
) -> anyhow::Result<()> {
    let store = world.documents().await;
    for (key, fields) in [
        (12, json!({ "category_id": 1, "article_ids": [12, 13, 14] })),
        (9, json!({ "category_id": 1, "article_ids": [9] })),
        (10, json!({ "category_id": 2, "article_ids": [14, 10, 14] })),
        (11, json!({ "category_id": null, "article_ids": [] })),
        (15, json!({ "title": "neither" })),
    ] {
        create(&*store, PRODUCTS, key, fields).await?;
    }
    for (field, value, expected) in [
        ("category_id", 1, vec![9, 12]),
        ("category_id", 2, vec![10]),
        ("category_id", 3, vec![]),
        ("article_ids", 13, vec![12]),
        ("article_ids", 14, vec![10, 12]),
        ("article_ids", 11, vec![]),
    ] {
        let query = Query::is(PRODUCTS, field, value, 10);
        assert_eq!(keys(&*store, &query).await?, numbers(&expected), "{field} {value}");
    }
    create(&*store, ORDERS, 1024, json!({ "status": "packed", "phone": "+998901234567" })).await?;
    let packed = readable(store.find(&Query::is(ORDERS, "status", "packed", 10)).await?)?;
    assert_eq!(packed, [read(&*store, ORDERS, 1024).await?], "whole");
    assert_eq!(keys(&*store, &Query::is(ORDERS, "phone", "+998901234567", 10)).await?, numbers(&[1024]));
    assert_eq!(keys(&*store, &Query::is(ORDERS, "status", "pack", 10)).await?, []);
    assert_eq!(keys(&*store, &Query::is(ORDERS, "status", "PACKED", 10)).await?, []);
    Ok(())
}

pub async fn any_of_several_values_finds_each_document_once_by_key(
    world: &dyn DocumentsWorld,
) -> anyhow::Result<()> {
    let store = world.documents().await;
    for (key, fields) in [
        (12, json!({ "category_id": 1, "article_ids": [12, 13, 14] })),
        (9, json!({ "category_id": 1, "article_ids": [9, 14] })),
        (10, json!({ "category_id": 2, "article_ids": 10 })),
        (11, json!({ "category_id": "2", "article_ids": [] })),
        (15, json!({ "category_id": null, "article_ids": null })),
    ] {
        create(&*store, PRODUCTS, key, fields).await?;
    }
    for (field, values, expected) in [
        ("article_ids", vec![json!(14), json!(12), json!(9), json!(10)], vec![9, 10, 12]),
        ("article_ids", vec![json!(13), json!(13), json!(404)], vec![12]),
        ("category_id", vec![json!(1), json!(2)], vec![9, 10, 12]),
        ("category_id", vec![json!("2"), json!(3)], vec![11]),
        ("category_id", vec![json!("2"), json!(2)], vec![10, 11]),
        ("category_id", vec![json!(404)], vec![]),
        ("category_id", vec![], vec![]),
    ] {
        let query = Query::any_of(PRODUCTS, field, values.clone(), 2);
        assert_pages(&*store, &query, &expected).await?;
        assert_eq!(store.count(&query).await?, u64::try_from(expected.len())?, "{field} {values:?}");
        let reversed: Vec<_> = expected.iter().rev().copied().collect();
        assert_pages(&*store, &query.newest_first(), &reversed).await?;
    }
    for (key, placed_at) in [(1, 1_795_690_800_000_i64), (2, -1), (3, 1_795_690_800_001_i64)] {
        create(&*store, ORDERS, key, json!({ "placed_at": placed_at })).await?;
    }
    let times = vec![json!(1_795_690_800_000_i64), json!(-1)];
    assert_eq!(keys(&*store, &Query::any_of(ORDERS, "placed_at", times, 10)).await?, numbers(&[1, 2]));
    Ok(())
}

pub async fn an_unreadable_document_does_not_hide_the_others(
    world: &dyn DocumentsWorld,
) -> anyhow::Result<()> {
    let store = world.documents().await;
    for key in 1..=3 {
        create(&*store, PRODUCTS, key, json!({ "category_id": 7, "article_ids": [key] })).await?;
    }
    let damaged = Key::Number(2);
    world.damage(PRODUCTS, &damaged).await?;
    assert!(matches!(store.get(PRODUCTS, &damaged).await, Err(PortError::Refused(_))));
    let queries = [
        Query::all(PRODUCTS, 10),
        Query::is(PRODUCTS, "category_id", 7, 10),
        Query::any_of(PRODUCTS, "article_ids", vec![json!(1), json!(2), json!(3)], 10),
        Query::between(PRODUCTS, "category_id", (7, 7), 10),
    ];
    let mut answers = vec![store.get_many(PRODUCTS, &numbers(&[1, 2, 3])).await?];
    for query in &queries {
        answers.push(store.find(query).await?);
        assert_eq!(store.count(query).await?, 3, "{query:?}");
    }
    for answer in answers {
        let keys: Vec<_> = answer
            .iter()
            .map(|document| match document {
                Ok(document) => (&document.key, true),
                Err(unreadable) => (&unreadable.key, false),
            })
            .collect();
        assert_eq!(keys, [(&Key::Number(1), true), (&damaged, false), (&Key::Number(3), true)]);
        assert_eq!(answer[0].as_ref().ok(), Some(&read(&*store, PRODUCTS, 1).await?));
    }
    // It keeps its version and can be repaired by a write.
    change(&*store, PRODUCTS, 2, 1, json!({ "category_id": 7 })).await?;
    assert_eq!(keys(&*store, &queries[1]).await?, numbers(&[1, 2, 3]));
    Ok(())
}

pub async fn a_number_does_not_equal_the_text_that_looks_like_it(
    world: &dyn DocumentsWorld,
) -> anyhow::Result<()> {
    let store = world.documents().await;
    create(&*store, ORDERS, 1, json!({ "status": 7 })).await?;
    create(&*store, ORDERS, "1", json!({ "status": "7" })).await?;
    assert_eq!(keys(&*store, &Query::is(ORDERS, "status", 7, 10)).await?, [Key::Number(1)]);
    assert_eq!(keys(&*store, &Query::is(ORDERS, "status", "7", 10)).await?, [Key::from("1")]);
    assert_eq!(read(&*store, ORDERS, 1).await?.body.get("status"), Some(&json!(7)));
    assert_eq!(read(&*store, ORDERS, "1").await?.body.get("status"), Some(&json!("7")));
    Ok(())
}

pub async fn a_changed_or_removed_document_is_not_found_by_its_old_values(
    world: &dyn DocumentsWorld,
) -> anyhow::Result<()> {
    let store = world.documents().await;
    create(&*store, PRODUCTS, 7, json!({ "category_id": 1, "article_ids": [7, 8] })).await?;
    create(&*store, PRODUCTS, 9, json!({ "category_id": 1, "article_ids": [9, 8] })).await?;
    let found = async |field, value| keys(&*store, &Query::is(PRODUCTS, field, value, 10)).await;
    change(&*store, PRODUCTS, 7, 1, json!({ "category_id": 2, "article_ids": [7] })).await?;
    assert_eq!(found("category_id", 1).await?, numbers(&[9]));
    assert_eq!(found("category_id", 2).await?, numbers(&[7]));
    assert_eq!(found("article_ids", 8).await?, numbers(&[9]));
    change(&*store, PRODUCTS, 7, 2, json!({ "category_id": null })).await?;
    assert_eq!(found("category_id", 2).await?, []);
    assert_eq!(found("article_ids", 7).await?, []);
    assert!(store.remove(PRODUCTS, &Key::Number(9), 1).await?);
    assert_eq!(found("category_id", 1).await?, []);
    assert_eq!(found("article_ids", 9).await?, []);
    // A conflict leaves the index as it is.
    let stale = super::world::body(json!({ "category_id": 5 }))?;
    store.put(PRODUCTS, &Key::Number(7), Some(1), &stale).await?;
    store.put(PRODUCTS, &Key::Number(7), None, &stale).await?;
    store.remove(PRODUCTS, &Key::Number(7), 1).await?;
    assert_eq!(found("category_id", 5).await?, []);
    assert_eq!(keys(&*store, &Query::all(PRODUCTS, 10)).await?, numbers(&[7]));
    Ok(())
}

pub async fn a_range_includes_both_ends_and_sorts_by_number_then_by_key(
    world: &dyn DocumentsWorld,
) -> anyhow::Result<()> {
    let store = world.documents().await;
    for (key, position) in [
        (1, json!(30)),
        (2, json!(10)),
        (3, json!(20)),
        (4, json!(10)),
        (5, json!(-5)),
        (6, json!("15")),
        (7, Value::Null),
        (8, json!([15, 16])),
        (9, json!(i64::MAX)),
        (10, json!(i64::MIN)),
    ] {
        create(&*store, CATEGORIES, key, json!({ "position": position })).await?;
    }
    create(&*store, CATEGORIES, 11, json!({})).await?;
    for (from, to, expected) in [
        (10, 20, vec![2, 4, 3]),
        (11, 20, vec![3]),
        (11, 19, vec![]),
        (20, 10, vec![]),
        (-5, 10, vec![5, 2, 4]),
        (0, i64::MAX, vec![2, 4, 3, 1, 9]),
        (i64::MIN, i64::MAX, vec![10, 5, 2, 4, 3, 1, 9]),
    ] {
        let query = Query::between(CATEGORIES, "position", (from, to), 20);
        let found = keys(&*store, &query).await?;
        assert_eq!(found, numbers(&expected), "{from} to {to}");
        let reversed: Vec<_> = expected.iter().rev().copied().collect();
        let found = keys(&*store, &query.newest_first()).await?;
        assert_eq!(found, numbers(&reversed), "{from} to {to}, newest first");
    }
    Ok(())
}

pub async fn timestamps_are_found_by_value_and_by_range(world: &dyn DocumentsWorld) -> anyhow::Result<()> {
    let store = world.documents().await;
    let noon = 1_795_690_800_000_i64;
    for (key, placed_at) in [(1, noon), (2, noon + 1), (3, noon - 1), (4, noon + 86_400_000), (5, -1)] {
        create(&*store, ORDERS, key, json!({ "placed_at": placed_at })).await?;
    }
    let is = Query::is(ORDERS, "placed_at", noon, 10);
    assert_eq!(keys(&*store, &is).await?, numbers(&[1]));
    for (range, expected) in [
        ((noon, noon + 1), vec![1, 2]),
        ((noon - 1, noon + 86_399_999), vec![3, 1, 2]),
        ((0, noon - 1), vec![3]),
        ((i64::MIN, noon), vec![5, 3, 1]),
        ((noon + 1, i64::MAX), vec![2, 4]),
    ] {
        let query = Query::between(ORDERS, "placed_at", range, 10);
        assert_eq!(keys(&*store, &query).await?, numbers(&expected), "{range:?}");
        assert_eq!(store.count(&query).await?, u64::try_from(expected.len())?);
    }
    Ok(())
}

pub async fn pages_continue_in_both_directions_without_gaps_or_repetitions(
    world: &dyn DocumentsWorld,
) -> anyhow::Result<()> {
    let store = world.documents().await;
    for key in [3, 1, 4, 5, 2] {
        let fields = json!({ "user_id": 5551, "placed_at": 1_000 - key, "status": "new" });
        create(&*store, ORDERS, key, fields).await?;
    }
    create(&*store, ORDERS, 6, json!({ "user_id": 6662, "placed_at": 5_000 })).await?;
    let own = Query::is(ORDERS, "user_id", 5551, 2);
    assert_pages(&*store, &own, &[1, 2, 3, 4, 5]).await?;
    assert_pages(&*store, &own.newest_first(), &[5, 4, 3, 2, 1]).await?;
    let early = Query::between(ORDERS, "placed_at", (0, 1_000), 2);
    assert_pages(&*store, &early, &[5, 4, 3, 2, 1]).await?;
    assert_pages(&*store, &early.newest_first(), &[1, 2, 3, 4, 5]).await?;
    let all = Query::all(ORDERS, 4);
    assert_pages(&*store, &all, &[1, 2, 3, 4, 5, 6]).await?;
    assert_pages(&*store, &all.newest_first(), &[6, 5, 4, 3, 2, 1]).await?;
    Ok(())
}

async fn assert_pages(store: &dyn Documents, query: &Query, expected: &[i64]) -> anyhow::Result<()> {
    let mut seen = Vec::new();
    loop {
        let skip = u32::try_from(seen.len())?;
        let page = keys(store, &query.clone().skip(skip)).await?;
        assert!(page.len() <= usize::try_from(query.limit)?);
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    assert_eq!(seen, numbers(expected), "{query:?}");
    let none = Query { limit: 0, ..query.clone() };
    assert_eq!(keys(store, &none).await?, [], "a limit of 0 finds nothing");
    let whole = Query { limit: u32::MAX, ..query.clone() };
    assert_eq!(keys(store, &whole).await?, numbers(expected));
    Ok(())
}

pub async fn a_walk_by_key_visits_every_document_once_in_both_directions(
    world: &dyn DocumentsWorld,
) -> anyhow::Result<()> {
    let store = world.documents().await;
    let mut expected = numbers(&[-3, 1, 2, 10, 20, 100, i64::MAX]);
    for key in expected.iter().rev() {
        create(&*store, USERS, key.clone(), json!({})).await?;
    }
    assert_walk(&*store, USERS, &expected).await?;
    expected = ["", "A", "AB", "B", "a", "ё"].map(Key::from).into();
    for key in expected.iter().rev() {
        create(&*store, PROMO_CODES, key.clone(), json!({})).await?;
    }
    assert_walk(&*store, PROMO_CODES, &expected).await?;
    let beside = keys(&*store, &Query::all(USERS, 2).after(Key::Number(3))).await?;
    assert_eq!(beside, numbers(&[10, 20]), "there need not be a document with the key to start after");
    Ok(())
}

pub async fn number_keys_come_before_text_keys(world: &dyn DocumentsWorld) -> anyhow::Result<()> {
    let store = world.documents().await;
    let mut expected = numbers(&[-1, 2, 10]);
    expected.extend(["", "10", "2", "a"].map(Key::from));
    for key in &expected {
        create(&*store, UPDATES, key.clone(), json!({ "state": "waiting" })).await?;
    }
    let found = keys(&*store, &Query::is(UPDATES, "state", "waiting", 10)).await?;
    assert_eq!(found, expected);
    let many = readable(store.get_many(UPDATES, &expected).await?)?;
    let many: Vec<_> = many.into_iter().map(|document| document.key).collect();
    assert_eq!(many, expected);
    assert_walk(&*store, UPDATES, &expected).await
}

/// Goes through a collection by key, two at a time, in both directions.
async fn assert_walk(store: &dyn Documents, collection: Collection, expected: &[Key]) -> anyhow::Result<()> {
    let mut expected = expected.to_vec();
    for first in [Query::all(collection, 2), Query::all(collection, 2).newest_first()] {
        let mut seen: Vec<Key> = Vec::new();
        loop {
            let next = match seen.last() {
                Some(last) => first.clone().after(last.clone()),
                None => first.clone(),
            };
            let left = expected.len() - seen.len();
            assert_eq!(store.count(&next).await?, u64::try_from(left)?, "{next:?}");
            let page = keys(store, &next).await?;
            if page.is_empty() {
                break;
            }
            seen.extend(page);
        }
        assert_eq!(seen, expected);
        expected.reverse();
    }
    Ok(())
}

pub async fn a_count_ignores_skip_and_limit(world: &dyn DocumentsWorld) -> anyhow::Result<()> {
    let store = world.documents().await;
    assert_eq!(store.count(&Query::all(PRODUCTS, 10)).await?, 0);
    for key in 1..=5 {
        let fields = json!({ "category_id": key % 2, "article_ids": [key, key + 1] });
        create(&*store, PRODUCTS, key, fields).await?;
    }
    for (query, expected) in [
        (Query::all(PRODUCTS, 1), 5),
        (Query::all(PRODUCTS, 1).after(Key::Number(3)), 2),
        (Query::all(PRODUCTS, 1).after(Key::Number(3)).newest_first(), 2),
        (Query::is(PRODUCTS, "category_id", 1, 1), 3),
        (Query::is(PRODUCTS, "article_ids", 3, 1), 2),
        (Query::is(PRODUCTS, "article_ids", 9, 1), 0),
        (Query::between(PRODUCTS, "category_id", (0, 1), 1), 5),
        (Query::between(PRODUCTS, "category_id", (1, 2), 1), 3),
    ] {
        let paged = Query { skip: 2, limit: 0, ..query.clone() };
        assert_eq!(store.count(&query).await?, expected, "{query:?}");
        assert_eq!(store.count(&paged).await?, expected, "{query:?}");
    }
    Ok(())
}

pub async fn a_query_without_an_index_is_refused(world: &dyn DocumentsWorld) -> anyhow::Result<()> {
    let store = world.documents().await;
    for query in [
        Query::is(ORDERS, "comment", "x", 1),
        Query::is(ORDERS, "status", Value::Null, 1),
        Query::between(STAFF, "position", (1, 2), 1),
    ] {
        assert!(matches!(store.find(&query).await, Err(PortError::Refused(_))), "{query:?}");
        assert!(matches!(store.count(&query).await, Err(PortError::Refused(_))), "{query:?}");
    }
    Ok(())
}
