//! Bodies are returned as they were written.

use serde_json::{Value, json};

use super::world::{DIALOGUES, DocumentsWorld, PROMO_CODES, STAFF, body, change, create, read};

/// Creates and replaces a document with each of the values, and reads it back.
async fn assert_unchanged(world: &dyn DocumentsWorld, values: Vec<Value>) -> anyhow::Result<()> {
    let store = world.documents().await;
    for (key, value) in (1_i64..).zip(values) {
        let fields = json!({ "value": value, "nested": { "value": value }, "list": [value, [value]] });
        create(&*store, DIALOGUES, key, fields.clone()).await?;
        assert_eq!(read(&*store, DIALOGUES, key).await?.body, body(fields.clone())?);
        change(&*store, DIALOGUES, key, 1, json!({ "before": fields })).await?;
        assert_eq!(read(&*store, DIALOGUES, key).await?.body, body(json!({ "before": fields }))?);
    }
    Ok(())
}

pub async fn timestamps_lists_nested_fields_and_nulls_are_returned_unchanged(
    world: &dyn DocumentsWorld,
) -> anyhow::Result<()> {
    let store = world.documents().await;
    let at_ms = 1_795_683_600_125_i64;
    let fields = json!({
        "placed_at": at_ms,
        "shipped_at": null,
        "seen_at": [at_ms, at_ms + 1, null, []],
        "born_at": -86_400_001,
        "edge_at": [-62_135_596_800_000_i64, 253_402_300_799_999_i64],
        "named_at": "the market",
        "at": 5,
        "steps": [{ "what": "packed", "done_at": at_ms, "by": { "staff_id": 7, "told_at": 0 } }, {}],
        "holds_at": { "1024": 2, "until_at": at_ms },
        "nothing": null,
        "empty": [],
        "bare": {},
        "flags": [true, false, null, 0, "", [[]], {}],
    });
    create(&*store, DIALOGUES, 7, fields.clone()).await?;
    assert_eq!(read(&*store, DIALOGUES, 7).await?.body, body(fields)?);
    create(&*store, DIALOGUES, 8, json!({})).await?;
    assert_eq!(read(&*store, DIALOGUES, 8).await?.body, body(json!({}))?);
    Ok(())
}

pub async fn texts_of_any_script_and_empty_texts_are_returned_unchanged(
    world: &dyn DocumentsWorld,
) -> anyhow::Result<()> {
    let texts = [
        "",
        " ",
        "Oʻzbekiston — «non» №7",
        "Плов 🍚 по-ташкентски",
        "ёж\r\n\t\"quoted\" \\ 'single'",
        "$name",
        "$$ROOT",
        "{\"$gt\": 1}",
        "a.b",
        "null",
        "12",
        "👩‍👩‍👧‍👦e\u{301}\u{202e}\u{feff}",
        "'; DROP TABLE documents; --",
        "a\0b",
    ];
    assert_unchanged(world, texts.map(Value::from).into()).await?;
    let store = world.documents().await;
    for key in texts {
        create(&*store, PROMO_CODES, key, json!({ "texts": { "uz": key } })).await?;
        assert_eq!(read(&*store, PROMO_CODES, key).await?.body, body(json!({ "texts": { "uz": key } }))?);
    }
    Ok(())
}

pub async fn integers_of_64_bits_are_returned_unchanged(world: &dyn DocumentsWorld) -> anyhow::Result<()> {
    let numbers = [
        0,
        1,
        -1,
        i64::from(i32::MAX),
        i64::from(i32::MAX) + 1,
        i64::from(i32::MIN) - 1,
        // A float cannot represent these.
        9_007_199_254_740_993,
        -9_007_199_254_740_993,
        i64::MAX,
        i64::MIN,
    ];
    assert_unchanged(world, numbers.map(Value::from).into()).await?;
    let store = world.documents().await;
    for number in numbers {
        create(&*store, STAFF, number, json!({ "number": number })).await?;
        let kept = read(&*store, STAFF, number).await?;
        assert_eq!(kept.body, body(json!({ "number": number }))?);
    }
    Ok(())
}

pub async fn a_write_replaces_all_fields(world: &dyn DocumentsWorld) -> anyhow::Result<()> {
    let store = world.documents().await;
    create(&*store, DIALOGUES, 7, json!({ "old": 1, "kept": { "a": 1, "b": 2 } })).await?;
    for (seen, fields) in
        (1..).zip([json!({ "new": 2, "kept": { "a": 1 } }), json!({}), json!({ "new": null })])
    {
        change(&*store, DIALOGUES, 7, seen, fields.clone()).await?;
        assert_eq!(read(&*store, DIALOGUES, 7).await?.body, body(fields)?);
    }
    Ok(())
}
