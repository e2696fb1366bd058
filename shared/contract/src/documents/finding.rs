//! By an indexed field, by a range, by key.

use serde_json::{Value, json};
use tolov_domain::ports::{
    PortError,
    documents::{Collection, Documents, Key, Query},
};

use super::{DocumentsWorld, change, keys, make, numbers, read};

const FULFILMENTS: Collection = Collection::Fulfilments;
const PRODUCTS: Collection = Collection::Products;

pub async fn a_document_is_found_by_its_number_or_text_and_by_each_item_of_its_list(
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
        make(&*store, PRODUCTS, key, fields).await?;
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
    make(&*store, FULFILMENTS, 1024, json!({ "stage": "packed", "phone": "+998901234567" })).await?;
    let packed = store.find(&Query::is(FULFILMENTS, "stage", "packed", 10)).await?;
    assert_eq!(packed, [read(&*store, FULFILMENTS, 1024).await?], "whole");
    assert_eq!(keys(&*store, &Query::is(FULFILMENTS, "phone", "+998901234567", 10)).await?, numbers(&[1024]));
    assert_eq!(keys(&*store, &Query::is(FULFILMENTS, "stage", "pack", 10)).await?, []);
    assert_eq!(keys(&*store, &Query::is(FULFILMENTS, "stage", "PACKED", 10)).await?, []);
    Ok(())
}

pub async fn a_number_and_the_text_that_looks_like_it_are_two(
    world: &dyn DocumentsWorld,
) -> anyhow::Result<()> {
    let store = world.documents().await;
    make(&*store, FULFILMENTS, 1, json!({ "stage": 7 })).await?;
    make(&*store, FULFILMENTS, "1", json!({ "stage": "7" })).await?;
    assert_eq!(keys(&*store, &Query::is(FULFILMENTS, "stage", 7, 10)).await?, [Key::Number(1)]);
    assert_eq!(keys(&*store, &Query::is(FULFILMENTS, "stage", "7", 10)).await?, [Key::from("1")]);
    assert_eq!(read(&*store, FULFILMENTS, 1).await?.body.get("stage"), Some(&json!(7)));
    assert_eq!(read(&*store, FULFILMENTS, "1").await?.body.get("stage"), Some(&json!("7")));
    Ok(())
}

pub async fn what_was_changed_or_removed_is_not_found_by_what_it_was(
    world: &dyn DocumentsWorld,
) -> anyhow::Result<()> {
    let store = world.documents().await;
    make(&*store, PRODUCTS, 7, json!({ "category_id": 1, "article_ids": [7, 8] })).await?;
    make(&*store, PRODUCTS, 9, json!({ "category_id": 1, "article_ids": [9, 8] })).await?;
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
    let stale = super::body(json!({ "category_id": 5 }))?;
    store.put(PRODUCTS, &Key::Number(7), Some(1), &stale).await?;
    store.put(PRODUCTS, &Key::Number(7), None, &stale).await?;
    store.remove(PRODUCTS, &Key::Number(7), 1).await?;
    assert_eq!(found("category_id", 5).await?, []);
    assert_eq!(keys(&*store, &Query::all(PRODUCTS, 10)).await?, numbers(&[7]));
    Ok(())
}

pub async fn a_range_holds_both_its_ends_and_goes_by_number_then_by_key(
    world: &dyn DocumentsWorld,
) -> anyhow::Result<()> {
    let store = world.documents().await;
    let categories = Collection::Categories;
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
        make(&*store, categories, key, json!({ "position": position })).await?;
    }
    make(&*store, categories, 11, json!({})).await?;
    for (from, to, expected) in [
        (10, 20, vec![2, 4, 3]),
        (11, 20, vec![3]),
        (11, 19, vec![]),
        (20, 10, vec![]),
        (-5, 10, vec![5, 2, 4]),
        (0, i64::MAX, vec![2, 4, 3, 1, 9]),
        (i64::MIN, i64::MAX, vec![10, 5, 2, 4, 3, 1, 9]),
    ] {
        let query = Query::between(categories, "position", (from, to), 20);
        let found = keys(&*store, &query).await?;
        assert_eq!(found, numbers(&expected), "{from} to {to}");
        let reversed: Vec<_> = expected.iter().rev().copied().collect();
        let found = keys(&*store, &query.newest_first()).await?;
        assert_eq!(found, numbers(&reversed), "{from} to {to}, newest first");
    }
    Ok(())
}

pub async fn instants_are_found_by_moment_and_by_range(world: &dyn DocumentsWorld) -> anyhow::Result<()> {
    let store = world.documents().await;
    let noon = 1_795_690_800_000_i64;
    for (key, placed_at) in [(1, noon), (2, noon + 1), (3, noon - 1), (4, noon + 86_400_000), (5, -1)] {
        make(&*store, FULFILMENTS, key, json!({ "placed_at": placed_at })).await?;
    }
    let is = Query::is(FULFILMENTS, "placed_at", noon, 10);
    assert_eq!(keys(&*store, &is).await?, numbers(&[1]));
    for (range, expected) in [
        ((noon, noon + 1), vec![1, 2]),
        ((noon - 1, noon + 86_399_999), vec![3, 1, 2]),
        ((0, noon - 1), vec![3]),
        ((i64::MIN, noon), vec![5, 3, 1]),
        ((noon + 1, i64::MAX), vec![2, 4]),
    ] {
        let query = Query::between(FULFILMENTS, "placed_at", range, 10);
        assert_eq!(keys(&*store, &query).await?, numbers(&expected), "{range:?}");
        assert_eq!(store.count(&query).await?, u64::try_from(expected.len())?);
    }
    Ok(())
}

pub async fn pages_go_on_where_they_ended_in_both_directions(
    world: &dyn DocumentsWorld,
) -> anyhow::Result<()> {
    let store = world.documents().await;
    for key in [3, 1, 4, 5, 2] {
        let fields = json!({ "user_id": 5551, "placed_at": 1_000 - key, "stage": "new" });
        make(&*store, FULFILMENTS, key, fields).await?;
    }
    make(&*store, FULFILMENTS, 6, json!({ "user_id": 6662, "placed_at": 5_000 })).await?;
    let own = Query::is(FULFILMENTS, "user_id", 5551, 2);
    assert_pages(&*store, &own, &[1, 2, 3, 4, 5]).await?;
    assert_pages(&*store, &own.newest_first(), &[5, 4, 3, 2, 1]).await?;
    let early = Query::between(FULFILMENTS, "placed_at", (0, 1_000), 2);
    assert_pages(&*store, &early, &[5, 4, 3, 2, 1]).await?;
    assert_pages(&*store, &early.newest_first(), &[1, 2, 3, 4, 5]).await?;
    let all = Query::all(FULFILMENTS, 4);
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
    assert_eq!(keys(store, &none).await?, [], "a limit of 0 is none");
    let whole = Query { limit: u32::MAX, ..query.clone() };
    assert_eq!(keys(store, &whole).await?, numbers(expected));
    Ok(())
}

pub async fn a_walk_meets_every_document_once_in_both_directions(
    world: &dyn DocumentsWorld,
) -> anyhow::Result<()> {
    let store = world.documents().await;
    let (users, codes) = (Collection::Profiles, Collection::PromoCodes);
    let mut expected = numbers(&[-3, 1, 2, 10, 20, 100, i64::MAX]);
    for key in expected.iter().rev() {
        make(&*store, users, key.clone(), json!({})).await?;
    }
    assert_walk(&*store, users, &expected).await?;
    expected = ["", "A", "AB", "B", "a", "ё"].map(Key::from).into();
    for key in expected.iter().rev() {
        make(&*store, codes, key.clone(), json!({})).await?;
    }
    assert_walk(&*store, codes, &expected).await?;
    let beside = keys(&*store, &Query::all(users, 2).after(Key::Number(3))).await?;
    assert_eq!(beside, numbers(&[10, 20]), "the document before may be gone");
    Ok(())
}

pub async fn keys_that_are_numbers_come_before_those_that_are_texts(
    world: &dyn DocumentsWorld,
) -> anyhow::Result<()> {
    let store = world.documents().await;
    let mut expected = numbers(&[-1, 2, 10]);
    expected.extend(["", "10", "2", "a"].map(Key::from));
    for key in &expected {
        make(&*store, Collection::Updates, key.clone(), json!({ "state": "begun" })).await?;
    }
    let found = keys(&*store, &Query::is(Collection::Updates, "state", "begun", 10)).await?;
    assert_eq!(found, expected);
    let many = store.get_many(Collection::Updates, &expected).await?;
    let many: Vec<_> = many.into_iter().map(|document| document.key).collect();
    assert_eq!(many, expected);
    assert_walk(&*store, Collection::Updates, &expected).await
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

pub async fn a_count_knows_no_skip_and_no_limit(world: &dyn DocumentsWorld) -> anyhow::Result<()> {
    let store = world.documents().await;
    assert_eq!(store.count(&Query::all(PRODUCTS, 10)).await?, 0);
    for key in 1..=5 {
        let fields = json!({ "category_id": key % 2, "article_ids": [key, key + 1] });
        make(&*store, PRODUCTS, key, fields).await?;
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

pub async fn a_query_that_no_index_answers_is_refused(world: &dyn DocumentsWorld) -> anyhow::Result<()> {
    let store = world.documents().await;
    for query in [
        Query::is(FULFILMENTS, "comment", "x", 1),
        Query::is(FULFILMENTS, "stage", Value::Null, 1),
        Query::between(Collection::Staff, "position", (1, 2), 1),
    ] {
        assert!(matches!(store.find(&query).await, Err(PortError::Refused(_))), "{query:?}");
        assert!(matches!(store.count(&query).await, Err(PortError::Refused(_))), "{query:?}");
    }
    Ok(())
}
