//! What a store of documents promises (`tolov_domain::ports::documents`).

use std::sync::Arc;

use anyhow::Context;
use async_trait::async_trait;
use serde_json::Value;
use tolov_domain::ports::documents::{Body, Collection, Document, Documents, Key, Put, Query, Version};

use crate::shop::ShopWorld;

mod finding;
mod keeping;
mod numbering;
mod writing;

pub use finding::*;
pub use keeping::*;
pub use numbering::*;
pub use writing::*;

/// A store of documents of its own for one behaviour, empty at first. Every world of a shop store is one.
#[async_trait]
pub trait DocumentsWorld: Send + Sync {
    /// A handle on the store; every call gives another one on the same data, where there can be several.
    async fn documents(&self) -> Arc<dyn Documents>;
}

#[async_trait]
impl<W: ShopWorld> DocumentsWorld for W {
    async fn documents(&self) -> Arc<dyn Documents> {
        self.store().await
    }
}

/// One `#[test]` a behaviour of a store of documents alone. A shop store has them with `shop_contract!`.
#[macro_export]
macro_rules! documents_contract {
    ($(#[$attribute:meta])* $fresh_world:path) => {
        $crate::documents_contract! { @all [$(#[$attribute])*] run_documents $fresh_world }
    };
    (@all $attributes:tt $run:ident $fresh_world:path) => {
        $crate::documents_contract! { @each $attributes $run $fresh_world =>
            a_document_is_new_once_and_its_version_grows_with_every_write
            a_document_that_is_there_is_not_made_again
            a_write_that_saw_another_version_conflicts_and_changes_nothing
            one_of_many_parallel_writers_is_done
            increments_of_many_writers_who_try_again_all_count
            a_removal_is_guarded_by_the_version_that_was_seen
            what_was_removed_may_be_made_again_as_new
            many_documents_are_read_by_key_once_each
            documents_of_two_collections_are_apart
            a_body_that_no_store_can_keep_is_refused

            instants_lists_nested_fields_and_nulls_come_back_as_they_were
            texts_of_any_script_and_empty_ones_come_back_as_they_were
            whole_numbers_of_64_bits_come_back_as_they_were
            a_write_replaces_all_fields

            a_document_is_found_by_its_number_or_text_and_by_each_item_of_its_list
            a_number_and_the_text_that_looks_like_it_are_two
            what_was_changed_or_removed_is_not_found_by_what_it_was
            a_range_holds_both_its_ends_and_goes_by_number_then_by_key
            instants_are_found_by_moment_and_by_range
            pages_go_on_where_they_ended_in_both_directions
            a_walk_meets_every_document_once_in_both_directions
            keys_that_are_numbers_come_before_those_that_are_texts
            a_count_knows_no_skip_and_no_limit
            a_query_that_no_index_answers_is_refused

            numbers_of_a_sequence_are_unique_and_grow_under_parallel_callers
            sequences_begin_with_1_and_do_not_move_each_other
        }
    };
    (@each $attributes:tt $run:ident $fresh_world:path => $($behaviour:ident)*) => {
        $($crate::documents_contract! { @one $attributes $run $fresh_world => $behaviour })*
    };
    (@one [$($attribute:tt)*] $run:ident $fresh_world:path => $behaviour:ident) => {
        #[test]
        $($attribute)*
        fn $behaviour() -> ::anyhow::Result<()> {
            $crate::$run($fresh_world, async |world| $crate::documents::$behaviour(world).await)
        }
    };
}

/// The fields of a document that is written as JSON.
fn body(fields: Value) -> anyhow::Result<Body> {
    let Value::Object(fields) = fields else { anyhow::bail!("a document has fields") };
    Ok(fields)
}

/// Makes a document that must not be there.
async fn make(
    store: &dyn Documents,
    collection: Collection,
    key: impl Into<Key>,
    fields: Value,
) -> anyhow::Result<()> {
    let key = key.into();
    assert_eq!(store.put(collection, &key, None, &body(fields)?).await?, Put::Done(1), "{key}");
    Ok(())
}

/// Changes a document that must be as it was seen.
async fn change(
    store: &dyn Documents,
    collection: Collection,
    key: impl Into<Key>,
    seen: Version,
    fields: Value,
) -> anyhow::Result<()> {
    let key = key.into();
    let put = store.put(collection, &key, Some(seen), &body(fields)?).await?;
    assert_eq!(put, Put::Done(seen + 1), "{key}");
    Ok(())
}

async fn read(
    store: &dyn Documents,
    collection: Collection,
    key: impl Into<Key>,
) -> anyhow::Result<Document> {
    let key = key.into();
    store.get(collection, &key).await?.with_context(|| format!("{key} is there"))
}

/// The keys of what a query finds, in its order.
async fn keys(store: &dyn Documents, query: &Query) -> anyhow::Result<Vec<Key>> {
    Ok(store.find(query).await?.into_iter().map(|document| document.key).collect())
}

fn numbers(keys: &[i64]) -> Vec<Key> {
    keys.iter().copied().map(Key::Number).collect()
}
