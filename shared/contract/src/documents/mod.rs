//! What a store of documents promises (`tolov_domain::ports::documents`).

mod batches;
mod finding;
mod keeping;
mod numbering;
mod world;
mod writing;

pub use batches::*;
pub use finding::*;
pub use keeping::*;
pub use numbering::*;
pub use world::{COLLECTIONS, DocumentsWorld};
pub use writing::*;

/// One `#[test]` a behaviour of a store of documents, each in a world that `$fresh_world` makes: the path of an
/// `async fn() -> anyhow::Result<impl DocumentsWorld>`. Attributes before it go to every test.
#[macro_export]
macro_rules! documents_contract {
    ($(#[$attribute:meta])* $fresh_world:path) => {
        $crate::documents_contract! { @each [$(#[$attribute])*] $fresh_world =>
            a_new_document_has_version_1_and_every_write_adds_1
            creating_a_document_that_exists_conflicts
            a_write_that_saw_another_version_conflicts_and_changes_nothing
            one_of_many_parallel_writers_wins
            no_increment_of_parallel_writers_that_retry_is_lost
            a_removal_needs_the_current_version
            a_removed_document_can_be_created_again
            documents_are_read_by_their_keys_each_once
            collections_do_not_share_documents
            a_body_that_no_store_can_keep_is_refused

            a_batch_creates_and_replaces_and_answers_in_the_order_given
            losers_of_a_batch_are_told_and_the_others_are_written
            a_batch_that_is_repeated_conflicts_and_changes_nothing
            a_refused_body_does_not_affect_the_rest_of_its_batch
            a_batch_that_names_a_key_twice_is_refused_as_a_whole
            an_empty_batch_has_an_empty_answer
            documents_are_found_by_what_a_batch_made_of_them
            a_batch_of_hundreds_is_written_whole
            of_overlapping_batches_each_document_has_one_winner

            timestamps_lists_nested_fields_and_nulls_are_returned_unchanged
            texts_of_any_script_and_empty_texts_are_returned_unchanged
            integers_of_64_bits_are_returned_unchanged
            a_write_replaces_all_fields

            a_document_is_found_by_a_number_a_text_or_an_item_of_a_list
            any_of_several_values_finds_each_document_once_by_key
            an_unreadable_document_does_not_hide_the_others
            a_number_does_not_equal_the_text_that_looks_like_it
            a_changed_or_removed_document_is_not_found_by_its_old_values
            a_range_includes_both_ends_and_sorts_by_number_then_by_key
            timestamps_are_found_by_value_and_by_range
            pages_continue_in_both_directions_without_gaps_or_repetitions
            a_walk_by_key_visits_every_document_once_in_both_directions
            number_keys_come_before_text_keys
            a_count_ignores_skip_and_limit
            a_query_without_an_index_is_refused

            parallel_callers_get_numbers_that_are_unique_and_grow
            sequences_start_at_1_and_are_independent
            a_number_is_greater_than_every_one_that_is_known_to_be_used
            a_sequence_without_numbers_left_is_refused
        }
    };
    (@each $attributes:tt $fresh_world:path => $($behaviour:ident)*) => {
        $($crate::documents_contract! { @one $attributes $fresh_world => $behaviour })*
    };
    (@one [$($attribute:tt)*] $fresh_world:path => $behaviour:ident) => {
        #[test]
        $($attribute)*
        fn $behaviour() -> ::anyhow::Result<()> {
            $crate::run_documents($fresh_world, $crate::documents::$behaviour)
        }
    };
}
