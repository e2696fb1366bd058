//! The contract suites and the adapter's own tests, on a server that stands alone and on a replica set, where the driver opens
//! sessions and repeats writes by itself.

use crate::world::{Server, World};

macro_rules! tests_on {
    ($server:expr) => {
        async fn fresh() -> anyhow::Result<World> {
            World::fresh($server).await
        }

        tolov_contract::documents_contract!(fresh);
        tolov_contract::notifications_contract!(fresh);
        // The compiler reports a function that is not named here as unused.
        own_tests_on! { $server =>
            claiming::of_parallel_claimers_exactly_one_may_send_each_notification
            claiming::a_notification_named_twice_in_a_call_is_sent_once
            claiming::a_release_keeps_an_earlier_attempt_that_may_have_been_sent
            claiming::a_store_does_not_release_the_claim_of_another
            claiming::an_outcome_is_recorded_without_a_claim
            claiming::an_unreadable_notification_keeps_no_other_from_being_claimed
            connecting::the_first_call_creates_the_indexes_and_a_missing_one_is_reported
            documents::fields_are_stored_flat_beside_the_version_as_dates_and_int64
            documents::a_document_inserted_by_hand_is_read_as_version_0_and_can_be_changed
            documents::an_unreadable_document_is_refused_with_its_key_and_field
            documents::writes_whose_answer_is_lost_are_stored_and_a_repetition_conflicts
            documents::a_unique_index_that_somebody_added_refuses_its_document_alone
            documents::a_counter_that_was_lost_goes_on_above_the_numbers_in_use
            faults::a_server_that_goes_away_is_unavailable_in_time_and_is_used_again_when_it_is_back
            faults::a_store_that_started_without_a_server_works_when_the_server_is_there
            faults::a_server_that_stops_answering_is_unavailable_in_time
            faults::a_claim_whose_answer_is_lost_is_busy_until_its_lease_ends
            faults::a_batch_whose_answer_is_lost_is_stored_once_and_its_repetition_conflicts
            faults::a_connection_that_breaks_within_a_batch_is_mended_without_the_caller
            foreign::documents_of_any_shape_are_read_in_the_order_of_their_ids
            primary_change::a_server_that_is_not_the_primary_any_more_is_unavailable_and_what_is_repeated_has_one_effect
            primary_change::a_slow_server_is_waited_for_within_the_limit_of_a_call_and_unavailable_beyond_it
            primary_change::after_many_calls_that_were_cut_off_the_store_is_used_again
        }
    };
}

macro_rules! own_tests_on {
    ($server:expr => $($file:ident::$test:ident)+) => {$(
        #[tokio::test]
        async fn $test() -> anyhow::Result<()> {
            crate::$file::$test($server).await
        }
    )+};
}

mod on_a_standalone {
    use super::{Server, World};

    tests_on!(Server::Alone);
}

mod on_a_replica_set {
    use super::{Server, World};

    tests_on!(Server::ReplicaSet);
    own_tests_on! { Server::ReplicaSet =>
        moving_primary::a_write_begun_without_a_primary_is_made_by_the_one_that_is_elected_meanwhile
        moving_primary::a_write_whose_primary_dies_before_its_answer_is_stored_once
        moving_primary::a_number_whose_primary_dies_before_its_answer_is_taken_once
        moving_primary::a_primary_of_an_old_term_gets_no_write
        moving_primary::without_a_primary_a_call_ends_in_time_and_the_store_is_used_again_after_the_election
    }
}

#[tokio::test]
async fn each_suite_runs_on_the_server_that_it_names() -> anyhow::Result<()> {
    for server in [Server::Alone, Server::ReplicaSet] {
        let world = World::fresh(server).await?;
        let diagnosis = world.shop().await.diagnose().await?;
        assert_eq!(diagnosis.is_replica_set, server == Server::ReplicaSet, "{diagnosis:?}");
        world.remove().await?;
    }
    Ok(())
}
