//! The buttons of staff. Those of the catalogue are in `catalogue.rs`.

use tolov_domain::{OrderId, Phone, ProductId, RefundId, UserId};
use tolov_shop::{
    order::{MissingChoice, OrderAction, Stage},
    staff::Role,
    statistics::Period,
};

use crate::conversation::{
    callback::argument::{CodeArg, callbacks},
    dialogue::PromoField,
};

/// What an owner decides about a refund that waits for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefundDecision {
    ByHand,
    Retry,
    Withdraw,
}

callbacks! {
    /// The buttons of staff.
    StaffCallback {
        Panel = "a",
        /// On a post in the channel, or on the order's card.
        Act { id: OrderId, action: OrderAction } = "ad",
        /// The same, confirmed.
        ActConfirmed { id: OrderId, action: OrderAction } = "ads",

        /// The refunds of an order, on its post or on its card.
        Refund { id: OrderId } = "ar",
        /// Choose which lines go back.
        RefundLines { id: OrderId } = "arl",
        RefundCount { id: OrderId, product_id: ProductId, count: u32 } = "arn",
        /// What would happen, and whether it shall.
        RefundAsk { id: OrderId, part: bool, restock: bool } = "ara",
        /// `sum`, in tiyin, and `seen` are what was shown: where they are not true any more nothing is done.
        RefundConfirmed { id: OrderId, part: bool, restock: bool, sum: i64, seen: u32 } = "ars",
        RefundDecide { id: OrderId, refund_id: RefundId, decision: RefundDecision } = "ard",
        RefundDecided { id: OrderId, refund_id: RefundId, decision: RefundDecision } = "arx",
        /// About goods that were sold out when the money came.
        Missing { id: OrderId, choice: MissingChoice } = "alm",
        /// CLICK shows the attempt as paid, and an owner believes it.
        AcceptPayment { id: OrderId, prepare_id: i64 } = "aap",

        PromoCodes { page: u32 } = "ap",
        NewPromo = "apn",
        Promo { code: CodeArg } = "api",
        SwitchPromo { code: CodeArg, active: bool } = "aps",
        /// While a code is created: the field that is asked for has no bound.
        PromoUnbounded { field: PromoField } = "apu",
        /// Creates the code of the draft.
        AddPromo { code: CodeArg } = "apa",

        Members { page: u32 } = "am",
        Member { id: UserId } = "ami",
        NewMember = "amn",
        SetRole { id: UserId, role: Role } = "amr",
        RemoveMember { id: UserId } = "amx",
        RemoveMemberConfirmed { id: UserId } = "amxs",

        Journal { page: u32 } = "aj",
        /// The next message answers the shopper whose message stands below the button.
        AnswerShopper = "asu",

        Orders = "ao",
        OrdersIn { stage: Stage, page: u32 } = "aoi",
        OrdersByPhone { phone: Phone, page: u32 } = "aop",
        FindOrder = "aof",
        /// The card; on a post, the post as it is.
        Order { id: OrderId } = "aoc",

        Broadcast = "ab",
        StartBroadcast { id: i64, is_forward: bool } = "abs",
        /// Its progress.
        ShowBroadcast { id: i64 } = "abv",
        PauseBroadcast { id: i64 } = "abp",
        ResumeBroadcast { id: i64 } = "abr",
        StopBroadcast { id: i64 } = "abx",

        Statistics { period: Period } = "at",
        ExportStatistics { period: Period } = "atx",
    }
}
