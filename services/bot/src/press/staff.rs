//! The staff's buttons.

use tolov_domain::OrderId;
use tolov_shop::fulfilment::Deed;

use super::presses;

presses! {
    /// What staff can tap.
    StaffPress {
        Panel = "a",
        /// On a post in the channel, or on the order's card in the private chat.
        Do { id: OrderId, deed: Deed } = "ad",
        /// The same, after the question whether it is meant.
        DoSurely { id: OrderId, deed: Deed } = "ads",
    }
}
