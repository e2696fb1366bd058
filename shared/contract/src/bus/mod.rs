//! What a message bus promises (`tolov_domain::ports::bus`).

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tolov_domain::ports::bus::{BusAdmin, Consumer, Publisher, Queue};

mod consuming;
mod messages;
mod parking;
mod publishing;
mod retrying;

pub use consuming::*;
pub use parking::*;
pub use publishing::*;
pub use retrying::*;

/// A bus of its own for one behaviour: nobody else publishes to it or reads from it.
///
/// It is made with the retry ladder [`RETRY_DELAYS_MS`], so that a test can walk down to the parking queue.
#[async_trait]
pub trait BusWorld: Send + Sync {
    async fn publisher(&self) -> Arc<dyn Publisher>;

    /// A new consumer, with a channel (or what the adapter has for it) of its own. When the last handle is dropped,
    /// what it has not settled is delivered again. No behaviour holds more than 64 of its
    /// deliveries unsettled.
    async fn consumer(&self, queue: Queue) -> Arc<dyn Consumer>;

    async fn admin(&self) -> Arc<dyn BusAdmin>;

    /// How long "nothing comes" is watched. Longer where the bus has far to go.
    fn quiet_time(&self) -> Duration {
        Duration::from_millis(300)
    }

    /// Removes all that the world has made.
    async fn close(self: Box<Self>);
}

/// The ladder that every world is made with, in milliseconds.
pub const RETRY_DELAYS_MS: [u64; 4] = [50, 100, 100, 100];

/// One `#[test]` a behaviour of a message bus, each in a world that `$fresh_world` makes: the path of an
/// `async fn() -> anyhow::Result<impl BusWorld>`. Attributes before it go to every test.
#[macro_export]
macro_rules! bus_contract {
    ($(#[$attribute:meta])* $fresh_world:path) => {
        $crate::bus_contract! { @each [$(#[$attribute])*] $fresh_world =>
            a_confirmed_message_arrives_with_all_that_was_published
            a_body_of_any_bytes_up_to_the_limit_arrives_unchanged
            unroutable_messages_are_rejected_and_the_rest_of_their_window_confirmed
            a_body_above_the_limit_is_rejected_alone
            an_empty_window_needs_no_answer
            a_queue_gets_what_it_is_bound_for_and_nothing_else
            windows_published_at_the_same_time_all_arrive
            several_thousand_messages_pass
            a_bus_that_works_is_reachable

            a_waiting_consumer_wakes_when_a_message_is_published
            receive_returns_no_more_than_was_asked_for
            what_was_not_settled_comes_again_when_its_consumer_is_gone
            what_was_done_does_not_come_again
            a_receive_that_is_dropped_loses_nothing
            two_consumers_share_a_queue_without_doubling
            a_delivery_of_a_consumer_that_is_gone_is_not_counted_as_settled
            one_call_settles_deliveries_in_different_ways

            a_retry_comes_back_after_its_step_and_not_before
            a_message_that_failed_on_every_step_is_parked_with_its_last_reason
            later_comes_back_without_a_step_on_the_ladder
            a_poisoned_message_does_not_stop_the_others

            park_sets_a_message_aside_at_once
            parked_messages_are_listed_oldest_first_and_stay
            a_requeued_message_is_as_new
            a_dropped_message_is_gone_for_good
            an_unknown_id_is_neither_requeued_nor_dropped
            depth_counts_what_waits_and_what_is_parked
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
