//! The journal: what members of staff did, with the data of it. Entries are never changed and never removed.

use serde::{Deserialize, Serialize};
use tolov_domain::{
    OrderId, ProductId, RefundId, Tiyin, UserId,
    order::Portion,
    ports::{
        PortError,
        documents::{Collection, Documents, Key, Query, Sequence},
    },
    time::{Timestamp, millis},
};

use super::members::Role;
use crate::{
    broadcast::Command,
    order::{MissingChoice, OrderAction},
    promo::Off,
    records::{self, Record},
};

pub const STAFF_ACTIONS: Collection = Collection::new("staff_actions", &["order_id", "staff_id"]);
const ACTION_NUMBERS: Sequence = Sequence::new("staff_actions");

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffAction {
    pub id: i64,
    pub staff_id: UserId,
    #[serde(rename = "done_at", with = "millis")]
    pub at: Timestamp,
    #[serde(flatten)]
    pub action: Action,
}

/// What was done, and to what. Titles and names are those of that moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Action {
    Category {
        category_id: i64,
        title: String,
        change: CategoryChange,
    },
    Product {
        product_id: ProductId,
        title: String,
        change: ProductChange,
    },
    Variant {
        product_id: ProductId,
        title: String,
        variant_id: ProductId,
        label: String,
        change: VariantChange,
    },
    Promo {
        code: String,
        off: Off,
        change: PromoChange,
    },
    Member {
        user_id: UserId,
        name: String,
        change: MemberChange,
    },
    CatalogueImported {
        products_new: usize,
        products_changed: usize,
        categories_new: usize,
    },
    Order {
        order_id: OrderId,
        action: OrderAction,
    },
    Refund {
        order_id: OrderId,
        refund_id: RefundId,
        sum: Tiyin,
        change: RefundChange,
    },
    /// Late money came for goods that are sold out.
    Missing {
        order_id: OrderId,
        choice: MissingChoice,
    },
    /// CLICK shows a payment without a Complete; an owner accepted it.
    PaymentAccepted {
        order_id: OrderId,
    },
    Broadcast {
        broadcast_id: i64,
        command: Command,
        done: u32,
        total: u32,
    },
    SupportAnswered {
        user_id: UserId,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CategoryChange {
    Added,
    Title {
        was: String,
    },
    Photo,
    /// Places in the menu, counted from 1.
    Place {
        was: usize,
        now: usize,
    },
    Hidden,
    Shown,
    Removed,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProductChange {
    Added {
        price: Tiyin,
    },
    Title {
        was: String,
    },
    Description {
        was: String,
        now: String,
    },
    Price {
        was: Tiyin,
        now: Tiyin,
    },
    Stock {
        was: Option<u32>,
        now: Option<u32>,
        /// What is counted, where it is not pieces.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        portion: Option<Portion>,
    },
    Photo,
    Fiscal {
        field: FiscalField,
        was: Option<String>,
        now: Option<String>,
    },
    Category {
        was: i64,
        now: i64,
        now_title: String,
    },
    Hidden,
    Shown,
    Removed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FiscalField {
    Mxik,
    PackageCode,
    VatPercent,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VariantChange {
    Added {
        price: Tiyin,
    },
    Label {
        was: String,
    },
    Price {
        was: Tiyin,
        now: Tiyin,
    },
    Stock {
        was: Option<u32>,
        now: Option<u32>,
        /// What is counted, where it is not pieces.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        portion: Option<Portion>,
    },
    Removed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromoChange {
    Added,
    Activated,
    Deactivated,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberChange {
    Added { role: Role },
    Role { was: Role, now: Role },
    Removed { role: Role },
}

/// What an owner did about a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundChange {
    Requested,
    ByHand,
    SentAgain,
    Withdrawn,
}

impl Record for StaffAction {
    const COLLECTION: Collection = STAFF_ACTIONS;

    fn key(&self) -> Key {
        Key::Number(self.id)
    }
}

impl Action {
    /// The order that it was done to.
    pub const fn order_id(&self) -> Option<OrderId> {
        match self {
            Self::Order { order_id, .. }
            | Self::Refund { order_id, .. }
            | Self::Missing { order_id, .. }
            | Self::PaymentAccepted { order_id } => Some(*order_id),
            Self::Category { .. }
            | Self::Product { .. }
            | Self::Variant { .. }
            | Self::Promo { .. }
            | Self::Member { .. }
            | Self::CatalogueImported { .. }
            | Self::Broadcast { .. }
            | Self::SupportAnswered { .. } => None,
        }
    }
}

/// Enters what somebody did.
pub async fn record(
    documents: &dyn Documents,
    staff_id: UserId,
    at: Timestamp,
    action: Action,
) -> Result<(), PortError> {
    let id = documents.next_number(ACTION_NUMBERS, 0).await?;
    records::insert(documents, &StaffAction { id, staff_id, at, action }).await.map(drop)
}

/// The latest entries, newest first, after skipping some.
pub async fn latest_actions(
    documents: &dyn Documents,
    skip: u32,
    limit: u32,
) -> Result<Vec<StaffAction>, PortError> {
    let query = Query::all(STAFF_ACTIONS, limit).newest_first().skip(skip);
    records::find(documents, &query).await
}

/// What was done to one order, newest first.
pub async fn actions_on(documents: &dyn Documents, order_id: OrderId) -> Result<Vec<StaffAction>, PortError> {
    let query = Query::is(STAFF_ACTIONS, "order_id", order_id.get(), 100);
    records::find(documents, &query.newest_first()).await
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;
    use tolov_contract::memory::MemoryDocuments;

    use super::*;

    #[tokio::test]
    async fn entries_are_read_back_newest_first_and_found_by_their_order() {
        let documents = MemoryDocuments::default();
        let (staff, now) = (UserId::try_new(5).unwrap(), datetime!(2026-11-23 07:05 UTC));
        let order_id = OrderId::try_new(1001).unwrap();
        let price = Action::Product {
            product_id: ProductId::try_new(7).unwrap(),
            title: "Choynak".to_owned(),
            change: ProductChange::Price {
                was: Tiyin::from_soum(12_000).unwrap(),
                now: Tiyin::from_soum(13_000).unwrap(),
            },
        };
        let accepted = Action::Order { order_id, action: OrderAction::Accepted };
        let hidden =
            Action::Category { category_id: 2, title: "Choy".to_owned(), change: CategoryChange::Hidden };
        for action in [&price, &accepted, &hidden] {
            record(&documents, staff, now, action.clone()).await.unwrap();
        }
        let latest = latest_actions(&documents, 0, 10).await.unwrap();
        assert_eq!(
            latest.iter().map(|entry| &entry.action).collect::<Vec<_>>(),
            [&hidden, &accepted, &price]
        );
        let on_order = actions_on(&documents, order_id).await.unwrap();
        assert_eq!(
            on_order.iter().map(|entry| entry.action.order_id()).collect::<Vec<_>>(),
            [Some(order_id)]
        );
    }
}
