//! What a shop store promises (`tolov_domain::ports::shop`).

use std::sync::Arc;

use async_trait::async_trait;
use tolov_domain::ports::shop::ShopStore;

use crate::documents::DocumentsWorld;

mod facts;
mod notifying;
mod ordering;
mod projecting;
mod shopping;

pub use notifying::*;
pub use ordering::*;
pub use projecting::*;
pub use shopping::*;

/// A shop store of its own for one behaviour, empty at first.
#[async_trait]
pub trait ShopWorld: DocumentsWorld {
    /// A handle on the store. Where an adapter can have several (another connection, another process), every call
    /// gives another one on the same data.
    async fn store(&self) -> Arc<dyn ShopStore>;

    /// Removes all that the world has made.
    async fn close(self: Box<Self>);
}

/// One `#[test]` a behaviour of a shop store, each in a world that `$fresh_world` makes: the path of an
/// `async fn() -> anyhow::Result<impl ShopWorld>`; the documents' behaviours are among them. Attributes before it go to every test.
#[macro_export]
macro_rules! shop_contract {
    ($(#[$attribute:meta])* $fresh_world:path) => {
        $crate::documents_contract! { @all [$(#[$attribute])*] run_shop $fresh_world }
        $crate::shop_contract! { @each [$(#[$attribute])*] $fresh_world =>
            order_numbers_are_unique_and_grow_under_parallel_callers
            a_number_that_an_event_has_brought_is_never_given_out
            a_placed_order_is_kept_as_it_was_put_down
            an_order_is_placed_once_however_often_it_is_asked_for
            an_order_made_from_an_event_is_left_as_it_is_when_it_is_placed
            a_shoppers_orders_come_newest_first_in_pages
            an_unknown_order_is_none
            order_numbers_and_sequences_do_not_move_each_other

            a_payment_leaves_its_facts_with_the_order
            a_payment_takes_what_was_bought_out_of_the_cart_and_leaves_later_additions
            a_cart_line_that_would_sink_to_zero_or_below_vanishes
            a_repeated_payment_has_one_effect
            one_batch_may_hold_the_same_event_twice
            several_orders_of_one_shopper_in_one_batch_all_count
            every_kind_of_event_leaves_one_entry_in_the_history
            the_history_is_oldest_first_in_whatever_order_events_came
            a_pending_order_expires
            paid_wins_over_expired_in_both_orders_of_arrival
            a_cancelled_or_questioned_payment_changes_the_history_alone
            an_unknown_order_and_its_shopper_are_made_from_the_event
            each_event_is_answered_with_its_order_in_the_order_given
            an_empty_batch_needs_no_answer
            shuffled_and_repeated_events_end_where_ordered_ones_do
            two_projectors_with_the_same_events_have_one_effect

            a_shopper_is_met_once_and_keeps_what_is_known
            a_shopper_who_was_never_met_is_none
            the_language_is_the_one_chosen_last
            a_cart_line_is_replaced_and_zero_takes_it_out
            carts_of_two_shoppers_are_apart
            a_cart_is_emptied_and_nothing_else_of_its_shopper_changes
            the_phone_is_the_one_given_last

            a_first_claim_is_to_be_sent_and_a_second_one_finds_it_busy
            after_the_lease_it_is_claimed_again_with_the_next_attempt
            what_was_settled_is_never_claimed_again
            a_claim_that_was_given_back_counts_no_attempt
            a_claim_given_back_after_a_lapsed_one_still_counts_the_lapsed_one
            the_first_outcome_stays
            an_outcome_is_kept_whoever_had_claimed
            several_claims_are_answered_in_the_order_given
            one_of_many_parallel_claims_sends
        }
    };
    (@each $attributes:tt $fresh_world:path => $($behaviour:ident)*) => {
        $($crate::shop_contract! { @one $attributes $fresh_world => $behaviour })*
    };
    (@one [$($attribute:tt)*] $fresh_world:path => $behaviour:ident) => {
        #[test]
        $($attribute)*
        fn $behaviour() -> ::anyhow::Result<()> {
            $crate::run_shop($fresh_world, $crate::shop::$behaviour)
        }
    };
}
