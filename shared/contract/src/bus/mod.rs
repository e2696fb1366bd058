//! What a message bus promises (`tolov_domain::ports::bus`).

mod consuming;
mod messages;
mod parking;
mod publishing;
mod retrying;
mod waiting;
mod world;

pub use consuming::*;
pub use messages::{all_parked, payment_route};
pub use parking::*;
pub use publishing::*;
pub use retrying::*;
pub use waiting::*;
pub use world::{BusWorld, RETRY_DELAYS_MS};

/// One `#[test]` a behaviour of a message bus, each in a world that `$fresh_world` makes: the path of an
/// `async fn() -> anyhow::Result<impl BusWorld>`. Attributes before it go to every test.
#[macro_export]
macro_rules! bus_contract {
    ($(#[$attribute:meta])* $fresh_world:path) => {
        $crate::bus_contract! { @each [$(#[$attribute])*] $fresh_world =>
            a_confirmed_message_arrives_with_all_that_was_published
            a_body_of_any_bytes_up_to_the_limit_arrives_unchanged
            unroutable_messages_are_rejected_and_the_others_of_their_window_confirmed
            a_body_above_the_limit_is_rejected_alone
            an_empty_window_needs_no_answer
            a_queue_receives_the_routing_keys_of_its_bindings_only
            windows_published_concurrently_all_arrive
            several_thousand_messages_arrive
            a_working_bus_is_reachable

            a_waiting_consumer_wakes_when_a_message_is_published
            receive_returns_no_more_than_was_asked_for
            unsettled_messages_are_redelivered_when_their_consumer_is_dropped
            settled_messages_are_not_redelivered
            a_receive_that_is_dropped_loses_nothing
            two_consumers_share_a_queue_without_duplicates
            a_delivery_of_a_dropped_consumer_cannot_be_settled
            one_call_settles_deliveries_with_different_verdicts

            a_retry_is_delivered_after_its_delay_and_not_before
            a_message_that_failed_every_retry_is_parked_with_its_last_reason
            later_delivers_again_without_counting_as_a_retry
            a_poison_message_does_not_stop_the_others
            a_message_that_kills_its_reader_again_and_again_is_parked

            park_parks_a_message_at_once
            parked_messages_are_listed_oldest_first_and_stay
            a_requeued_message_is_as_new
            many_are_requeued_in_one_look_and_the_others_stay_in_their_order
            a_dropped_message_is_returned_and_gone_for_good
            an_unknown_id_is_neither_found_nor_requeued_nor_dropped
            of_two_operators_who_remove_the_same_message_one_learns_that_it_is_gone
            a_listing_takes_no_message_from_another_operators_view
            depth_counts_ready_and_parked_messages

            waiting_messages_are_shown_whatever_their_number_and_stay_in_their_order
            what_a_reader_holds_is_shown_or_the_look_is_refused
        }
    };
    (@each $attributes:tt $fresh_world:path => $($behaviour:ident)*) => {
        $($crate::bus_contract! { @one $attributes $fresh_world => $behaviour })*
    };
    (@one [$($attribute:tt)*] $fresh_world:path => $behaviour:ident) => {
        #[test]
        $($attribute)*
        fn $behaviour() -> ::anyhow::Result<()> {
            $crate::run_bus($fresh_world, $crate::bus::$behaviour)
        }
    };
}
